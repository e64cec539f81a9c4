"""Result rows on their way out: one page of them, and why rows failed."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio.lowlevel

from salesforce_bulk_ingest.ingest.budget import Budget, RowRoom, cut, fit_columns
from salesforce_bulk_ingest.ingest.csv_records import RecordSplitter, format_records, parse_record

ERROR_COLUMN = "sf__Error"
MOST_CAUSES = 1_000
UNKNOWN_CODE = "UNKNOWN"

_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class RowError:
    """One `sf__Error`, taken apart. The message is text from the org: data, not advice."""

    code: str
    message: str
    fields: tuple[str, ...]


@dataclass(slots=True)
class Cause:
    """Rows that failed with the same status code on the same fields."""

    code: str
    fields: tuple[str, ...]
    count: int
    example: str
    example_offset: int


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


def parse_row_error(text: str) -> RowError:
    """Take an `sf__Error` apart; text of another form keeps its message whole under the code UNKNOWN.

    The form is `CODE:message:Field1,Field2 --` or `CODE:message:--` (seen in live tests of jsforce and the Salesforce
    CLI). The message may hold anything, row data included.
    """
    code, colon, rest = text.rstrip().partition(":")
    if not colon or not _CODE.fullmatch(code):
        return RowError(UNKNOWN_CODE, text, ())
    message, colon, names = rest.removesuffix("--").rpartition(":") if rest.endswith("--") else (rest, "", "")
    if not colon:
        return RowError(code, rest, ())
    return RowError(code, message, tuple(name.strip() for name in names.split(",") if name.strip()))


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
    _error_index: int | None = None
    _room: RowRoom | None = None
    _rows: list[tuple[str, ...]] = field(default_factory=list)
    _read: int = 0
    _full: bool = False
    _ended: bool = False
    _causes: dict[tuple[str, tuple[str, ...]], Cause] = field(default_factory=dict)

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
        # Salesforce gives rows in no promised order, so that a tie needs an order of its own.
        causes = sorted(self._causes.values(), key=lambda cause: (-cause.count, cause.code, cause.fields))
        shown = self.offset + len(self._rows)
        return Page(
            columns=self._columns,
            columns_omitted=self._omitted,
            rows=tuple(self._rows),
            offset=self.offset,
            next_offset=None if self._ended and shown >= self._read else shown,
            total=self._read if self._ended else None,
            causes=tuple(causes),
            rows_read=self._read,
        )

    def _take(self, record: bytes) -> None:
        if self._room is None:
            self._take_header(record)
            return
        index, self._read = self._read, self._read + 1
        wanted = index >= self.offset and not self._full
        if not wanted and self._error_index is None:
            return
        cells = parse_record(record, self.delimiter)
        if wanted:
            self._show(cells)
        self._count_cause(cells, index)

    def _take_header(self, record: bytes) -> None:
        names = parse_record(record, self.delimiter)
        self._columns = fit_columns(names, self.budget)
        self._omitted = len(names) - len(self._columns)
        self._room = RowRoom(self.budget, len(self._columns))
        if ERROR_COLUMN in names:
            self._error_index = names.index(ERROR_COLUMN)

    def _show(self, cells: tuple[str, ...]) -> None:
        assert self._room is not None
        shown = self._room.admit(cells)
        if shown is None:
            self._full = True
        else:
            self._rows.append(shown)

    def _count_cause(self, cells: tuple[str, ...], index: int) -> None:
        if self._error_index is None or self._error_index >= len(cells):
            return
        error = parse_row_error(cells[self._error_index])
        key = (error.code, error.fields)
        if key not in self._causes and len(self._causes) >= MOST_CAUSES:
            key = (UNKNOWN_CODE, ())
        cause = self._causes.setdefault(key, Cause(*key, 0, cut(error.message, 200), index))
        cause.count += 1
