"""A result in source order has each row with its line and all columns of the source."""

from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.file_cache import CachedFile
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.source_order import (
    SourceOrderedResult,
    key_field,
    rows_matched_with,
    write_source_order,
)
from tests.cache.making import FAILED, archived, content_of, files_in, job_files
from tests.results.making import csv_rows, result_file, source_ordered

SOURCE = b"Kunde;intern\nA;1\nB;2\nC;3\nB;4\n"
MAPPING = ColumnMapping(columns={"Kunde": "Name", "intern": None})


def test_matched_rows_come_in_the_order_of_the_source_with_its_line_and_columns(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE, MAPPING))
    result = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "X:c:--", "C"], ["", "X:a:--", "A"]])
    ordered = source_ordered(tmp_path, result, upload)
    assert csv_rows(ordered.path, ";") == [
        ["sf__Line", "sf__Id", "sf__Error", "Kunde", "intern"],
        ["2", "", "X:a:--", "A", "1"],
        ["4", "", "X:c:--", "C", "3"],
    ]
    assert (list(ordered.matched), ordered.made_from) == ([1, 0], ("abc", upload.origin.sha256))
    assert [ordered.line_of(row) for row in (0, 1, 2)] == [4, 2, None]


def test_a_row_that_may_be_of_several_lines_has_no_line(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE, MAPPING))
    result = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "X:b:--", "B"]])
    ordered = source_ordered(tmp_path, result, upload)
    assert [row[0] for row in csv_rows(ordered.path, ";")[1:]] == [""]
    assert (list(ordered.matched), ordered.line_of(0)) == ([0], None)


def test_rows_that_are_not_matched_come_last_with_the_cells_that_salesforce_gave_back(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(b"Name,Site\nA,1\nB,x\nB,y\n"))
    rows = [["", "X:?:--", "unknown", "9"], ["", "X:b:--", "B", ""], ["", "X:a:--", "A", "1"]]
    ordered = source_ordered(tmp_path, result_file(tmp_path, "sf__Id,sf__Error,Name,Site", rows), upload)
    assert csv_rows(ordered.path)[1:] == [["2", *rows[2]], ["", *rows[0]], ["", *rows[1]]]
    assert (list(ordered.matched), list(ordered.unmatched), list(ordered.ambiguous)) == ([2], [0, 1], [])
    assert [ordered.line_of(row) for row in range(3)] == [None, None, 2]


def test_work_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE, MAPPING))
    result = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "X:a:--", "A"]])

    def cancelled() -> None:
        raise TimeoutError

    before = files_in(tmp_path)
    with pytest.raises(TimeoutError), job_files(tmp_path).files.new_file(FAILED.source_order_name) as file:
        write_source_order(result, upload, None, file, cancelled)
    assert files_in(tmp_path) == before


A, B = "001000000000001AAA", "001000000000002AAA"


def matches(
    folder: Path, source: bytes, result: ResultFile, key: str | None = None
) -> Sequence[tuple[int, int | None]]:
    """Each matched row of the result with its line."""
    upload = archived(folder, content_of(source))
    with rows_matched_with([result], upload, key, folder, lambda: None, with_source=True) as matcher:
        return sorted((match.result_row, match.line) for match in matcher.matched())


@pytest.mark.parametrize(
    ("operation", "key"), [("insert", None), ("update", "Id"), ("delete", "Id"), ("upsert", "Key__c"), (None, "Id")]
)
def test_an_operation_identifies_rows_by_its_key(operation: str | None, key: str | None) -> None:
    assert key_field(operation, "Key__c") == key


def test_rows_are_matched_by_their_cells_in_any_order_of_rows_and_columns(tmp_path: Path) -> None:
    rows = [["", "X:x:--", "2", "B"], ["", "X:x:--", "1.0", "A"]]
    result = result_file(tmp_path, "sf__Id,sf__Error,Number__c,Name", rows)
    assert matches(tmp_path, b"Name,Number__c\nA,1\nB,2\n", result) == [(0, 3), (1, 2)]


def test_a_column_that_comes_back_blank_does_not_matter(tmp_path: Path) -> None:
    rows = [["", "X:x:--", "B", ""], ["", "X:x:--", "A", ""]]
    result = result_file(tmp_path, "sf__Id,sf__Error,Name,tier__c", rows)
    assert matches(tmp_path, b"Name,tier__c\nA,x\nB,y\n", result) == [(0, 3), (1, 2)]


def test_an_id_that_comes_back_beside_the_row_alone_is_the_key(tmp_path: Path) -> None:
    rows = [[B, "X:x:--", "", ""], [A, "X:x:--", "", ""]]
    result = result_file(tmp_path, "sf__Id,sf__Error,id,tier__c", rows)
    assert matches(tmp_path, f"id,tier__c\n{A},x\n{B},y\n".encode(), result, "Id") == [(0, 3), (1, 2)]


def test_a_result_without_outcome_columns_is_matched_too(tmp_path: Path) -> None:
    result = result_file(tmp_path, "Name", [["B"], ["A"]], "unprocessedrecords")
    assert matches(tmp_path, b"Name\nA\nB\n", result) == [(0, 3), (1, 2)]


def test_a_source_whose_names_repeat_and_of_which_a_column_fills_two_fields_is_told_by_all_its_cells(
    tmp_path: Path,
) -> None:
    source = b"Name,Phone,Phone\nA,1,9\nA,2,9\nA,9,9\n"
    result = result_file(tmp_path, "Name,Phone,Phone", [["A", "2", "9"], ["A", "1", "9"]], "unprocessedrecords")
    assert matches(tmp_path / "unprocessed", source, result) == [(0, 3), (1, 2)]
    mapping = ColumnMapping(columns={"Name": ["Name", "Site"], "#2": None})
    upload = archived(tmp_path / "failed", content_of(source, mapping))
    rows = [["", "X:a:--", "A", "A", "9"], ["", "X:b:--", "B", "B", "8"]]
    ordered = source_ordered(tmp_path, result_file(tmp_path, "sf__Id,sf__Error,Name,Site,Phone", rows), upload)
    assert csv_rows(ordered.path) == [
        ["sf__Line", "sf__Id", "sf__Error", "Name", "Phone", "Phone"],
        ["", "", "X:a:--", "A", "1", "9"],
        ["", "", "X:b:--", "B", "", "8"],
    ]


PATH = Path("750A-failed-rows.csv")
RESULT = SourceOrderedResult(
    made_from=("abc", "def"),
    path=PATH,
    matched=array("Q", [3, 1, 2]),
    unsure_outcomes=array("Q", [1, 2]),
    unmatched=array("Q", [0]),
    ambiguous=array("Q", [4, 5]),
    lines=array("Q", [0, 0, 0, 2]),
    ambiguous_lines=(7, 8),
)
STORED = (
    b'{"of":["abc","def"],"tied":3,"mixed":2,"untied":1,"ambiguous":2,"unsure_lines":[7,8]}\n'
    + array("Q", [3, 1, 2, 1, 2, 0, 4, 5, 0, 0, 0, 2]).tobytes()
)
WITHOUT_LINES = (
    b'{"of":["abc","def"],"tied":3,"mixed":2,"untied":1,"unsure_lines":[7,8]}\n'
    + array("Q", [3, 1, 2, 1, 2, 0, 4, 5]).tobytes()
)
"""What an earlier version stored: the result is put in order anew."""


def test_what_is_stored_is_read_and_stored_the_same_way() -> None:
    assert SourceOrderedResult.read(CachedFile(PATH, STORED)) == RESULT
    assert RESULT.label() == STORED
    assert [RESULT.line_of(row) for row in (0, 3, 4)] == [None, 2, None]


@pytest.mark.parametrize("label", [b"", b"{}\n", b"\xff", STORED + b"x", WITHOUT_LINES])
def test_what_is_no_label_is_refused(label: bytes) -> None:
    with pytest.raises(ValueError):
        SourceOrderedResult.read(CachedFile(PATH, label))
