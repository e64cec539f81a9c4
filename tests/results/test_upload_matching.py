"""The rows of a result file are matched with those of an archived upload, by the key of the operation."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.upload_matching import key_field, matched_rows
from tests.cache.making import archived, content_of
from tests.results.making import result_file

A, B = "001000000000001AAA", "001000000000002AAA"


def matches(
    folder: Path, source: bytes, result: ResultFile, key: str | None = None
) -> Sequence[tuple[int, int | None]]:
    """Each matched row of the result with its line."""
    with matched_rows(result, archived(folder, content_of(source)), key, folder, lambda: None) as matcher:
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
