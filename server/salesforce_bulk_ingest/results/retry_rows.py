"""Rows of jobs that have ended, to be sent again: as they were sent, not as Salesforce gave them back."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, Self, TypeVar

from pydantic import BaseModel, NonNegativeInt

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.results.pages import PageRequest
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.results.source_order import CREATED_COLUMN, ID_COLUMN, ResultFile, SourceOrder
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, ResultKind
from salesforce_bulk_ingest.validation.destination import Destination

Which = Literal["failed", "unprocessed", "created"]

KINDS: Mapping[Which, ResultKind] = {
    "failed": "failedResults",
    "unprocessed": "unprocessedrecords",
    "created": "successfulResults",
}

MOST_JOBS = 100
ROWS_AT_ONCE = 1_000

_TYPED_AGAIN = re.compile(r"-?\d+\.\d+(?:E-?\d+)?|\d{4}-\d\d-\d\dT.*")
"""Numbers and times as Salesforce writes them (Bulk API 2.0 guide, quick start, step 3)."""

_T = TypeVar("_T")
Row = Sequence[str]
Told = tuple[int, Row]
"""A row, after the rows of its result before it."""


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """Which rows of which jobs.

    Attributes:
        jobs: their ids.
        which: of their rows; `created` gives the ids of new records alone.
        where: which of the failed ones; the others have no error to choose by.
        again: whether rows may be among them that were sent again before.
    """

    jobs: tuple[str, ...]
    which: tuple[Which, ...]
    where: PageRequest = field(default_factory=PageRequest)
    again: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """A result of which rows are to be sent again.

    Attributes:
        job_id: of the job.
        result: all rows.
        kept: what was sent to the job, if that is here.
        source_rows: the result tied to that.
    """

    job_id: str
    result: ResultFile
    kept: ArchivedUpload | None = None
    source_rows: SourceOrder | None = None


@dataclass(frozen=True, slots=True)
class RetryOrigin:
    """Rows of one result that go out one after the other.

    Attributes:
        from_job: whose rows they are.
        result: which of its results has them.
        sha256: of that.
        numbers: for each of them, rows of the result before it.
    """

    from_job: str
    result: str
    sha256: str
    numbers: "array[int]"


class _StoredOrigin(BaseModel):
    from_job: str
    result: str
    sha256: str
    rows: NonNegativeInt


class _Label(BaseModel):
    """What is said of rows that are stored, before the numbers of them."""

    taken: tuple[_StoredOrigin, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class RetryFile:
    """Rows to be sent again, in a file.

    Attributes:
        path: of the CSV.
        taken: where they are from, in their order.
        notes: what there is to know about them.
    """

    path: Path
    taken: tuple[RetryOrigin, ...]
    notes: tuple[Finding, ...]

    def label(self) -> bytes:
        """What `read` takes."""
        stored = (
            _StoredOrigin(from_job=some.from_job, result=some.result, sha256=some.sha256, rows=len(some.numbers))
            for some in self.taken
        )
        label = _Label(taken=tuple(stored), notes=self.notes)
        return b"\n".join([label.model_dump_json().encode(), b"".join(some.numbers.tobytes() for some in self.taken)])

    @classmethod
    def read(cls, shelved: CachedFile) -> Self:
        """Some that were stored.

        Raises:
            ValueError: they are none, or another program's.
        """
        first, _, rest = shelved.label.partition(b"\n")
        label, numbers = _Label.model_validate_json(first), array("Q")
        numbers.frombytes(rest)
        taken, start = list[RetryOrigin](), 0
        for some in label.taken:
            own = numbers[start : start + some.rows]
            taken.append(RetryOrigin(some.from_job, some.result, some.sha256, own))
            start += some.rows
        return cls(shelved.path, tuple(taken), label.notes)


def bits_of(numbers: "array[int]") -> int:
    """A bit for each number, that of 0 being 1."""
    bits = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bits, "little")


def write_retry_file(
    wanted: RetryRequest,
    results: Sequence[JobResult],
    destination: Destination,
    draft: NewFile,
    go_on: Callable[[], None] = lambda: None,
) -> RetryFile:
    """Write the rows under one header.

    Args:
        wanted: which of the rows.
        results: of the jobs.
        destination: where they are to go.
        draft: takes the file.
        go_on: called from time to time; what it raises ends this.

    Raises:
        InvalidArgument: there are none, or they have different columns.
        OSError: a file can't be read or written.
    """
    taken, notes = list[RetryOrigin](), list[Finding]()
    file = _OneHeader(draft.file, destination)
    for job in results:
        rows = _rows_of(job, wanted.where)
        numbers = array("Q")
        for some in _by_many(rows.told):
            go_on()
            file.write(job, rows.header, [row for _, row in some])
            numbers.extend(number for number, _ in some)
        notes += rows.notes()
        if numbers:
            taken.append(RetryOrigin(job.job_id, job.result.kind, job.result.sha256, numbers))
    if not taken:
        raise InvalidArgument(_none(wanted, notes))
    made = RetryFile(draft.path, tuple(taken), tuple(notes))
    draft.finish(made.label())
    return made


class _OneHeader:
    """A CSV of rows of several jobs."""

    def __init__(self, file: BinaryIO, destination: Destination) -> None:
        self._file = file
        self._destination = destination
        self._first: tuple[JobResult, Sequence[str]] | None = None
        self._dialect = destination.dialect()

    def write(self, job: JobResult, header: Sequence[str], rows: Iterable[Row]) -> None:
        if self._first is None:
            self._first = job, header
            self._dialect = self._destination.dialect(job.result.dialect)
            if len(header) == 1 and self._destination.delimiter is None:
                # As whoever reads it takes a header without delimiters.
                self._dialect = replace(self._dialect, delimiter="COMMA")
            self._file.write(csv_bytes([header], self._dialect))
        first, names = self._first
        if tuple(header) != tuple(names):
            raise InvalidArgument(
                f"The rows of job {job.job_id} have other columns than those of {first.job_id}: name jobs with the same "
                "columns, and send the others again by themselves."
            )
        self._file.write(csv_bytes(rows, self._dialect))


def _none(wanted: RetryRequest, notes: Sequence[Finding]) -> str:
    if notes:  # of rows that are left out
        told = (f"{note.what} Lines {', '.join(map(str, note.lines))}: {note.do}" for note in notes)
        return " ".join(["No row is left to send again.", *told])
    if wanted.where.every_row:
        return f"These jobs have no {' or '.join(wanted.which)} rows, so there is nothing to send again."
    return (
        "No failed row of these jobs is so as where says, so there is nothing to send again: "
        "get-failed-results-ingest-job shows their status codes and fields."
    )


class _Rows:
    """Rows of one result that are wanted.

    Attributes:
        header: of them.
        told: the rows, with the number that each has in the result; to be read once.
    """

    header: Sequence[str]
    told: Iterable[Told]

    def notes(self) -> Sequence[Finding]:
        """What there is to know about them, once they are read."""
        return ()


def _rows_of(job: JobResult, where: PageRequest) -> _Rows:
    if job.result.kind == "successfulResults":
        return _CreatedIds(job.result)
    if job.kept is not None and job.source_rows is not None:
        return _AsSent(job, job.kept, job.source_rows, where)
    return _AsToldBack(job, where)


class _CreatedIds(_Rows):
    """The ids of records that a job made."""

    def __init__(self, result: ResultFile) -> None:
        self._result = result
        self.header = (ID_FIELD,)
        self.told = self._ids()

    def _ids(self) -> Iterator[Told]:
        for first, batch in self._result.batches():
            ids, created = self._result.said(batch, ID_COLUMN), self._result.said(batch, CREATED_COLUMN)
            for row, (record, is_created) in enumerate(zip(ids, created, strict=True), first):
                if is_created == "true":
                    yield row, (record,)


class _AsToldBack(_Rows):
    """Rows as Salesforce gave them back."""

    def __init__(self, job: JobResult, where: PageRequest) -> None:
        self._job = job
        self._where = where
        self._risks = _Risks()
        self.header = job.result.names[job.result.told :]
        self.told = self._rows()

    def _rows(self) -> Iterator[Told]:
        result = self._job.result
        for first, batch in result.batches():
            errors = result.said(batch, ERROR_COLUMN)
            for row, (cells, error) in enumerate(zip(batch.rows, errors, strict=True), first):
                if not result.told or self._where.has(error):
                    self._risks.look(cells[result.told :])
                    yield row, cells[result.told :]

    def notes(self) -> Sequence[Finding]:
        if not self._job.result.told or not self._risks.rows:
            return ()  # unprocessed rows are those that were sent
        what = (
            f"What was sent to job {self._job.job_id} is not kept here (it did not go through these tools, or is gone), "
            "so its rows go out as Salesforce gave them back: it writes numbers and times anew, and may leave cells blank."
        )
        return [self._risks.finding(what, self.header)]


class _AsSent(_Rows):
    """Failed rows as they were sent."""

    def __init__(self, job: JobResult, kept: ArchivedUpload, source: SourceOrder, where: PageRequest) -> None:
        self._job = job
        self._kept = kept
        self._source = source
        self._where = where
        self._risks = _Risks()
        self._told_back = self._left_out = 0
        given, self.header = kept.columns()
        self._width = len(given)
        self.told = self._rows()

    def _rows(self) -> Iterator[Told]:
        for some in _by_many(self._tied()):
            given = ParsedBlock(self._width, lambda: (), rows=[list(cells) for _, cells in some])
            shaped = self._kept.origin.shaped
            sent = given if shaped is None else shaped.apply(given)
            yield from zip((row for row, _ in some), sent.rows, strict=True)
        yield from self._untied()
        self._left_out += sum(1 for _ in self._told_rows(self._source.unsure))

    def _tied(self) -> Iterator[Told]:
        result, number = self._job.result, 0
        # Where all rows go, it does not matter which error is whose.
        mixed = frozenset[int]() if self._where.every_row else frozenset(self._source.mixed)
        width, error = 1 + result.told + self._width, 1 + (result.place(ERROR_COLUMN) or 0)
        rows = ResultFile(self._source.path, self._kept.origin.read_as, result.kind, ("",) * width, 1 + result.told)
        for _, batch in rows.batches():
            for row in batch.rows[: len(self._source.tied) - number]:
                if self._where.has(row[error]):
                    told = self._source.tied[number]
                    if told in mixed:
                        self._left_out += 1
                    else:
                        yield told, row[rows.told :]
                number += 1

    def _untied(self) -> Iterator[Told]:
        names = self._job.result.names
        places = {name.lower(): place for place, name in enumerate(names) if place >= self._job.result.told}
        chosen = [places.get(name.lower()) for name in self.header]
        for number, row in self._told_rows(self._source.untied):
            self._told_back += 1
            cells = [row[place] if place is not None and place < len(row) else "" for place in chosen]
            self._risks.look(cells)
            yield number, cells

    def _told_rows(self, numbers: "array[int]") -> Iterator[Told]:
        """Rows of the result that are wanted, among some that could not be tied."""
        error = self._job.result.place(ERROR_COLUMN) or 0
        for number, row in zip(numbers, self._job.result.rows(numbers), strict=True):
            if self._where.has(row[error]):
                yield number, row

    def notes(self) -> Sequence[Finding]:
        notes = []
        if self._told_back:
            what = (
                f"As Salesforce gave them back go {self._told_back:,} of the failed rows of job {self._job.job_id}, since "
                "they are like none that was sent."
            )
            notes.append(self._risks.finding(what, self.header))
        if self._left_out:
            what = (
                f"Left out of job {self._job.job_id}: {self._left_out:,} of its failed rows, which may be any of several "
                "rows that were sent and that differ only where Salesforce gives nothing back or writes anew."
            )
            do = "Find out which of these lines of its source failed, and send them by themselves."
            notes.append(Finding("warning", what, do, lines=self._source.unsure_lines, count=self._left_out))
        return notes


class _Risks:
    """Columns of rows that Salesforce gave back in which cells may not be those that were sent.

    Attributes:
        rows: that were looked at.
    """

    def __init__(self) -> None:
        self._filled: set[int] = set()
        self._typed: set[int] = set()
        self.rows = 0

    def look(self, cells: Row) -> None:
        """At one more row."""
        self.rows += 1
        for place, cell in enumerate(cells):
            if cell and place not in self._typed:
                self._filled.add(place)
                if _TYPED_AGAIN.fullmatch(cell):
                    self._typed.add(place)

    def finding(self, what: str, header: Sequence[str]) -> Finding:
        """What there is to say of them."""
        typed = [name for place, name in enumerate(header) if place in self._typed]
        blank = [name for place, name in enumerate(header) if place not in self._filled]
        risks = [f"numbers or times in {quoted_names(typed)}"] if typed else []
        risks += [f"all cells blank in {quoted_names(blank)}"] if blank else []
        do = f"Compare with the source before they go: {' and '.join(risks)}." if risks else "Compare with the source."
        return Finding("warning", what, do, count=self.rows)


def _by_many(rows: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some
