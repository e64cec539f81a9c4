"""Names of columns that are those of the source in place of the upload, or of none: what is said, and what is meant."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.loading.column_names import corrected, spelled_alike
from salesforce_bulk_ingest.loading.mapping import ColumnMapping, apply_mapping
from salesforce_bulk_ingest.loading.row_filter import conditions_of

HEADER = ("Account Name", "Annual Revenue", "Fax", "Fax")
COLUMNS = {"Account Name": "Name", "Annual Revenue": ["AnnualRevenue", "Target__c"], "#3": None, "#4": "Fax"}


def refused(**changes: object) -> tuple[str, object]:
    """What is said of a mapping of the header, and the value that the argument is meant to have."""
    with pytest.raises(InvalidArgument) as refusal:
        apply_mapping(ColumnMapping(**{"columns": COLUMNS, **changes}), HEADER)  # type: ignore[arg-type]  # of some names
    return str(refusal.value), refusal.value.corrected


def test_a_name_of_the_source_is_answered_with_that_of_the_field() -> None:
    assert [
        refused(formats={"Account Name": "1.234,5", "fax": "1,234.5"}),
        refused(values={"#1": {"a": "b"}, "Fax": {"a": "b"}}),
        refused(only=("Account Name", "Fax")),
        refused(formats={"Annual Revenue": "1.234,5"}),
        refused(values={"#3": {"a": "b"}}),
        refused(formats={"annual_revenue": "1.234,5"}),
        refused(formats={"Account Name": "1.234,5", "Name": "1,234.5"}),
        refused(formats={"Account Name": "1.234,5", "Nothing": "1,234.5"}),
    ] == snapshot(
        [
            (
                'formats names "Account Name", a column of the source: name its field, "Name".',
                {"Name": "1.234,5", "Fax": "1,234.5"},
            ),
            (
                'values names "#1", a column of the source: name its field, "Name".',
                {"Name": {"a": "b"}, "Fax": {"a": "b"}},
            ),
            ('only names "Account Name", a column of the source: name its field, "Name".', ["Name", "Fax"]),
            (
                'formats names "Annual Revenue", a column of the source: name its field, "AnnualRevenue" or "Target__c".',
                None,
            ),
            ('values names "#3", a column of the source: columns leaves it out, so leave it out of values, too.', {}),
            (
                'formats names "annual_revenue", which is not a column here. Did you mean "AnnualRevenue"?',
                {"AnnualRevenue": "1.234,5"},
            ),
            ('formats names "Account Name", a column of the source: name its field, "Name".', None),
            ('formats names "Account Name", a column of the source: name its field, "Name".', None),
        ]
    )


def test_columns_from_fields_to_the_source_are_turned_round() -> None:
    assert [
        refused(columns={"Name": "Account Name", "Fax__c": "#3", "#4": None}),
        refused(columns={"account_name": "Name"}),
        refused(columns={"Acount Name": "Name"}),
        refused(columns={"Name": "Account Name", "Account Name": "Name"}),
    ] == snapshot(
        [
            (
                'columns goes from columns of the source to fields, and "Name" is no column there: write {"Account Name": "Name"}.',
                {"Account Name": "Name", "#3": "Fax__c", "#4": None},
            ),
            (
                'columns names "account_name", which is not a column here. Did you mean "Account Name"?',
                {"Account Name": "Name"},
            ),
            ('columns names "Acount Name", which is not a column here. Did you mean "Account Name"?', None),
            (
                'columns goes from columns of the source to fields, and "Name" is no column there: write {"Account Name": "Name"}.',
                None,
            ),
        ]
    )


def test_a_name_in_leave_out_is_answered_with_the_one_that_is_spelled_alike() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        conditions_of({"AnnualRevenue": ("",), "fax": ("x",)}, ["Annual Revenue"], ["Annual Revenue", "Fax"])
    assert (str(refusal.value), refusal.value.corrected) == snapshot(
        (
            'leaveOut names "AnnualRevenue", which is not a column here. Did you mean "Annual Revenue"?',
            {"Annual Revenue": ("",), "fax": ("x",)},
        )
    )


@given(st.dictionaries(st.text(max_size=3), st.integers()), st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_what_is_corrected_loses_no_value(value: Mapping[str, int], names: Mapping[str, str]) -> None:
    right = corrected(value, lambda name: (names[name],) if name in names else None)
    if right is None:
        assert not set(value) <= set(names) or len({names[name] for name in value}) < len(value)
    else:
        assert right == {names[name]: each for name, each in value.items()}


def test_names_are_alike_by_letters_and_digits_alone() -> None:
    assert spelled_alike("annual-revenue", ["AnnualRevenue", "Annual Revenue", "Revenue"]) == [
        "AnnualRevenue",
        "Annual Revenue",
    ]
    assert spelled_alike("--", ["-", "--x"]) == []
