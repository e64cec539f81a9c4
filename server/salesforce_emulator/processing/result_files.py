"""The result files of a job, as they are written: one CSV for the rows that were saved, one for those that failed."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.results import Kind
from salesforce_emulator.processing.csv_reader import DELIMITERS, LINE_ENDINGS, Record
from salesforce_emulator.processing.rows import Row

FAILED_IDS_FROM = 53.0  # Bulk API 2.0 guide, Get Job Failed Record Results


def header_line(job: Job, kind: Kind, header: Record) -> bytes:
    """The header of a result: `sf__` names quoted, the user's own names bare unless that would break the CSV."""
    mark = DELIMITERS[job.column_delimiter]
    needs_quotes = re.compile(rf'["\r\n{re.escape(mark)}]')
    names = [f'"{name}"' for name in _own_columns(job, kind)]
    names += [f'"{_doubled(name)}"' if needs_quotes.search(name) else name for name in header]
    return (mark.join(names) + LINE_ENDINGS[job.line_ending]).encode()


def _doubled(text: str) -> str:
    return text.replace('"', '""')


@contextmanager
def opened(files: JobFiles, job: Job) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The files of successful and failed rows, cut to what is valid of them, to be appended to."""
    with ExitStack() as stack:

        def cut(path: Path, size: int) -> BinaryIO:
            file = stack.enter_context(path.open("r+b"))
            file.truncate(size)
            file.seek(size)
            return file

        yield cut(files.successful(job.id), job.successful_bytes), cut(files.failed(job.id), job.failed_bytes)


def append(file: BinaryIO, job: Job, rows: Sequence[Row], cells: Iterable[tuple[str, ...]]) -> int:
    """Write rows to a result file, every value quoted (Bulk API 2.0 guide, quick start, step 3).

    Returns:
        The length of the file in bytes.
    """
    text = io.StringIO(newline="")
    mark, end = DELIMITERS[job.column_delimiter], LINE_ENDINGS[job.line_ending]
    writer = csv.writer(text, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([(*_own_cells(job, row), *own) for row, own in zip(rows, cells, strict=True)])
    file.write(text.getvalue().encode())
    file.flush()
    return file.tell()


def _own_columns(job: Job, kind: Kind) -> list[str]:
    if kind is Kind.SUCCESSFUL:
        return ["sf__Id", "sf__Created"]
    return ["sf__Id", "sf__Error"] if _names_failed_records(job) else ["sf__Error"]


def _own_cells(job: Job, row: Row) -> tuple[str, ...]:
    if row.error is None:
        return row.id, "true" if row.created else "false"
    return (row.id, str(row.error)) if _names_failed_records(job) else (str(row.error),)


def _names_failed_records(job: Job) -> bool:
    return float(job.api_version) >= FAILED_IDS_FROM
