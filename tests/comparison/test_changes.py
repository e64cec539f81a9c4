"""What a load would change, cell by cell."""

from typing import Any

from salesforce_bulk_ingest.comparison.changes import Fate, examples_of, side_by_side
from tests.comparison.describing import columns, found_of, sample_of, sides

HEADER = ["Ext__c", "Name", "Phone"]
RECORDS: list[dict[str, Any]] = [
    {"Id": "001000000000001AAA", "Ext__c": "E-1", "Name": "One", "Phone": "1"},
    {"Id": "001000000000002AAA", "Ext__c": "E-2", "Name": "Two", "Phone": None},
    {"Id": "001000000000003AAA", "Ext__c": "E-3", "Name": "Three", "Phone": "3"},
    {"Id": "001000000000004AAA", "Ext__c": "E-4", "Name": "Four", "Phone": "4"},
    {"Id": "001000000000005AAA", "Ext__c": "E-4", "Name": "Four again", "Phone": "4"},
]
ROWS = [
    ["E-1", "One", ""],
    [" e-2 ", "Zwei", "2"],
    ["E-3", "Three", "#N/A"],
    ["E-4", "Vier", "4"],
    ["E-5", "Five", "5"],
    ["", "Nobody", "0"],
    ["E-9", "Not asked", "9"],
]


def test_each_row_is_equal_changed_new_or_has_no_single_record() -> None:
    found = sides(HEADER, ROWS, RECORDS, "e-5")
    assert found.fates == [
        Fate.EQUAL,
        Fate.CHANGED,
        Fate.CHANGED,
        Fate.SEVERAL_RECORDS,
        Fate.NEW,
        Fate.NO_RECORD,
        Fate.UNSEEN,
    ]
    assert found.with_record == 3


def test_the_cells_that_are_changed_filled_and_cleared_are_counted_for_each_field() -> None:
    found = sides(HEADER, ROWS, RECORDS).changes()
    assert [(each.column.name, each.changed, each.filled, each.cleared) for each in found] == [
        ("Phone", 0, 1, 1),
        ("Name", 1, 0, 0),
    ]


def test_the_first_records_that_change_are_shown_before_and_after_with_masks_for_hidden_cells() -> None:
    of_rows, found = columns(HEADER, hidden={2}), found_of(RECORDS)
    assert of_rows.key is not None
    first, second = examples_of(sides(HEADER, ROWS, RECORDS), sample_of(ROWS), of_rows.key, found, "Name")
    assert (first.key, first.name, first.cells) == ("e-2", "Two", {"Name": ("Two", "Zwei"), "Phone": ("", "2")})
    assert second.cells == {"Phone": ("3", "#N/A")}


def test_a_field_that_could_not_be_read_is_not_compared() -> None:
    of_rows, found = columns(HEADER), found_of(RECORDS)
    found.unseen.append("Phone")
    assert of_rows.key is not None
    seen = side_by_side(sample_of(ROWS), of_rows.key, of_rows.compared, found, makes_new=False)
    assert [column.name for column in seen.columns] == ["Name"]
