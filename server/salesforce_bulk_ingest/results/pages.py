"""Pages of a result: the rows from an offset on that a caller wants to see, as many as there is room for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.csvio.cells import parse_record, parse_records
from salesforce_bulk_ingest.csvio.row_index import CHUNK_BYTES
from salesforce_bulk_ingest.csvio.writer import format_records
from salesforce_bulk_ingest.results.downloads import DownloadedResult
from salesforce_bulk_ingest.results.error_groups import ErrorGroup
from salesforce_bulk_ingest.results.page_size import PageRoom, PageSize, fit_columns
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, parse_row_error

COLUMNS_SHOWN = 50
ROWS_BETWEEN_LOOKS = 1_000
"""Rows that are passed over before the time is looked at."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What of a result a caller wants to see.

    Attributes:
        offset: rows to pass over, of those that are wanted.
        columns: to show, in this order; empty shows all.
        code: status code that rows failed with; None for any.
        field: API name of a field that rows failed on, in any case; None for any.
    """

    offset: int = 0
    columns: tuple[str, ...] = ()
    code: str | None = None
    field: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether every row is wanted, and all of it."""
        return not self.columns and self.every_row

    @property
    def every_row(self) -> bool:
        """Whether rows are wanted whatever they failed with."""
        return self.code is None and self.field is None

    def has(self, error: str) -> bool:
        """Whether a row with this `sf__Error` is wanted."""
        if self.every_row:
            return True
        told = parse_row_error(error)
        names = {name.lower() for name in told.fields}
        return self.code in (None, told.code) and (self.field is None or self.field.lower() in names)


@dataclass(frozen=True, slots=True)
class CutCell:
    """A cell that is too long to be shown whole.

    Attributes:
        row: offset of its row.
        column: its name.
        characters: that it has.
    """

    row: int
    column: str
    characters: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a result.

    Attributes:
        columns: names of the columns shown; `columns_omitted` more did not fit.
        rows: as many cells as columns; long cells are cut and marked with the number of characters left out.
        wanted: what was asked for.
        delimiter: of the result.
        next_offset: where the next page begins; none at the end.
        total: rows in the whole result; none when not all of it was read.
        cut_cells: those that are not whole.
        causes: of all rows read, the most frequent first.
        rows_read: how many rows the causes stand for.
        raw: the very bytes of header and rows, where all of them are shown as they are.
        fetched_bytes: of the result so far, where it is still on its way here.
        path: of the whole result, where it is here.
        source_order_path: a file of the whole result in source order, where the caller asked for it.
    """

    columns: tuple[str, ...]
    columns_omitted: int
    rows: tuple[tuple[str, ...], ...]
    wanted: PageRequest
    delimiter: str
    next_offset: int | None
    total: int | None
    cut_cells: tuple[CutCell, ...] = ()
    causes: tuple[ErrorGroup, ...] = ()
    rows_read: int = 0
    raw: bytes | None = None
    fetched_bytes: int | None = None
    path: Path | None = None
    source_order_path: Path | None = None

    @property
    def offset(self) -> int:
        """Rows before those of this page, of those that are wanted."""
        return self.wanted.offset

    @property
    def is_cut_off(self) -> bool:
        """Whether time ran out before any of these rows came in."""
        return not self.rows and self.next_offset is not None

    def as_csv(self) -> str:
        """Header and rows as CSV: the very bytes of the result where all of it is shown, and else with its delimiter."""
        if self.raw is not None:
            return self.raw.decode("utf-8", "replace")
        return format_records((self.columns, *self.rows), self.delimiter) if self.columns else ""


@dataclass(slots=True)
class PageBuilder:
    """Collects one page from records that come one after the other.

    Args:
        header: the result's first record.
        delimiter: between its cells.
        wanted: what is shown.
        budget: what fits.
        passed: rows that are wanted and were passed over already, since the records come from a later one on.
    """

    header: bytes
    delimiter: str
    wanted: PageRequest
    budget: PageSize
    passed: int = 0
    names: tuple[str, ...] = ()
    _columns: tuple[str, ...] = ()
    _places: Sequence[int] = ()
    _omitted: int = 0
    _error_place: int | None = None
    _room: PageRoom | None = None
    _rows: list[tuple[str, ...]] = field(default_factory=list)
    _cut: list[CutCell] = field(default_factory=list)
    _raw: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = parse_record(self.header, self.delimiter) if self.header else ()
        self._places = _places(self.wanted.columns, self.names)
        wanted = [self.names[place] for place in self._places]
        self._columns = fit_columns(wanted, self.budget) if wanted else ()
        self._omitted = len(wanted) - len(self._columns)
        self._places = self._places[: len(self._columns)]
        self._room = PageRoom(self.budget, len(self._columns))
        self._error_place = self.names.index(ERROR_COLUMN) if ERROR_COLUMN in self.names else None

    def take(self, record: bytes, cells: Sequence[str]) -> bool:
        """The next record of the result.

        Returns:
            Whether there was room for it, or it is not wanted; then it is done with.
        """
        if not self._is_wanted(cells):
            return True
        if self.passed < self.wanted.offset:
            self.passed += 1
            return True
        return self._show(record, cells)

    def take_all(self, records: Sequence[bytes]) -> bool:
        """The next records of the result, as `take` does with one after the other, in less time."""
        assert self._room is not None
        if not self.wanted.every_row or self.passed < self.wanted.offset:
            return all(map(self.take, records, parse_records(records, self.delimiter)))
        fitting = records[: self._room.rows_left]
        return self._show_all(fitting) and len(fitting) == len(records)

    def page(self, *, ended: bool, total: int | None) -> Page:
        """What was collected.

        Args:
            ended: whether there are no more records.
            total: rows of the result.
        """
        is_raw = self.wanted.is_all and not self._omitted and not self._cut
        return Page(
            columns=self._columns,
            columns_omitted=self._omitted,
            rows=tuple(self._rows),
            wanted=self.wanted,
            delimiter=self.delimiter,
            next_offset=None if ended else self.wanted.offset + len(self._rows),
            total=total,
            cut_cells=tuple(self._cut),
            raw=b"".join([self.header, *self._raw]) if is_raw else None,
        )

    def _is_wanted(self, cells: Sequence[str]) -> bool:
        if self.wanted.every_row:
            return True
        place = self._error_place
        return place is not None and place < len(cells) and self.wanted.has(cells[place])

    def _show_all(self, records: Sequence[bytes]) -> bool:
        assert self._room is not None
        rows = parse_records(records, self.delimiter)
        shown = self._room.admit_all([self._chosen(cells) for cells in rows] if self.wanted.columns else rows)
        if shown is None:
            return all(map(self._show, records, rows))
        self._rows += shown
        self._raw += records
        return True

    def _chosen(self, cells: Sequence[str]) -> tuple[str, ...]:
        if self.wanted.columns:
            return tuple(cells[place] if place < len(cells) else "" for place in self._places)
        return tuple(cells[: len(self._columns)])

    def _show(self, record: bytes, cells: Sequence[str]) -> bool:
        assert self._room is not None
        chosen = self._chosen(cells)
        shown = self._room.admit(chosen)
        if shown is None:
            return False
        if shown != chosen:
            row, compared = self.wanted.offset + len(self._rows), zip(self._columns, shown, chosen, strict=False)
            self._cut += [CutCell(row, name, len(whole)) for name, cell, whole in compared if cell != whole]
        self._rows.append(shown)
        self._raw.append(record)
        return True


def page_of(
    result: DownloadedResult, delimiter: str, wanted: PageRequest, budget: PageSize, in_time: Callable[[], bool]
) -> Page:
    """The page of a result that is here, with the causes of all its rows.

    Args:
        result: that is read.
        delimiter: between its cells.
        wanted: what is shown.
        budget: what fits.
        in_time: whether to go on passing over rows that are not wanted.

    Raises:
        InvalidArgument: the result has no such column.
        OSError: the result can't be read any more.
    """
    first = wanted.offset if wanted.every_row else 0
    builder = PageBuilder(result.index.header, delimiter, wanted, budget, passed=first)
    ended, read = True, 0
    with result.path.open("rb", buffering=CHUNK_BYTES) as file:
        for records in result.index.record_lists(file, first):
            read += len(records)
            if not builder.take_all(records) or (read >= ROWS_BETWEEN_LOOKS and not in_time()):
                ended = False
                break
    total = result.index.rows
    return replace(builder.page(ended=ended, total=total), causes=result.causes, rows_read=total, path=result.path)


def not_here_yet(wanted: PageRequest, fetched_bytes: int) -> Page:
    """In place of the page of a result that is still on its way, of which so many bytes are here."""
    return Page((), 0, (), wanted, ",", wanted.offset, None, fetched_bytes=fetched_bytes)


def _places(wanted: Sequence[str], names: Sequence[str]) -> Sequence[int]:
    """Where the wanted columns stand.

    Raises:
        InvalidArgument: there is no such column.
    """
    if not wanted or not names:
        return range(len(names))
    by_name = {name.lower(): place for place, name in reversed(list(enumerate(names)))}
    missing = [name for name in wanted if name.lower() not in by_name]
    if missing:
        there = quoted_names(names, COLUMNS_SHOWN)
        raise InvalidArgument(f"columns names {missing[0][:60]!r}, which the result does not have. There are: {there}.")
    return [by_name[name.lower()] for name in wanted]
