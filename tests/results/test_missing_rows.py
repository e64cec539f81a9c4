"""Rows of an upload that are in no result of its job: found where that is certain, and never a row that is in one."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.results.compared_columns import canonical_cell
from salesforce_bulk_ingest.results.missing_rows import ReturnedUpload, beyond_counters, find_missing_rows, not_kept
from salesforce_bulk_ingest.salesforce.models import ResultKind
from tests.cache.making import archived, content_of
from tests.results.making import result_file

Row = tuple[str, str]
COLUMNS: dict[ResultKind, str] = {
    "successfulResults": "sf__Id,sf__Created,A,B",
    "failedResults": "sf__Id,sf__Error,B,A",
    "unprocessedrecords": "A,B",
}
cells = st.sampled_from(["a", "b", "1", "1.0", "x y", "#N/A", "true", "Ä"])


def as_given_back(kind: ResultKind, row: Row) -> tuple[str, ...]:
    """A row as a result has it: numbers written anew, and in another order of columns among the failed ones."""
    first, second = map(canonical_cell, row)
    if kind == "failedResults":
        return ("", "X:y:--", second, first)
    return row if kind == "unprocessedrecords" else ("001", "true", first, second)


def missing(folder: Path, rows: list[Row], heaps: dict[ResultKind, list[Row]]) -> tuple[list[Row], int]:
    """The rows that are found to be missing, and how many are said to be uncertain."""
    source = "A,B\n" + "".join(f"{first},{second}\n" for first, second in rows)
    upload = archived(folder, content_of(source.encode()))
    results = tuple(
        result_file(folder, COLUMNS[kind], [as_given_back(kind, row) for row in heap], kind)
        for kind, heap in heaps.items()
        if heap
    )
    numbers, notes = find_missing_rows(ReturnedUpload("750", upload, results, None), folder)
    return [rows[number] for number in numbers], sum(note.count for note in notes)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=12), st.data())
def test_no_row_of_a_result_is_found_to_be_missing_and_none_is_forgotten(rows: list[Row], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.sampled_from([*COLUMNS, None]), min_size=len(rows), max_size=len(rows)))
    heaps: dict[ResultKind, list[Row]] = {
        kind: [row for row, place in zip(rows, places, strict=True) if place == kind] for kind in COLUMNS
    }
    truly = Counter(row for row, place in zip(rows, places, strict=True) if place is None)
    with tempfile.TemporaryDirectory() as folder:
        found, uncertain = missing(Path(folder), rows, heaps)
    assert Counter(found) <= truly
    assert len(found) + uncertain == truly.total()


def test_rows_in_no_result_are_found_in_the_order_of_the_upload(tmp_path: Path) -> None:
    rows = [(f"Row {number}", "x") for number in range(300)]
    heaps: dict[ResultKind, list[Row]] = {
        "successfulResults": rows[10:100],
        "failedResults": rows[150:160],
        "unprocessedrecords": rows[290:],
    }
    assert missing(tmp_path, rows, heaps) == ([*rows[:10], *rows[100:150], *rows[160:290]], 0)


def test_where_no_result_has_rows_all_are_missing(tmp_path: Path) -> None:
    rows = [("a", "b"), ("a", "b"), ("c", "d")]
    assert missing(tmp_path, rows, {}) == (rows, 0)


def test_rows_that_are_like_none_that_was_sent_leave_it_open_which_are_missing(tmp_path: Path) -> None:
    assert missing(tmp_path, [("a", "b"), ("c", "d")], {"successfulResults": [("other", "row")]}) == ([], 1)


def test_a_result_that_has_a_row_twice_leaves_it_open_which_are_missing(tmp_path: Path) -> None:
    rows = [("a", "b"), ("c", "d"), ("e", "f")]
    assert missing(tmp_path, rows, {"successfulResults": [("a", "b"), ("a", "b")]}) == ([], 1)


def test_findings_say_why_rows_do_not_go() -> None:
    assert "a row that is in no result may be in the org" in beyond_counters("750", 3).what
    assert "what was sent is not kept here" in not_kept("750").what
