"""Which failed rows can succeed when they are sent again, and what has to be given for them."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.hidden_fields import mask
from salesforce_bulk_ingest.results.corrections import Correction
from salesforce_bulk_ingest.results.error_groups import LONGEST_CELL, MOST_CELLS, ErrorGroup, ErrorGrouper

COLUMNS = ("sf__Id", "sf__Error", "Name", "Tier__c", "Since__c", "Account.Ext__c")
LOCKED = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
TAKEN = "DUPLICATE_VALUE:duplicate value found: Name duplicates value on record with id: 001000000000001AAA:--"
NO_NAME = "REQUIRED_FIELD_MISSING:Required fields are missing: [{}]:{} --"
BAD_TIER = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Tier: bad value for restricted picklist field: {0}:Tier__c --"
BAD_TYPE = "INVALID_FIELD:Failed to deserialize field at col 2. Due to, '{}' is not a valid value for the type xsd:{}:Since__c --"
NO_PARENT = "INVALID_FIELD:Foreign key external ID: {} not found for field Ext__c in entity Account:--"
READ_ONLY = "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: Since__c:Since__c --"


def groups_of(rows: Iterable[tuple[str, dict[str, str]]]) -> tuple[ErrorGroup, ...]:
    grouper = ErrorGrouper(COLUMNS)
    for error, cells in rows:
        grouper.add(["", error, *(cells.get(name, "x") for name in COLUMNS[2:])])
    return grouper.groups()


def correction_of(*rows: tuple[str, dict[str, str]], are_rows_changed: bool = True) -> Correction:
    return Correction.of(groups_of(rows), are_rows_changed=are_rows_changed)


def codes(groups: Iterable[ErrorGroup]) -> list[str]:
    return sorted(group.code for group in groups)


def bad_tiers(*cells: str) -> list[tuple[str, dict[str, str]]]:
    return [(BAD_TIER.format(cell), {"Tier__c": cell}) for cell in cells]


def test_rows_that_can_succeed_are_sent_and_those_that_no_argument_corrects_are_not() -> None:
    found = correction_of(
        (LOCKED, {}), (TAKEN, {}), (NO_NAME.format("Name", "Name"), {"Name": ""}), *bad_tiers("gold!", "H", "gold!")
    )
    assert codes(found.left) == ["DUPLICATE_VALUE"]
    assert codes(found.sent) == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "REQUIRED_FIELD_MISSING",
        "UNABLE_TO_LOCK_ROW",
    ]
    assert found.values == {"Tier__c": ("H", "gold!"), "Name": ("",)}


@pytest.mark.parametrize(
    ("error", "cells", "expected"),
    [
        (NO_NAME.format("Site", "Site"), {}, Correction((), (), constants=("Site",))),
        (NO_NAME.format("Name, Site", "Name,Site"), {"Name": ""}, Correction((), (), {"Name": ("",)}, ("Site",))),
        (BAD_TYPE.format("31.1.20", "date"), {"Since__c": "31.1.20"}, Correction((), (), formats=("Since__c",))),
        (BAD_TYPE.format("Ja", "boolean"), {"Since__c": "Ja"}, Correction((), (), formats=("Since__c",))),
        (BAD_TYPE.format("none", "date"), {"Since__c": "none"}, Correction((), (), {"Since__c": ("none",)})),
        (
            BAD_TYPE.format("31/02/1980", "date"),
            {"Since__c": "31/02/1980"},
            Correction((), (), {"Since__c": ("31/02/1980",)}),
        ),
        (BAD_TYPE.format("1,5", "double"), {"Since__c": "1,5"}, Correction((), (), formats=("Since__c",))),
        (BAD_TYPE.format("1-5", "double"), {"Since__c": "1-5"}, Correction((), (), {"Since__c": ("1-5",)})),
        (BAD_TYPE.format("maybe", "boolean"), {"Since__c": "maybe"}, Correction((), (), {"Since__c": ("maybe",)})),
        (NO_PARENT.format("E-1"), {"Account.Ext__c": "E-1"}, Correction((), (), {"Account.Ext__c": ("E-1",)})),
        (READ_ONLY, {}, Correction((), (), columns=("Since__c",))),
        (LOCKED, {}, Correction((), ())),
    ],
)
def test_each_cause_is_corrected_by_the_argument_that_fits_it(
    error: str, cells: dict[str, str], expected: Correction
) -> None:
    found = correction_of((error, cells))
    assert found == Correction(found.sent, (), expected.values, expected.constants, expected.formats, expected.columns)
    assert len(found.sent) == 1 and found.are_sent_unchanged == (error == LOCKED)


def test_a_cause_of_which_no_column_is_known_is_left() -> None:
    found = correction_of(("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", {}))
    assert codes(found.left) == ["INVALID_CROSS_REFERENCE_KEY"] and found.sent == ()


def test_a_group_goes_along_where_another_one_of_its_code_is_sent() -> None:
    found = correction_of(("INVALID_FIELD:something else:--", {}), (NO_PARENT.format("E-1"), {"Account.Ext__c": "E-1"}))
    assert codes(found.sent) == ["INVALID_FIELD", "INVALID_FIELD"] and found.left == ()


def test_the_ids_of_a_delete_are_not_replaced() -> None:
    found = correction_of((LOCKED, {}), *bad_tiers("gold!"), are_rows_changed=False)
    assert codes(found.sent) == ["UNABLE_TO_LOCK_ROW"] and found.are_sent_unchanged


@pytest.mark.parametrize("cell", ["x" * (LONGEST_CELL + 1), "two\nlines", mask("secret"), "a\u202eb"])
def test_a_cell_that_is_long_or_hidden_is_never_one_to_replace_by_itself(cell: str) -> None:
    assert correction_of(*bad_tiers("gold!", cell, "silver!")).values == {"Tier__c": ()}


@given(st.lists(st.from_regex("[a-z]{1,3}", fullmatch=True), min_size=1, max_size=30))
def test_the_cells_to_replace_are_all_of_a_column_or_none(cells: list[str]) -> None:
    different = tuple(sorted(set(cells)))
    assert correction_of(*bad_tiers(*cells)).values == {"Tier__c": different if len(different) <= MOST_CELLS else ()}


def test_two_causes_of_one_column_have_their_cells_together() -> None:
    too_long = "STRING_TOO_LONG:Tier: data value too large: {} (max length=2):Tier__c --"
    rows = [*bad_tiers("gold!"), (too_long.format("platinum"), {"Tier__c": "platinum"})]
    assert correction_of(*rows).values == {"Tier__c": ("gold!", "platinum")}
    assert correction_of(*rows, *bad_tiers("x" * 50)).values == {"Tier__c": ()}
