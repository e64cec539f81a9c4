"""A result CSV is parsed into the columns of the outcome and those of the upload."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.salesforce.models import ResultKind
from tests.loading.making import file_of


def opened(folder: Path, content: bytes, kind: ResultKind = "failedResults") -> ResultFile:
    return ResultFile.open(file_of(folder, content), Dialect(), kind, "abc")


@pytest.mark.parametrize(
    ("header", "kind", "outcome_count"),
    [
        (b"sf__Id,sf__Error,Name", "failedResults", 2),
        (b"sf__Error,Name", "failedResults", 1),
        (b"sf__Id,sf__Created,Name", "successfulResults", 2),
        (b"sf__Id,Name,sf__Error", "failedResults", 1),
        (b"sf__Id,Name", "unprocessedrecords", 0),
        (b"sf__Id,sf__Error", "failedResults", 2),
    ],
)
def test_the_outcome_columns_are_the_first_ones(
    header: bytes, kind: ResultKind, outcome_count: int, tmp_path: Path
) -> None:
    result = opened(tmp_path, header + b"\n", kind)
    assert result.outcome_count == outcome_count
    assert result.upload_names == tuple(header.decode().split(",")[outcome_count:])


def test_an_outcome_column_that_is_missing_has_empty_cells(tmp_path: Path) -> None:
    result = opened(tmp_path, b'sf__Error,sf__Id2\n"A:x:--",1\n"B:y:--",2\n')
    ((first_row, block),) = result.blocks()
    assert first_row == 0
    assert list(result.outcome_cells(block, "sf__Error")) == ["A:x:--", "B:y:--"]
    assert list(result.outcome_cells(block, "sf__Id")) == ["", ""]
    assert (result.outcome_index("sf__Error"), result.outcome_index("sf__Id2")) == (0, None)


def test_rows_are_found_by_number_across_blocks(tmp_path: Path) -> None:
    count = 3 * BLOCK_BYTES // 50
    result = opened(tmp_path, b"sf__Id,Name\n" + b"".join(b",%048d\n" % number for number in range(count)))
    first_rows = [first_row for first_row, _ in result.blocks()]
    assert len(first_rows) > 2
    numbers = sorted({0, 1, count // 2, count - 1, *first_rows, *(first_row - 1 for first_row in first_rows[1:])})
    assert [int(row[1]) for row in result.rows(numbers)] == numbers
    assert list(result.rows([])) == []
