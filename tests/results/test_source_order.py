"""A result in source order has each row with its line and all columns of the source."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.results.source_order import write_source_order
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


def test_a_row_that_may_be_of_several_lines_has_no_line(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE, MAPPING))
    result = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "X:b:--", "B"]])
    ordered = source_ordered(tmp_path, result, upload)
    assert [row[0] for row in csv_rows(ordered.path, ";")[1:]] == [""]
    assert list(ordered.matched) == [0]


def test_rows_that_are_not_matched_come_last_with_the_cells_that_salesforce_gave_back(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(b"Name,Site\nA,1\nB,x\nB,y\n"))
    rows = [["", "X:?:--", "unknown", "9"], ["", "X:b:--", "B", ""], ["", "X:a:--", "A", "1"]]
    ordered = source_ordered(tmp_path, result_file(tmp_path, "sf__Id,sf__Error,Name,Site", rows), upload)
    assert csv_rows(ordered.path)[1:] == [["2", *rows[2]], ["", *rows[0]], ["", *rows[1]]]
    assert (list(ordered.matched), list(ordered.unmatched), list(ordered.ambiguous)) == ([2], [0, 1], [])


def test_work_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(SOURCE, MAPPING))
    result = result_file(tmp_path, "sf__Id,sf__Error,Name", [["", "X:a:--", "A"]])

    def cancelled() -> None:
        raise TimeoutError

    before = files_in(tmp_path)
    with pytest.raises(TimeoutError), job_files(tmp_path).files.new_file(FAILED.source_order_name) as file:
        write_source_order(result, upload, None, file, cancelled)
    assert files_in(tmp_path) == before
