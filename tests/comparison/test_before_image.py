"""Before-images: their cells load what records held, and an undo leaves out what somebody changed since."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.comparison.before_image import (
    JobChanges,
    NoImage,
    RowsWritten,
    UndoRows,
    WrittenFields,
    cell_of,
    image_rows,
    rows_together,
    undo_in_turn,
    undo_rows,
)
from salesforce_bulk_ingest.comparison.record_reader import RecordsFound
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.destination import LoadTarget
from tests.comparison.describing import DESCRIBE, PARENT, field

ID = "001000000000001AAA"
MORE = (
    field("Size__c", "double", scale=2),
    field("Tags__c", "multipicklist"),
    field("Mail__c", "email"),
    field("Vip__c", "boolean"),
)
UPDATEABLE = DESCRIBE.model_copy(
    update={
        "fields": tuple(
            each.model_copy(update={"updateable": each.name not in ("Id", "City__c")})
            for each in (*DESCRIBE.fields, *MORE)
        )
    }
)


def written(header: list[str], describe: SObjectDescribe = UPDATEABLE) -> WrittenFields:
    return WrittenFields.of(header, LoadTarget.of(describe, "upsert", "Ext__c"), {"Region__c": PARENT})


def undo(
    header: list[str],
    rows: list[list[str]],
    before: dict[str, Any],
    now: dict[str, Any] | None,
    updated: frozenset[str] = frozenset({ID[:15]}),
) -> UndoRows:
    """What an upsert of rows, which found one record as it was before, would undo in it as it is now."""
    fields = written(header)
    wrote = RowsWritten(fields)
    wrote.add([list(column) for column in zip(*rows, strict=True)])
    image = list(image_rows(fields, RecordsFound({"e-1": [{"Id": ID, "Ext__c": "E-1", **before}]})))
    found = RecordsFound({ID[:15]: [{"Id": ID, "Ext__c": "E-1", **now}]} if now is not None else {})
    return undo_rows(JobChanges("JOB", wrote, image, updated), found)


def test_what_the_rows_wrote_gets_back_what_it_held() -> None:
    before = {"Name": "One", "Phone": None}
    found = undo(["Ext__c", "Name", "Phone"], [["E-1", "Uno", "1"]], before, {"Name": "Uno", "Phone": "1"})
    assert (found.rows, found.changed, found.as_before) == ([(0, (ID, "", "One", "#N/A"))], [], 0)


def test_a_cell_that_said_nothing_says_nothing_in_the_undo() -> None:
    before, now = {"Name": "One", "Phone": "1"}, {"Name": "Uno", "Phone": "another"}
    assert undo(["Ext__c", "Name", "Phone"], [["E-1", "Uno", ""]], before, now).rows == [(0, (ID, "", "One", ""))]


@pytest.mark.parametrize("now", [{"Name": "Someone's"}, None, {"Name": "Uno", "Ext__c": "E-2"}])
def test_a_record_that_was_changed_or_deleted_since_is_left_out(now: dict[str, Any] | None) -> None:
    found = undo(["Ext__c", "Name"], [["E-1", "Uno"]], {"Name": "One"}, now)
    assert (found.rows, found.changed) == ([], [ID])


@pytest.mark.parametrize(
    ("column", "before", "cell", "now"),
    [
        ("Street__c", "two\r\nlines", "two\nlines", "two\nlines"),
        ("Phone", "1", "  ", None),
        ("Phone", "1", "\u00a0", "\u00a0"),
        ("Size__c", 1.25000001, "1.25", 1.25),
        ("Tags__c", "b;a", "a;b", "a;b"),
        ("Mail__c", "A@b.example", "a@b.example", "a@b.example"),
    ],
)
def test_what_the_rows_changed_in_its_spelling_alone_gets_that_back(
    column: str, before: Any, cell: str, now: Any
) -> None:
    found = undo(["Ext__c", column], [["E-1", cell]], {column: before}, {column: now})
    assert found.rows == [(0, (ID, "", cell_of(before)))]


def test_a_key_that_was_written_in_another_case_gets_its_own_back() -> None:
    found = undo(["Ext__c", "Name"], [["e-1", "Uno"]], {"Name": "One"}, {"Name": "Uno", "Ext__c": "e-1"})
    assert found.rows == [(0, (ID, "E-1", "One"))]


def test_a_record_whose_row_failed_is_none_of_the_undo() -> None:
    found = undo(["Ext__c", "Name"], [["E-1", "Uno"]], {"Name": "One"}, {"Name": "Uno"}, frozenset())
    assert (found.rows, found.changed, found.as_before, found.unknown) == ([], [], 0, [])


def test_a_record_that_came_after_the_image_is_named() -> None:
    other = "001000000000009"
    found = undo(["Ext__c", "Name"], [["E-1", "Uno"]], {"Name": "One"}, {"Name": "Uno"}, frozenset({ID[:15], other}))
    assert (len(found.rows), found.unknown) == (1, [other])


def test_a_record_that_holds_what_it_held_needs_no_row() -> None:
    found = undo(["Ext__c", "Name"], [["E-1", "Uno"]], {"Name": "One"}, {"Name": "One"})
    assert (found.rows, found.changed, found.as_before) == ([], [], 1)


def test_of_several_rows_for_a_record_any_may_have_been_the_last() -> None:
    rows = [["E-1", "Uno"], ["e-1 ", "Un"]]
    assert len(undo(["Ext__c", "Name"], rows, {"Name": "One"}, {"Name": "Un"}).rows) == 1


def test_a_lookup_that_was_written_by_a_key_gets_its_id_back() -> None:
    before, now = (
        {"Region__c": "a00000000000001AAA"},
        {"Region__c": "a00000000000002AAA", "Region__r": {"Code__c": "US"}},
    )
    header = ["Ext__c", "Region__r.Code__c"]
    assert written(header).paths == ("Ext__c", "Region__c", "Region__r.Code__c")
    assert undo(header, [["E-1", "US"]], before, now).rows == [(0, (ID, "", "a00000000000001AAA"))]


Upsert = tuple[list[str], list[str], dict[str, Any]]
"""The header and the row of an upsert, and the record before it."""


def in_turn(now: dict[str, Any], *jobs: Upsert, is_order_known: bool = True) -> list[UndoRows]:
    """What undoes jobs, the newest first."""
    changes = list[JobChanges]()
    for header, row, before in jobs:
        fields = written(header)
        wrote = RowsWritten(fields)
        wrote.add([[cell] for cell in row])
        image = list(image_rows(fields, RecordsFound({"e-1": [{"Id": ID, "Ext__c": "E-1", **before}]})))
        changes.append(JobChanges(f"JOB {len(changes)}", wrote, image, {ID[:15]}))
    in_order = [[each] for each in changes] if is_order_known else [changes]
    return undo_in_turn(in_order, RecordsFound({ID[:15]: [{"Id": ID, "Ext__c": "E-1", **now}]}))


def test_of_two_jobs_each_is_undone_as_if_the_newer_one_were() -> None:
    name, phone = ["Ext__c", "Name"], ["Ext__c", "Phone"]
    newer, older = (name, ["E-1", "Zwei"], {"Name": "Uno"}), (name, ["E-1", "Uno"], {"Name": "One"})
    [of_newer, of_older] = in_turn({"Name": "Zwei"}, newer, older)
    assert (of_newer.rows, of_older.rows) == ([(0, (ID, "", "Uno"))], [(0, (ID, "", "One"))])
    [of_newer, of_older] = in_turn({"Name": "Someone's"}, newer, older)
    assert (of_newer.changed, of_older.changed) == ([ID], [ID])
    between = (name, ["E-1", "Zwei"], {"Name": "Someone's"})
    [of_newer, of_older] = in_turn({"Name": "Zwei"}, between, older)
    assert (of_newer.rows, of_older.changed) == ([(0, (ID, "", "Someone's"))], [ID])
    other = (phone, ["E-1", "1"], {"Phone": None})
    [of_newer, of_older] = in_turn({"Name": "Zwei", "Phone": "1"}, newer, other)
    assert (of_newer.rows, of_older.rows) == ([(0, (ID, "", "Uno"))], [(0, (ID, "", "#N/A"))])


def test_a_record_whose_jobs_may_have_come_in_another_order_is_left_out() -> None:
    to_y, back_to_x = (
        (["Ext__c", "Name"], ["E-1", "y"], {"Name": "x"}),
        (["Ext__c", "Name"], ["E-1", "x"], {"Name": "y"}),
    )
    undone = in_turn({"Name": "x"}, to_y, back_to_x, is_order_known=False)
    assert [(each.rows, each.changed, each.doubtful) for each in undone] == [([], [], [ID]), ([], [], [ID])]
    assert rows_together(in_turn({"Name": "x"}, back_to_x, to_y, is_order_known=False))[1][0] == [(0, [ID, "x"])]


def test_a_record_of_three_jobs_of_an_unknown_order_is_left_out() -> None:
    # They may have come as C, A, B: the images of A and B are of the time after C, and before A.
    to_0 = (["Ext__c", "Name"], ["E-1", "0"], {"Name": "1"})
    to_1 = (["Ext__c", "Name"], ["E-1", "1"], {"Name": "0"})
    undone = in_turn({"Name": "0"}, to_0, to_1, to_0, is_order_known=False)
    assert [(each.rows, each.doubtful) for each in undone] == [([], [ID])] * 3


def test_a_record_that_several_jobs_wrote_in_fields_of_their_own_is_undone_in_any_order() -> None:
    name, phone = (
        (["Ext__c", "Name"], ["E-1", "Uno"], {"Name": "One"}),
        (["Ext__c", "Phone"], ["E-1", "1"], {"Phone": ""}),
    )
    undone = in_turn({"Name": "Someone's", "Phone": "1"}, name, phone, is_order_known=False)
    assert [(each.rows, each.changed) for each in undone] == [([], [ID]), ([(0, (ID, "", "#N/A"))], [])]


@given(st.lists(st.sampled_from("xyz"), min_size=2, max_size=5), st.data())
def test_in_whichever_order_jobs_are_taken_a_record_gets_what_it_held_before_all_of_them_or_is_left_out(
    names: list[str], data: st.DataObject
) -> None:
    upserts: list[Upsert] = [(["Ext__c", "Name"], ["E-1", name], {"Name": was}) for was, name in pairwise(names)]
    undone = in_turn({"Name": names[-1]}, *data.draw(st.permutations(upserts)), is_order_known=False)
    rows = [row for of_job in rows_together(undone)[1] for _, row in of_job]
    assert rows in ([[ID, names[0]]], []) and (rows or names[-1] == names[0] or all(each.doubtful for each in undone))


@pytest.mark.parametrize(
    ("column", "before", "first", "between", "second", "now"),
    [
        ("Vip__c", True, "false", False, "true", True),
        ("Size__c", 1.5, "2", 2.0, "3", 3),
        ("Tags__c", "b;a", "c;d", "d;c", "#N/A", None),
        ("Region__c", "a00000000000001AAA", "a00000000000002", "a00000000000002AAA", "#N/A", None),
    ],
)
def test_what_the_undo_of_a_newer_job_gives_is_what_the_older_one_wrote(
    column: str, before: Any, first: str, between: Any, second: str, now: Any
) -> None:
    header = ["Ext__c", column]
    newer, older = (header, ["E-1", second], {column: between}), (header, ["E-1", first], {column: before})
    undone = in_turn({column: now}, newer, older)
    assert [each.rows for each in undone] == [[(0, (ID, "", cell_of(value)))] for value in (between, before)]


def test_a_record_of_several_jobs_gets_back_what_it_held_before_the_oldest_in_one_row() -> None:
    newer = (["Ext__c", "Name", "Phone"], ["E-1", "Zwei", "2"], {"Name": "Uno", "Phone": "1"})
    older = (["Ext__c", "Name", "Tags__c"], ["E-1", "Uno", "a"], {"Name": "One", "Tags__c": None})
    undone = in_turn({"Name": "Zwei", "Phone": "2", "Tags__c": "a"}, newer, older)
    names, rows = rows_together(undone)
    assert (names, rows) == (("Id", "Name", "Phone", "Tags__c"), [[(0, [ID, "One", "1", "#N/A"])], []])


def test_a_lookup_by_a_key_that_a_newer_job_wrote_too_is_undone_by_itself() -> None:
    by_key = (["Ext__c", "Region__r.Code__c"], ["E-1", "US"], {"Region__c": "a00000000000001AAA"})
    by_id = (["Ext__c", "Region__c"], ["E-1", "a00000000000003"], {"Region__c": "a00000000000002AAA"})
    with pytest.raises(InvalidArgument, match="undo the newer jobs first, then job JOB 1 by a call of its own"):
        in_turn({"Region__c": "a00000000000003AAA"}, by_id, by_key)


def test_a_key_that_several_records_have_is_not_in_the_image() -> None:
    two = RecordsFound({"e-1": [{"Id": ID, "Name": "One"}, {"Id": ID, "Name": "Two"}]})
    assert list(image_rows(written(["Ext__c", "Name"]), two)) == []


def test_a_field_that_can_only_be_created_is_not_in_the_image() -> None:
    assert written(["Ext__c", "Name", "City__c"]).names == ("Ext__c", "Name")


@pytest.mark.parametrize("column", ["Secret__c", "Nothing__c", "Owner.Name"])
def test_what_no_query_tells_has_no_image(column: str) -> None:
    with pytest.raises(NoImage, match=column):
        written(["Ext__c", column])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "#N/A"),
        ("", "#N/A"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (1.5, "1.5"),
        (1e16, "10000000000000000"),
    ],
)
def test_a_value_is_a_cell_that_an_upload_takes(value: Any, cell: str) -> None:
    assert cell_of(value) == cell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_a_cell_without_an_exponent_that_is_the_same_number(value: float) -> None:
    assert "e" not in cell_of(value).lower() and float(Decimal(cell_of(value))) == value
