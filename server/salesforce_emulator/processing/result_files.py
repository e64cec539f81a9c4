"""The result files of a job: a CSV file of the rows that were saved, and one of the rows that failed."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from salesforce_emulator.config import Assumptions
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.results import ResultKind
from salesforce_emulator.processing.csv_reader import DELIMITERS, LINE_ENDINGS, Record
from salesforce_emulator.processing.rows import Row

FIRST_VERSION_WITH_FAILED_IDS = 53.0
"""The first version whose failedResults are documented to have a column sf__Id (Bulk API 2.0 guide, Get Job Failed Record
Results)."""


def header_line(job: Job, kind: ResultKind, header: Record, assumptions: Assumptions) -> bytes:
    """Return the header of a result: `sf__` names in quotes, the names of the upload only where CSV needs quotes."""
    delimiter = DELIMITERS[job.column_delimiter]
    needs_quotes = re.compile(rf'["\r\n{re.escape(delimiter)}]')
    names = [f'"{name}"' for name in _sf_columns(job, kind, assumptions)]
    names += [f'"{_doubled(name)}"' if needs_quotes.search(name) else name for name in header]
    return (delimiter.join(names) + LINE_ENDINGS[job.line_ending]).encode()


def _doubled(text: str) -> str:
    return text.replace('"', '""')


@contextmanager
def open_result_files(files: JobFiles, job: Job) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open the files of successful and of failed rows for appending, cut to their valid lengths."""
    with ExitStack() as stack:

        def open_cut(path: Path, size: int) -> BinaryIO:
            file = stack.enter_context(path.open("r+b"))
            file.truncate(size)
            file.seek(size)
            return file

        yield open_cut(files.successful(job.id), job.successful_bytes), open_cut(files.failed(job.id), job.failed_bytes)


def append_rows(
    file: BinaryIO, job: Job, rows: Sequence[Row], cells: Iterable[tuple[str, ...]], assumptions: Assumptions
) -> int:
    """Append rows to a result file, with every value in quotes (Bulk API 2.0 guide, quick start, step 3).

    Args:
        file: the file.
        job: the job.
        rows: the rows.
        cells: the cells of each row under the columns of the upload.
        assumptions: the choices of the org.

    Returns:
        The new length of the file in bytes.
    """
    text = io.StringIO(newline="")
    delimiter, line_ending = DELIMITERS[job.column_delimiter], LINE_ENDINGS[job.line_ending]
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_ending, quoting=csv.QUOTE_ALL)
    has_failed_ids = _has_failed_ids(job, assumptions)
    writer.writerows(
        [(*_sf_cells(row, has_failed_ids), *row_cells) for row, row_cells in zip(rows, cells, strict=True)]
    )
    file.write(text.getvalue().encode())
    file.flush()
    return file.tell()


def _sf_columns(job: Job, kind: ResultKind, assumptions: Assumptions) -> list[str]:
    if kind is ResultKind.SUCCESSFUL:
        return ["sf__Id", "sf__Created"]
    return ["sf__Id", "sf__Error"] if _has_failed_ids(job, assumptions) else ["sf__Error"]


def _sf_cells(row: Row, has_failed_ids: bool) -> tuple[str, ...]:
    if row.error is None:
        return row.id, "true" if row.created else "false"
    return (row.id, str(row.error)) if has_failed_ids else (str(row.error),)


def _has_failed_ids(job: Job, assumptions: Assumptions) -> bool:
    return assumptions.failed_ids == "every-version" or float(job.api_version) >= FIRST_VERSION_WITH_FAILED_IDS
