"""A look at the org for rows that are left out by their records: all rows, a batch at a time.

What is kept of the batches before is bounded by the number of rows that may be looked for: a line for each row that stays
out, and, to leave out what changes nothing, a hash of each row's key.
"""

from array import array
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.comparison.changes import Fate, SideBySide, side_by_side
from salesforce_bulk_ingest.comparison.compared_columns import ComparedColumn, FoundBy, RowColumns
from salesforce_bulk_ingest.comparison.mistakes import (
    ELSEWHERE,
    Mistake,
    are_most,
    findings_of,
    several_records,
    unknown_keys,
)
from salesforce_bulk_ingest.comparison.record_reader import RecordReader, RecordsFound
from salesforce_bulk_ingest.loading.by_record import ByRecord, LeftOutLines
from salesforce_bulk_ingest.loading.mapped_source import MappedBlock, MappedSource
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.loading.sources import opened
from salesforce_bulk_ingest.validation.destination import LoadTarget, Match
from salesforce_bulk_ingest.validation.key_forms import trimmed

ROWS_OF_A_BATCH = 2_000
"""The number of rows that are read before the org is asked for their records: those of few queries, side by side."""

BYTES_OF_A_BATCH = 4_000_000
"""The number of bytes of rows that are read for a batch at most, and those of one block of the source more."""

NOT_THERE = f"They are left out: {ELSEWHERE}"

_LEFT_OUT = {
    None: frozenset[Fate](),
    "updateOnly": frozenset({Fate.NEW, Fate.NO_RECORD}),
    "createOnly": frozenset({Fate.EQUAL, Fate.CHANGED}),
}
"""What becomes of the rows that `match` leaves out."""


class NotSeen(Exception):
    """The org did not show which records rows name; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What a look at the records of rows found.

    Attributes:
        rows: the number of rows looked at.
        left_out: the rows that are left out.
        unmatched_numbers: the numbers of the rows that are left out by `match`, among those looked at, from 0.
        unseen: the names of the columns of which some rows have cells that can't be compared with their records.
        unsure: the number of rows that go for these alone: all that can be seen of their records is as they have it.
        several: the number of rows that name several records.
        key: the name of the column that names the records.
        match: which rows are left out by whether there are records.
        api_calls: the number of calls to the org.
    """

    rows: int
    left_out: LeftOutLines
    unmatched_numbers: Sequence[int]
    unseen: tuple[str, ...]
    unsure: int
    several: int
    key: str
    match: Match | None
    api_calls: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The warnings that most rows have no record, and about what the look could not tell of those that go."""
        return (*findings_of(self.mistakes), *self._not_told)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistake that most rows are left out since no record has their keys, if it is one."""
        unknown = len(self.left_out.unmatched)
        if self.match != "updateOnly" or not are_most(unknown, self.rows):
            return ()
        return (unknown_keys(unknown, self.rows, self.key, NOT_THERE),)

    @property
    def _not_told(self) -> tuple[Finding, ...]:
        """The warning that rows go of which was not seen whether they change anything, if there are such."""
        if not self.unsure:
            return ()
        names = quoted_names(self.unseen)
        what = f"Rows go of which it can't be told whether they change anything: {names} can't be compared."
        do = "To have them judged by the others alone, leave these columns out with null in columns."
        return (Finding("warning", what, do, count=self.unsure),)

    @property
    def several_records(self) -> tuple[Finding, ...]:
        """That rows name several records, as a warning."""
        return findings_of(several_records(self.several, self.key))


class RecordFilter:
    """Finds the rows that are left out by their records.

    Args:
        reader: reads the records.
        asked: how rows are left out.
        key: the column that names the records, and its field.
        columns: the columns of the rows.
        target: the object and operation of the rows.
    """

    def __init__(
        self,
        reader: RecordReader,
        asked: ByRecord,
        key: FoundBy,
        columns: RowColumns,
        target: LoadTarget,
    ) -> None:
        self._reader = reader
        self._asked = asked
        self._key = key
        # The number and the lines of equal rows would tell a hidden cell to whoever guesses it.
        compared = tuple(column for column in columns.compared if not column.is_hidden)
        self._columns: Sequence[ComparedColumn] = compared if asked.changed_only else ()
        self._makes_new = target.operation == "upsert"

    async def look(self, source: MappedSource) -> LookedAt:
        """Look for the records of all rows of a source, which is opened anew.

        Raises:
            NotSeen: the org did not show all of them.
            InvalidArgument: the source can no longer be read.
            EndlessRecord: a record has no end.
        """
        found = _Found(self._asked, self._key)
        with closing(_batches(source)) as batches:
            while (batch := await run_in_thread(next, batches, None)) is not None:
                await self._look_at(batch, found)
        names = source.output_names
        return LookedAt(
            found.rows,
            LeftOutLines(found.unmatched, found.unchanged()),
            found.unmatched_numbers,
            tuple(names[index] for index in sorted(found.unseen)),
            found.unsure,
            found.several,
            self._key[0].name,
            self._asked.match,
            self._reader.calls,
        )

    async def _look_at(self, batch: "_Batch", found: "_Found") -> None:
        column, key = self._key
        paths = [each.path for each in self._columns]
        records = await self._reader.find(key, batch.rows.columns[column.index], paths)
        if records.failure is not None:
            raise NotSeen(records.failure)
        await run_in_thread(self._add, batch, records, found)

    def _add(self, batch: "_Batch", records: RecordsFound, found: "_Found") -> None:
        sides = side_by_side(batch.rows, self._key, self._columns, records, makes_new=self._makes_new)
        # A column that could not be read once is not asked for again.
        self._columns = sides.columns
        found.add(batch, sides)


@dataclass(slots=True)
class _Batch:
    """Rows of a source that are looked at together.

    Attributes:
        rows: the rows to upload; each of them is numbered among all.
        lines: the line of the source on which each begins.
    """

    rows: RowSample
    lines: Sequence[int]


class _Found:
    """What was found of the rows looked at so far.

    Args:
        asked: how rows are left out.
        key: the column that names the records, and its field.
    """

    def __init__(self, asked: ByRecord, key: FoundBy) -> None:
        self._asked = asked
        self._key = key
        self.unmatched, self.unmatched_numbers = array("Q"), array("Q")
        # Keys are kept as hashes: where those of two are the same, a row goes that could have stayed out.
        self._equal, self._keys_of_equal, self._going = array("Q"), array("q"), set[int]()
        self.unseen = set[int]()
        self.rows = self.unsure = self.several = 0

    def add(self, batch: _Batch, sides: SideBySide) -> None:
        """Add what becomes of the rows of a batch."""
        kept = list[int]()
        self.rows += len(sides.fates)
        for row, fate in enumerate(sides.fates):
            self.several += fate is Fate.SEVERAL_RECORDS
            if fate in _LEFT_OUT[self._asked.match]:
                self.unmatched.append(batch.lines[row])
                self.unmatched_numbers.append(batch.rows.numbers[row])
            else:
                kept.append(row)
        if self._asked.changed_only:
            self._add_compared(batch, sides, kept)

    def unchanged(self) -> Sequence[int]:
        """Return the lines of the rows that change nothing, nor what another row of their record would have changed."""
        pairs = zip(self._equal, self._keys_of_equal, strict=True)
        return array("Q", (line for line, key in pairs if key not in self._going))

    def _add_compared(self, batch: _Batch, sides: SideBySide, rows: Iterable[int]) -> None:
        """Add which of some rows of a batch change nothing; those go of which that can't be seen."""
        (column, key), columns = self._key, batch.rows.columns
        keys = trimmed(columns[column.index])
        seen = {column.index, *(each.index for each in sides.columns)}
        unseen = [index for index in range(len(columns)) if index not in seen]
        for row in rows:
            is_equal, of_record = sides.fates[row] is Fate.EQUAL, hash(key.form(keys[row]))
            said = [index for index in unseen if is_equal and columns[index][row]]
            if is_equal and not said:
                self._equal.append(batch.lines[row])
                self._keys_of_equal.append(of_record)
            else:
                self._going.add(of_record)
                self.unseen.update(said)
                self.unsure += bool(said)


def _batches(source: MappedSource) -> Generator[_Batch]:
    """Open a source, and yield its rows in batches."""
    first, rows, size, blocks = 0, 0, 0, list[MappedBlock]()
    with opened(source.source, source.dialect) as file:
        file.seek(source.header.size)
        for block in source.read_blocks(file):
            blocks.append(block)
            rows, size = rows + len(block.output_rows), size + len(block.source_text)
            if rows >= ROWS_OF_A_BATCH or size >= BYTES_OF_A_BATCH:
                yield _batch(blocks, first, len(source.output_names))
                first, rows, size, blocks = first + rows, 0, 0, []
    if rows:
        yield _batch(blocks, first, len(source.output_names))


def _batch(blocks: Sequence[MappedBlock], first: int, width: int) -> _Batch:
    columns = tuple([cell for block in blocks for cell in block.output_rows.column(index)] for index in range(width))
    lines = [line for block in blocks for line in block.output_rows.lines]
    return _Batch(RowSample(columns, range(first, first + len(lines)), len(lines)), lines)
