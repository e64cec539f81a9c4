"""Result rows on their way out: one page of them, and why rows failed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio.lowlevel

from salesforce_bulk_ingest.ingest.budget import Budget, RowRoom, fit_columns
from salesforce_bulk_ingest.ingest.csv_records import RecordSplitter, format_records, parse_record
from salesforce_bulk_ingest.ingest.rows_out.causes import Cause, CauseCounter
from salesforce_bulk_ingest.ingest.rows_out.row_errors import ERROR_COLUMN


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a result.

    Attributes:
        columns: names of the columns shown; `columns_omitted` more did not fit.
        rows: as many cells as columns; long cells are cut and marked with the number of characters left out.
        offset: number of rows before the first one shown.
        next_offset: where the next page begins; none at the end.
        total: rows in the whole result; none when not all of it was read.
        causes: of all rows read, the most frequent first.
        rows_read: how many rows the causes stand for.
    """

    columns: tuple[str, ...]
    columns_omitted: int
    rows: tuple[tuple[str, ...], ...]
    offset: int
    next_offset: int | None
    total: int | None
    causes: tuple[Cause, ...]
    rows_read: int

    @property
    def is_cut_off(self) -> bool:
        """Whether time ran out before any of these rows came in."""
        return not self.rows and self.next_offset is not None

    def as_csv(self) -> str:
        """Header and rows as comma-separated CSV."""
        return format_records((self.columns, *self.rows)) if self.columns else ""


@dataclass(slots=True)
class PageReader:
    """Collects one page, and the causes of all rows, from a result that streams by.

    Args:
        delimiter: between the cells of the result.
        offset: rows to skip.
        budget: what fits on the page.
        whole: keep counting, and collecting causes, after the page is full.
    """

    delimiter: str
    offset: int
    budget: Budget
    whole: bool
    _columns: tuple[str, ...] = ()
    _omitted: int = 0
    _room: RowRoom | None = None
    _rows: list[tuple[str, ...]] = field(default_factory=list)
    _read: int = 0
    _full: bool = False
    _ended: bool = False
    _counter: CauseCounter | None = None

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read until there is nothing more to learn. What was read so far survives a cancellation."""
        splitter = RecordSplitter()
        async for chunk in chunks:
            for record in splitter.feed(chunk):
                self._take(record)
            if self._full and not self.whole:
                return
            await anyio.lowlevel.checkpoint()
        for record in splitter.flush():
            self._take(record)
        self._ended = True

    def page(self) -> Page:
        """What was collected."""
        shown = self.offset + len(self._rows)
        return Page(
            columns=self._columns,
            columns_omitted=self._omitted,
            rows=tuple(self._rows),
            offset=self.offset,
            next_offset=None if self._ended and shown >= self._read else shown,
            total=self._read if self._ended else None,
            causes=self._counter.causes() if self._counter else (),
            rows_read=self._read,
        )

    def _take(self, record: bytes) -> None:
        if self._room is None:
            self._take_header(record)
            return
        index, self._read = self._read, self._read + 1
        wanted = index >= self.offset and not self._full
        if not wanted and self._counter is None:
            return
        cells = parse_record(record, self.delimiter)
        if wanted:
            self._show(cells)
        if self._counter:
            self._counter.add(cells, index)

    def _take_header(self, record: bytes) -> None:
        names = parse_record(record, self.delimiter)
        self._columns = fit_columns(names, self.budget)
        self._omitted = len(names) - len(self._columns)
        self._room = RowRoom(self.budget, len(self._columns))
        if ERROR_COLUMN in names:
            self._counter = CauseCounter(names)

    def _show(self, cells: tuple[str, ...]) -> None:
        assert self._room is not None
        shown = self._room.admit(cells)
        if shown is None:
            self._full = True
        else:
            self._rows.append(shown)
