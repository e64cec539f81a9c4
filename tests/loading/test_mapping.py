"""Column mappings: which cells go out, and which mappings are refused."""

from contextlib import nullcontext

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.csvio.cells import parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapped_source import open_upload_source
from salesforce_bulk_ingest.loading.mapping import ColumnMapping, apply_mapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import Bytes, plan_of, sent_parts


def test_a_row_that_is_too_wide_stays_too_wide_and_one_that_is_narrow_is_filled() -> None:
    planned = plan_of(Bytes(b"A,B,C\n1,2,3,4\n1\n"), ColumnMapping(columns={"B": None}), Destination())
    assert sent_parts(planned) == [b"A,C\n1,3,4\n1,\n"]


def test_constants_and_only_choose_and_replace_columns() -> None:
    mapping = ColumnMapping(constants={"B": "x", "D": "y"}, only=("D", "A", "B"))
    assert sent_parts(plan_of(Bytes(b"A,B,C\n1,2,3\n"), mapping, Destination())) == [b"A,B,D\n1,x,y\n"]


def test_a_constant_takes_the_place_of_the_column_of_its_field_in_any_case() -> None:
    mapping = ColumnMapping(constants={"b": "x"})
    assert sent_parts(plan_of(Bytes(b"A,B,C\n1,2,3\n"), mapping, Destination())) == [b"A,C,b\n1,3,x\n"]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            ColumnMapping(constants={"Phone": "1", "phone": "2"}),
            snapshot('set names "Phone", "phone", which are one field: keep one.'),
        ),
        (
            ColumnMapping(columns={"Nmae": "Name"}),
            snapshot('columns names "Nmae", which is not a column here. Did you mean "Name"?'),
        ),
        (
            ColumnMapping(columns={"Zzz": None}),
            snapshot('columns names "Zzz", which is not a column here. There are: "Name", "Phone".'),
        ),
        (
            ColumnMapping(values={"Name": {"a": "b"}}, columns={"Name": "LastName"}),
            snapshot('values names "Name", a column of the source: name its field, "LastName".'),
        ),
        (
            ColumnMapping(columns={"Name": None, "Phone": None}),
            snapshot("The mapping leaves no column: name at least one to keep."),
        ),
        (
            ColumnMapping(columns={"Name": "Phone"}),
            snapshot('"Name" and "Phone" both become "Phone": set one of them to null in columns.'),
        ),
        (
            ColumnMapping(constants={"Phone": "1"}, values={"Phone": {"1": "2"}}),
            snapshot(
                'set gives every row the same "Phone", so values has nothing to replace there: leave it out of values, or out of set to replace what the column holds.'
            ),
        ),
        (
            ColumnMapping(only=("Fax",)),
            snapshot('only names "Fax", which is not a column here. There are: "Name", "Phone".'),
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: ColumnMapping, message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        plan_of(Bytes(b"Name,Phone\nAnn,1\n"), mapping, Destination())
    assert str(raised.value) == message


def test_long_names_are_cut_in_what_is_said_of_a_mapping() -> None:
    long = b"N" * 400_000
    for mapping in (
        ColumnMapping(only=("N" * 400_000,)),
        ColumnMapping(columns={"N" * 400_000 + "1": "N" * 400_000 + "2"}),
    ):
        with pytest.raises(InvalidArgument) as raised:
            plan_of(Bytes(long + b"1," + long + b"2\nAnn,1\n"), mapping, Destination())
        assert len(str(raised.value)) < 400


def test_a_mapping_is_applied_to_the_columns_of_a_block() -> None:
    mapping = ColumnMapping(columns={"A": "X", "B": None}, constants={"Y": "1"}, values={"X": {"a": "b"}})
    applied = apply_mapping(mapping, ["A", "B", "C"])
    assert applied.header == ("X", "C", "Y")
    block = applied.apply(parse_block("a,1,c\nd,2,e\n", Dialect(), 3, first_line=7))
    assert list(block.rows) == [("b", "c", "1"), ("d", "e", "1")]
    assert list(block.lines) == [7, 8]


def test_an_empty_mapping_is_false() -> None:
    assert not ColumnMapping().changes_rows
    assert ColumnMapping(only=("Name",)).changes_rows


def test_a_column_can_be_named_as_answers_show_it_without_hidden_characters() -> None:
    mapping = ColumnMapping(columns={"Billing City": "BillingCity", "Name": "Name"})
    assert apply_mapping(mapping, ["Billing\nCity", "\u200bName"]).header == ("BillingCity", "Name")


def test_a_column_can_fill_several_fields_and_columns_of_one_name_are_told_apart_by_their_places() -> None:
    columns: dict[str, str | list[str] | None] = {
        "Name": ["Name", "Site", "Name"],
        "#3": None,
        "Phone": "Phone",
        "#4": [],
    }
    mapping = ColumnMapping(columns=columns, values={"Site": {"a": "b"}})
    applied = apply_mapping(mapping, ["Name", "Phone", "Phone", "", "#2"])
    assert applied.header == ("Name", "Site", "Phone", "#2")
    block = applied.apply(parse_block("a,1,2,,3\n", Dialect(), 5))
    assert list(block.rows) == [("a", "b", "1", "3")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"Phone": None},
            snapshot(
                'columns names "Phone", and 2 columns have this name: name each by its place, "#2", "#3", such as {"#3": null} to leave that one out.'
            ),
        ),
        (
            {"A B": "Name"},
            snapshot(
                'columns names "A B", and 2 columns have this name: name each by its place, "#4", "#5", such as {"#5": null} to leave that one out.'
            ),
        ),
        ({"Name": "Name", "#1": "Site"}, snapshot('columns names the column "Name" twice: once is enough.')),
        (
            {"#6": None},
            snapshot(
                'columns names "#6", which is not a column here. There are: "Name", "Phone", "Phone", "A\\nB", "A\\tB".'
            ),
        ),
        ({"#2": "Fax", "#3": "Fax"}, snapshot('"#2" and "#3" both become "Fax": set one of them to null in columns.')),
    ],
)
def test_an_address_of_several_columns_or_of_none_is_refused(columns: dict[str, str | None], message: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        apply_mapping(ColumnMapping(columns=columns), ["Name", "Phone", "Phone", "A\nB", "A\tB"])
    assert str(raised.value) == message


HIDDEN = HiddenFields(("*SSN*", "Mail", "Email")).on("Contact")


@pytest.mark.parametrize(
    ("columns", "is_refused"),
    [
        ({"Title": ["Email", "Description"]}, True),
        ({"Title": ["Email", "Old_SSN__c"]}, False),
        ({"SSN": "Description"}, True),
        ({"SSN": "Name"}, True),
        ({"Mail": "Phone"}, True),
        ({"SSN": None, "Mail": None}, False),
        ({"SSN": "Old_SSN__c", "Mail": "Email"}, False),
        ({"Title": "Description"}, False),
    ],
)
def test_a_hidden_column_fills_no_field_that_is_shown(
    columns: dict[str, str | list[str] | None], is_refused: bool
) -> None:
    source, mapping = Bytes(b"Title,SSN,Mail\n1,2,3\n"), ColumnMapping(columns=columns)
    with pytest.raises(RefusedByPolicy, match="hide_fields") if is_refused else nullcontext():
        open_upload_source(source, mapping, Destination(hidden=HIDDEN)).file.close()
