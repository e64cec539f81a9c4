"""The rows of a job as its files hold them, a page at a time, from any place in files of any size."""

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
CAUSE_ROWS = 500  # failed rows whose causes are counted
MOST_BYTES = 1_000_000  # that are read for one page


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row begins: how many are before it, and at which byte; in an address it is `50-48213`."""

    before: int
    offset: int

    def __str__(self) -> str:
        return f"{self.before}-{self.offset}"


def place_of(text: str) -> Place:
    """The place that an address names.

    Raises:
        ApiError: it names none (404).
    """
    match = re.fullmatch(r"([0-9]{1,12})-([0-9]{1,12})", text)
    if match is None:
        raise not_found()
    return Place(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row: its number, counted from 1, where it begins, and its cells."""

    place: Place
    cells: list[str]

    @property
    def number(self) -> int:
        """Counted from 1."""
        return self.place.before + 1


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Some rows of one kind.

    Attributes:
        columns: the names in the header.
        rows: at most as many as asked for, and fewer where they are long.
        next: where the next page begins, if there is one.
        unreadable: what follows can't be read as CSV.
    """

    columns: list[str]
    rows: list[ResultRow]
    next: Place | None
    unreadable: bool


EMPTY = ResultPage([], [], None, False)


def rows_of(job: Job, files: JobFiles, kind: ResultKind, place: Place | None, size: int = PAGE_ROWS) -> ResultPage:
    """A page of rows; none if the job has just been deleted."""
    with suppress(FileNotFoundError):
        result = result_of(job, files, kind)
        if result.end:
            return _read(job, result, place, size)
    return EMPTY


def _read(job: Job, result: ResultRange, place: Place | None, size: int) -> ResultPage:
    with result.path.open("rb") as file:
        columns: list[str] = []
        rows: list[ResultRow] = []
        try:
            columns, first = _header(job, file)
            start = place or Place(0, max(result.start, first))
            for row, after in _rows(job, file, start, result.end):
                rows.append(row)
                if len(rows) == size or after.offset - start.offset > MOST_BYTES:
                    return ResultPage(columns, rows, after if after.offset < result.end else None, False)
        except csv.Error:
            return ResultPage(columns, rows, None, True)
    return ResultPage(columns, rows, None, False)


def _header(job: Job, file: BinaryIO) -> tuple[list[str], int]:
    """The names, and where the rows begin."""
    for row, after in _rows(job, file, Place(0, 0), MOST_BYTES):
        return row.cells, after.offset
    return [], 0


def _rows(job: Job, file: BinaryIO, place: Place, end: int) -> Iterator[tuple[ResultRow, Place]]:
    """The rows from a place on, each with the place after it; read leniently, for what is wrong is to be seen.

    Raises:
        csv.Error: a value is longer than any can be, as when a quote never ends.
    """

    def lines() -> Iterator[str]:
        while file.tell() < end and (line := file.readline(MOST_BYTES)):
            yield line.decode("utf-8", "replace")

    file.seek(place.offset)
    for cells in csv.reader(lines(), delimiter=DELIMITERS[job.column_delimiter]):
        if cells:  # a blank line is no record
            after = Place(place.before + 1, file.tell())
            yield ResultRow(place, cells), after
            place = after


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows failed: the status code, one message as an example, and how often it came up."""

    code: str
    example: str
    rows: int


@dataclass(frozen=True, slots=True)
class Causes:
    """The causes of the first failed rows, most frequent first, and how many rows were looked at."""

    causes: list[Cause]
    rows: int


def causes_of(job: Job, files: JobFiles) -> Causes:
    """Why the first rows failed; the form of an sf__Error is `CODE:message:fields --`."""
    page = rows_of(job, files, ResultKind.FAILED, None, CAUSE_ROWS)
    named = [dict(zip(page.columns, row.cells, strict=False)) for row in page.rows]
    errors = [cells["sf__Error"] for cells in named if "sf__Error" in cells]
    examples: dict[str, str] = {}
    for error in errors:
        examples.setdefault(error.partition(":")[0], error)
    counts = Counter(error.partition(":")[0] for error in errors)
    return Causes([Cause(code, examples[code], count) for code, count in counts.most_common()], len(errors))
