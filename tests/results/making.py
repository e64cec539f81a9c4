"""Results for tests: texts that are awkward in CSV, sizes of small pages, and result files."""

import csv
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.results.page_size import PageSize
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, write_source_order
from salesforce_bulk_ingest.salesforce.models import ResultKind
from tests.cache.making import FAILED, job_files

small = st.text(st.sampled_from('ab,"\r\n\u2028é😀'), max_size=8)
rows_of_two = st.lists(st.tuples(small, small), max_size=30)
page_sizes = st.builds(
    PageSize,
    rows=st.integers(1, 7),
    half_chars=st.integers(60, 200),
    wire_bytes=st.integers(450, 900),
    header_chars=st.just(100),
    name_chars=st.just(100),
)


def result_file(
    folder: Path, header: str, rows: Sequence[Sequence[str]], kind: ResultKind = "failedResults"
) -> ResultFile:
    """A result with these columns and rows."""
    path = folder / f"{kind}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header.split(","), *rows])
    return ResultFile.open(path, Dialect(), kind, "abc")


def source_ordered(
    folder: Path, result: ResultFile, upload: ArchivedUpload, key: str | None = None
) -> SourceOrderedResult:
    """The result in source order."""
    with job_files(folder).files.new_file(FAILED.source_order_name) as file:
        return write_source_order(result, upload, key, file)


def csv_rows(path: Path, delimiter: str = ",") -> list[list[str]]:
    """The rows of a file, the header among them."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=delimiter))
