"""Rows of jobs that have ended, to be sent again: as they were sent, not as Salesforce gave them back."""

import base64
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel

from salesforce_bulk_ingest.ingest.errors import InvalidArgument
from salesforce_bulk_ingest.ingest.ledger import RowsTaken
from salesforce_bulk_ingest.ingest.rows_in.batch import Batch
from salesforce_bulk_ingest.ingest.rows_in.columns import shown
from salesforce_bulk_ingest.ingest.rows_in.dialect import Dialect
from salesforce_bulk_ingest.ingest.rows_in.findings import Finding
from salesforce_bulk_ingest.ingest.rows_in.output import written
from salesforce_bulk_ingest.ingest.rows_out.kept import KeptUpload
from salesforce_bulk_ingest.ingest.rows_out.pages import Wanted
from salesforce_bulk_ingest.ingest.rows_out.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.ingest.rows_out.shelf import Draft, Shelved
from salesforce_bulk_ingest.ingest.rows_out.source_rows import CREATED_COLUMN, ID_COLUMN, SourceRows, ToldRows
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, ResultKind

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
class RowsOf:
    """Which rows of which jobs.

    Attributes:
        jobs: their ids.
        which: of their rows; `created` gives the ids of new records alone.
        where: which of the failed ones; the others have no error to choose by.
        again: whether rows may be among them that were sent again before.
    """

    jobs: tuple[str, ...]
    which: tuple[Which, ...]
    where: Wanted = field(default_factory=Wanted)
    again: bool = False


@dataclass(frozen=True, slots=True)
class JobRows:
    """A result of which rows are to be sent again.

    Attributes:
        job_id: of the job.
        result: all rows.
        kept: what was sent to the job, if that is here.
        source_rows: the result tied to that.
    """

    job_id: str
    result: ToldRows
    kept: KeptUpload | None = None
    source_rows: SourceRows | None = None


class _StoredTaken(BaseModel):
    from_job: str
    result: str
    rows: bytes

    @classmethod
    def of(cls, taken: RowsTaken) -> Self:
        rows = taken.rows.to_bytes(-(-taken.rows.bit_length() // 8), "little")
        return cls(from_job=taken.from_job, result=taken.result, rows=base64.b64encode(rows))

    @property
    def taken(self) -> RowsTaken:
        return RowsTaken(self.from_job, self.result, int.from_bytes(base64.b64decode(self.rows), "little"))


class _Label(BaseModel):
    """What is said of rows that are stored."""

    taken: tuple[_StoredTaken, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class RowsAgain:
    """Rows to be sent again, in a file.

    Attributes:
        path: of the CSV.
        taken: where they are from.
        notes: what there is to know about them.
    """

    path: Path
    taken: tuple[RowsTaken, ...]
    notes: tuple[Finding, ...]

    def label(self) -> bytes:
        """What `read` takes."""
        return _Label(taken=tuple(map(_StoredTaken.of, self.taken)), notes=self.notes).model_dump_json().encode()

    @classmethod
    def read(cls, shelved: Shelved) -> Self:
        """Some that were stored.

        Raises:
            ValueError: they are none, or another program's.
        """
        label = _Label.model_validate_json(shelved.label)
        return cls(shelved.path, tuple(stored.taken for stored in label.taken), label.notes)


def make_rows_again(
    wanted: RowsOf,
    results: Sequence[JobRows],
    dialect: Dialect,
    draft: Draft,
    go_on: Callable[[], None] = lambda: None,
) -> RowsAgain:
    """Write the rows under one header.

    Args:
        wanted: which of the rows.
        results: of the jobs.
        dialect: that they are written in.
        draft: takes the file.
        go_on: called from time to time; what it raises ends this.

    Raises:
        InvalidArgument: there are none, or they have different columns.
        OSError: a file can't be read or written.
    """
    header: Sequence[str] | None = None
    taken, notes = [], list[Finding]()
    for job in results:
        rows = _rows_of(job, wanted.where)
        bits = _Bits()
        if header is None:
            draft.file.write(written([rows.header], dialect))
        elif tuple(header) != tuple(rows.header):
            raise InvalidArgument(
                f"The rows of job {job.job_id} have other columns than those of {results[0].job_id}: name jobs with the "
                "same columns, and send the others again by themselves."
            )
        header = rows.header
        for some in _by_many(bits.counting(rows.told)):
            go_on()
            draft.file.write(written(some, dialect))
        notes += rows.notes()
        if bits.rows:
            taken.append(RowsTaken(job.job_id, job.result.kind, bits.rows))
    if not taken:
        raise InvalidArgument(_none(wanted))
    made = RowsAgain(draft.path, tuple(taken), tuple(notes))
    draft.finish(made.label())
    return made


def _none(wanted: RowsOf) -> str:
    if wanted.where.every_row:
        return f"These jobs have no {' or '.join(wanted.which)} rows, so there is nothing to send again."
    return (
        "No failed row of these jobs is so as where says, so there is nothing to send again: "
        "get-failed-results-ingest-job shows their status codes and fields."
    )


class _Bits:
    """Notes which rows go out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def counting(self, told: Iterable[Told]) -> Iterator[Row]:
        """The rows alone."""
        for number, row in told:
            place, bit = divmod(number, 8)
            if place >= len(self._bytes):
                self._bytes.extend(bytes(place + 1 - len(self._bytes)))
            self._bytes[place] |= 1 << bit
            yield row

    @property
    def rows(self) -> int:
        """A bit for each row."""
        return int.from_bytes(self._bytes, "little")


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


def _rows_of(job: JobRows, where: Wanted) -> _Rows:
    if job.result.kind == "successfulResults":
        return _CreatedIds(job.result)
    if job.kept is not None and job.source_rows is not None:
        return _AsSent(job, job.kept, job.source_rows, where)
    return _AsToldBack(job, where)


class _CreatedIds(_Rows):
    """The ids of records that a job made."""

    def __init__(self, result: ToldRows) -> None:
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

    def __init__(self, job: JobRows, where: Wanted) -> None:
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
        if not self._job.result.told:
            return ()  # unprocessed rows are those that were sent
        what = (
            f"What was sent to job {self._job.job_id} is not kept here (it did not go through these tools, or is gone), "
            "so its rows go out as Salesforce gave them back: it writes numbers and times anew, and may leave cells blank."
        )
        return [self._risks.finding(what, self.header)]


class _AsSent(_Rows):
    """Failed rows as they were sent."""

    def __init__(self, job: JobRows, kept: KeptUpload, source: SourceRows, where: Wanted) -> None:
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
            given = Batch(self._width, lambda: (), rows=[list(cells) for _, cells in some])
            shaped = self._kept.origin.shaped
            sent = given if shaped is None else shaped.apply(given)
            yield from zip((row for row, _ in some), sent.rows, strict=True)
        yield from self._untied()
        self._left_out = sum(1 for _ in self._told_rows(self._source.unsure))

    def _tied(self) -> Iterator[Told]:
        result, number = self._job.result, 0
        width, error = 1 + result.told + self._width, 1 + (result.place(ERROR_COLUMN) or 0)
        rows = ToldRows(self._source.path, self._kept.origin.read_as, result.kind, ("",) * width, 1 + result.told)
        for _, batch in rows.batches():
            for row in batch.rows[: len(self._source.tied) - number]:
                if self._where.has(row[error]):
                    yield self._source.tied[number], row[rows.told :]
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
                "rows that were sent and that differ only where Salesforce gives nothing back."
            )
            do = "Find out which of these lines of its source failed, and send them by themselves."
            notes.append(Finding("warning", what, do, lines=self._source.unsure_lines, count=self._left_out))
        return notes


class _Risks:
    """Columns of rows that Salesforce gave back in which cells may not be those that were sent."""

    def __init__(self) -> None:
        self._filled: set[int] = set()
        self._typed: set[int] = set()
        self._rows = 0

    def look(self, cells: Row) -> None:
        """At one more row."""
        self._rows += 1
        for place, cell in enumerate(cells):
            if cell and place not in self._typed:
                self._filled.add(place)
                if _TYPED_AGAIN.fullmatch(cell):
                    self._typed.add(place)

    def finding(self, what: str, header: Sequence[str]) -> Finding:
        """What there is to say of them."""
        typed = [name for place, name in enumerate(header) if place in self._typed]
        blank = [name for place, name in enumerate(header) if place not in self._filled]
        risks = [f"numbers or times in {shown(typed)}"] if typed else []
        risks += [f"all cells blank in {shown(blank)}"] if blank else []
        do = f"Compare with the source before they go: {' and '.join(risks)}." if risks else "Compare with the source."
        return Finding("warning", what, do, count=self._rows)


def _by_many(rows: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some
