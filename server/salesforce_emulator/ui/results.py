"""Reads the rows of a job from its files one page at a time, starting anywhere in files of any size."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from salesforce_emulator.errors import not_found
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.results import ResultKind, ResultRange, result_of
from salesforce_emulator.processing.csv_reader import DELIMITERS

PAGE_ROWS = 25
ERROR_ROWS = 500  # failed rows whose errors are grouped
MAX_PAGE_BYTES = 1_000_000  # read for one page


@dataclass(frozen=True, slots=True)
class RowPosition:
    """The position of a row in its file; `50-48213` in a URL.

    Attributes:
        before: number of rows before this row.
        offset: byte at which the row begins.
    """

    before: int
    offset: int

    def __str__(self) -> str:
        return f"{self.before}-{self.offset}"


def position_of(text: str) -> RowPosition:
    """Return the position that a URL names.

    Raises:
        ApiError: the text is not a position (404).
    """
    match = re.fullmatch(r"([0-9]{1,12})-([0-9]{1,12})", text)
    if match is None:
        raise not_found()
    return RowPosition(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row: its position and its cells."""

    position: RowPosition
    cells: list[str]

    @property
    def number(self) -> int:
        """The number of the row, counted from 1."""
        return self.position.before + 1


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of rows of one kind.

    Attributes:
        columns: column names in the header.
        rows: the rows; fewer than requested if they are long.
        next: position of the next page, if there is one.
        unreadable: whether the rest of the file can't be read as CSV.
    """

    columns: list[str]
    rows: list[ResultRow]
    next: RowPosition | None
    unreadable: bool


EMPTY = ResultPage([], [], None, False)


def rows_of(
    job: Job, files: JobFiles, kind: ResultKind, start: RowPosition | None, size: int = PAGE_ROWS
) -> ResultPage:
    """Return a page of rows from a position on; no rows if the job has just been deleted."""
    with suppress(FileNotFoundError):
        result = result_of(job, files, kind)
        if result.end:
            return _read(job, result, start, size)
    return EMPTY


def _read(job: Job, result: ResultRange, start: RowPosition | None, size: int) -> ResultPage:
    with result.path.open("rb") as file:
        columns: list[str] = []
        rows: list[ResultRow] = []
        try:
            columns, first = _header(job, file)
            begin = start or RowPosition(0, max(result.start, first))
            for row, after in _rows(job, file, begin, result.end):
                rows.append(row)
                if len(rows) == size or after.offset - begin.offset > MAX_PAGE_BYTES:
                    return ResultPage(columns, rows, after if after.offset < result.end else None, False)
        except csv.Error:
            return ResultPage(columns, rows, None, True)
    return ResultPage(columns, rows, None, False)


def _header(job: Job, file: BinaryIO) -> tuple[list[str], int]:
    """Return the column names, and the byte at which the first row begins."""
    for row, after in _rows(job, file, RowPosition(0, 0), MAX_PAGE_BYTES):
        return row.cells, after.offset
    return [], 0


def _rows(job: Job, file: BinaryIO, start: RowPosition, end: int) -> Iterator[tuple[ResultRow, RowPosition]]:
    """Yield the rows from a position on, each with the position of the next; malformed CSV is read as far as possible.

    Raises:
        csv.Error: a cell is longer than the csv module allows, for example because its quote never ends.
    """

    def lines() -> Iterator[str]:
        while file.tell() < end and (line := file.readline(MAX_PAGE_BYTES)):
            yield line.decode("utf-8", "replace")

    file.seek(start.offset)
    for cells in csv.reader(lines(), delimiter=DELIMITERS[job.column_delimiter]):
        if cells:  # a blank line is no record
            after = RowPosition(start.before + 1, file.tell())
            yield ResultRow(start, cells), after
            start = after


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failed rows with the same status code.

    Attributes:
        code: status code, such as REQUIRED_FIELD_MISSING.
        example: sf__Error of the first of these rows.
        rows: number of these rows.
    """

    code: str
    example: str
    rows: int


@dataclass(frozen=True, slots=True)
class ErrorGroups:
    """The error groups of the first failed rows of a job.

    Attributes:
        groups: error groups, the largest first.
        rows: number of rows that were read.
    """

    groups: list[ErrorGroup]
    rows: int


def error_groups_of(job: Job, files: JobFiles) -> ErrorGroups:
    """Group the errors of the first ERROR_ROWS failed rows; an sf__Error has the form `CODE:message:fields --`."""
    page = rows_of(job, files, ResultKind.FAILED, None, ERROR_ROWS)
    named = [dict(zip(page.columns, row.cells, strict=False)) for row in page.rows]
    errors = [cells["sf__Error"] for cells in named if "sf__Error" in cells]
    examples: dict[str, str] = {}
    for error in errors:
        examples.setdefault(error.partition(":")[0], error)
    counts = Counter(error.partition(":")[0] for error in errors)
    groups = [ErrorGroup(code, examples[code], count) for code, count in counts.most_common()]
    return ErrorGroups(groups, len(errors))
