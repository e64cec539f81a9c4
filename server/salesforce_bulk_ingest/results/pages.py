"""Pages of a result: the rows that a caller chooses, from an offset on, as many as fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.csvio.cells import parse_quoted_records, parse_record, parse_records
from salesforce_bulk_ingest.csvio.row_index import CHUNK_BYTES, RecordRun
from salesforce_bulk_ingest.csvio.writer import format_records
from salesforce_bulk_ingest.loading.column_names import check_names
from salesforce_bulk_ingest.results.completeness import Completeness
from salesforce_bulk_ingest.results.downloads import DownloadedResult, masked_error_groups
from salesforce_bulk_ingest.results.error_groups import MOST_GROUPS, ErrorGroup
from salesforce_bulk_ingest.results.page_size import PageRoom, PageSize, fit_columns
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, ErrorFilter
from salesforce_bulk_ingest.results.row_mask import RowMask
from salesforce_bulk_ingest.results.source_order import LINE_COLUMN

ROWS_BETWEEN_TIME_CHECKS = 1_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The rows and columns of a result that a caller asks for.

    Attributes:
        offset: number of chosen rows to pass over.
        columns: names of the columns to show, in this order; none shows all. `sf__Line`, which no result has, stands for the
            lines of the source.
        errors: filter that chooses rows by their error.
    """

    offset: int = 0
    columns: tuple[str, ...] = ()
    errors: ErrorFilter = field(default_factory=ErrorFilter)

    @property
    def is_all(self) -> bool:
        """Whether the caller asks for every row and every column."""
        return not self.columns and self.errors.is_empty

    @property
    def names_lines(self) -> bool:
        """Whether the caller asks for the lines of the source."""
        return any(map(_is_of_lines, self.columns))


@dataclass(frozen=True, slots=True)
class CutCell:
    """A cell that is too long to be shown whole.

    Attributes:
        row: offset of the row.
        column: name of the column.
        characters: length of the whole cell, in characters.
    """

    row: int
    column: str
    characters: int


@dataclass(frozen=True, slots=True)
class SavedRows:
    """What became of the wish to save all rows of a result in a file.

    Attributes:
        path: path of the file.
        status: whether the call made the file; whether an equal one was there; or why there is none: the result is not whole
            yet, its rows are still put in order, or it has none.
    """

    path: Path
    status: Literal["saved", "was there", "not whole", "not in order", "no rows"]

    @property
    def is_there(self) -> bool:
        """Whether the file is there."""
        return self.status in ("saved", "was there")

    @property
    def is_done(self) -> bool:
        """Whether the same call would do nothing more."""
        return self.is_there or self.status == "no rows"


@dataclass(frozen=True, slots=True)
class RetriedInJob:
    """Where rows of a job that did not load them went again.

    Attributes:
        job_id: the id of the job that took some of them, the last where they are several.
        is_ended: whether that job has ended, or nothing is known of it any more.
        rows: the number of those that went again for sure.
        of: the number of all of them.
    """

    job_id: str
    is_ended: bool
    rows: int
    of: int

    @property
    def are_all(self) -> bool:
        """Whether all of them went again."""
        return self.rows == self.of


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a result.

    Attributes:
        columns: names of the columns that are shown.
        columns_omitted: number of columns that did not fit.
        row_numbers: the number of each row in the result, the first row being row 0.
        lines: the line of the source on which each row begins, None where it is not known; none where no line is known.
        rows: the rows, with as many cells as columns; long cells are cut and marked with the number of characters left out.
        request: the request of the caller.
        delimiter: delimiter of the result.
        next_offset: offset of the next page; None at the end of the result.
        total: number of rows in the whole result; None where not all of it was read.
        chosen: number of chosen rows in the whole result; None where that is not known.
        cut_cells: the cells that are not shown whole.
        hidden_columns: names of the columns of the result whose cells are masked.
        error_groups: the errors of all chosen rows that were read, the most frequent group first.
        rows_read: number of rows that the error groups stand for.
        records: header and rows as Salesforce gave them, where the page shows all of them unchanged.
        fetched_bytes: bytes of the result that have come in so far, where the download is not finished.
        path: path of the downloaded result, where it is kept.
        source_order_path: path of the whole result in source order, where the caller asked for it.
        saved: what became of the wish to save all rows in a file; None where the caller did not ask for one.
        retried: where rows of the whole result went again; None where none did, or that is not known.
        completeness: what speaks for or against the result being whole; None where its job has not ended, or not all of it
            was read.
    """

    columns: tuple[str, ...]
    columns_omitted: int
    rows: tuple[tuple[str, ...], ...]
    request: PageRequest
    delimiter: str
    next_offset: int | None
    total: int | None
    chosen: int | None = None
    row_numbers: tuple[int, ...] = ()
    lines: tuple[int | None, ...] = ()
    cut_cells: tuple[CutCell, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    error_groups: tuple[ErrorGroup, ...] = ()
    rows_read: int = 0
    records: bytes | None = None
    fetched_bytes: int | None = None
    path: Path | None = None
    source_order_path: Path | None = None
    saved: SavedRows | None = None
    retried: RetriedInJob | None = None
    completeness: Completeness | None = None

    @property
    def is_short(self) -> bool:
        """Whether the result may have more rows than Salesforce gave, so that it is to be fetched again."""
        return self.completeness is not None and not self.completeness.is_whole

    @property
    def offset(self) -> int:
        """The number of chosen rows before this page."""
        return self.request.offset

    @property
    def is_cut_off(self) -> bool:
        """Whether time ran out before any row of this page was read."""
        return not self.rows and self.next_offset is not None

    def as_csv(self) -> str:
        """Return header and rows as CSV: the bytes of the result where the page shows all of them unchanged.

        Lines come in a first column where the caller asks for one.
        """
        if self.records is not None:
            return self.records.decode("utf-8", "replace")
        records = self.records_with_lines() if self.request.names_lines else (self.columns, *self.rows)
        return format_records(records, self.delimiter) if self.columns else ""

    def records_with_lines(self) -> list[tuple[str, ...]]:
        """Return header and rows with a first column of lines, empty where these are not known."""
        lines = (str(line or "") for line in self.lines or (None,) * len(self.rows))
        firsts = (LINE_COLUMN, *lines)
        return [(first, *record) for first, record in zip(firsts, (self.columns, *self.rows), strict=True)]


class PageBuilder:
    """Builds one page from the records of a result.

    Args:
        header: first record of the result; empty for a result without one.
        delimiter: delimiter of the result.
        request: the rows and columns that the caller asks for.
        page_size: limits of the page.
        rows_passed: number of chosen rows before the first record that is added.
        hidden: the fields whose cells are masked.

    Attributes:
        names: names of all columns of the result.
        mask: the mask of the rows.
        rows_passed: number of chosen rows that were passed over.

    Raises:
        InvalidArgument: the result lacks a column that the caller asks for.
    """

    def __init__(
        self,
        header: bytes,
        delimiter: str,
        request: PageRequest,
        page_size: PageSize,
        rows_passed: int = 0,
        hidden: HiddenFields = NOTHING_HIDDEN,
    ) -> None:
        self.names = parse_record(header, delimiter) if header else ()
        self.mask = RowMask(self.names, hidden)
        self.rows_passed = rows_passed
        self._header = header
        self._delimiter = delimiter
        self._request = request
        indexes = _column_indexes(request.columns, self.names)
        requested = [self.names[index] for index in indexes]
        self._columns = fit_columns(requested, page_size) if requested else ()
        self._column_indexes = indexes[: len(self._columns)]
        self._columns_omitted = len(requested) - len(self._columns)
        self._error_index = self.names.index(ERROR_COLUMN) if ERROR_COLUMN in self.names else None
        self._room = PageRoom(page_size, len(self._columns))
        self._rows: list[tuple[str, ...]] = []
        self._row_numbers: list[int] = []
        self._next_row = rows_passed
        self._cut_cells: list[CutCell] = []
        self._raw: list[bytes] = []

    def add(self, record: bytes, cells: Sequence[str]) -> bool:
        """Add the next record of the result, and its cells as the mask leaves them.

        Returns:
            False if the page is full, so that the record belongs to the next page.
        """
        self._next_row += 1
        if not self._is_chosen(cells):
            return True
        if self.rows_passed < self._request.offset:
            self.rows_passed += 1
            return True
        return self._show(record, cells)

    def add_all(self, run: RecordRun) -> bool:
        """Add the next records of the result, as `add` does one after the other, in less time."""
        if not self._request.errors.is_empty or self.rows_passed < self._request.offset:
            return all(map(self.add, run.records, self._parsed(run.records)))
        if len(run) > self._room.rows_left:
            fitting = run.records[: self._room.rows_left]
            return self._show_all(fitting, self._parsed(fitting)) and len(fitting) == len(run)
        quoted = parse_quoted_records(run.data, len(run), self._delimiter)
        if quoted is None:
            return self._show_all(run.records, self._parsed(run.records))
        rows = self.mask.rows(quoted)
        return self._show_run(run.data, quoted, rows) or self._show_halves(run.records, rows)

    def pass_over(self, rows: int) -> None:
        """Pass over the first rows of the result, as if they had been added."""
        self.rows_passed = self._next_row = rows

    def page(self, *, ended: bool, total: int | None) -> Page:
        """Return the page.

        Args:
            ended: whether the result has no more records.
            total: number of rows in the whole result; None if not all of it was read.
        """
        is_raw = self._request.is_all and not self._columns_omitted and not self._cut_cells and not self.mask
        return Page(
            columns=self._columns,
            columns_omitted=self._columns_omitted,
            rows=tuple(self._rows),
            request=self._request,
            delimiter=self._delimiter,
            next_offset=None if ended else self._request.offset + len(self._rows),
            total=total,
            row_numbers=tuple(self._row_numbers),
            cut_cells=tuple(self._cut_cells),
            hidden_columns=self.mask.hidden_names,
            records=b"".join((self._header, *self._raw)) if is_raw else None,
        )

    def _is_chosen(self, cells: Sequence[str]) -> bool:
        errors, index = self._request.errors, self._error_index
        if errors.is_empty:
            return True
        return index is not None and index < len(cells) and errors.matches(cells[index])

    def _show_all(self, records: Sequence[bytes], rows: Sequence[Sequence[str]]) -> bool:
        """Show as many of the rows as fit; return whether all do."""
        return self._show_together(records, rows) or self._show_halves(records, rows)

    def _show_halves(self, records: Sequence[bytes], rows: Sequence[Sequence[str]]) -> bool:
        """Show as many as fit of rows that do not fit together; return whether all do."""
        half = len(rows) // 2
        if not half:
            return all(map(self.add, records, rows))
        return self._show_all(records[:half], rows[:half]) and self._show_all(records[half:], rows[half:])

    def _show_run(self, data: bytes, quoted: Sequence[tuple[str, ...]], rows: Sequence[Sequence[str]]) -> bool:
        """Show the rows of a run, as the mask leaves them, if all of them fit; return whether they do."""
        if self.mask or self._request.columns or len(quoted[0]) != len(self._columns):
            return self._show_together([data], rows)
        if not self._room.admit_quoted(quoted, data, self._delimiter):
            return False
        self._add_shown([data], quoted)
        return True

    def _show_together(self, data: Sequence[bytes], rows: Sequence[Sequence[str]]) -> bool:
        """Show rows, given their bytes in pieces, if all of them fit; return whether they do."""
        shown_rows = self._room.admit_all([self._requested(cells) for cells in rows] if self._request.columns else rows)
        if shown_rows is None:
            return False
        self._add_shown(data, shown_rows)
        return True

    def _add_shown(self, data: Sequence[bytes], shown_rows: Sequence[tuple[str, ...]]) -> None:
        self._rows += shown_rows
        self._row_numbers += range(self._next_row, self._next_row + len(shown_rows))
        self._next_row += len(shown_rows)
        self._raw += data

    def _parsed(self, records: Sequence[bytes]) -> Sequence[Sequence[str]]:
        return self.mask.rows(parse_records(records, self._delimiter))

    def _requested(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the cells of the columns that are shown."""
        if self._request.columns:
            return tuple(cells[index] if index < len(cells) else "" for index in self._column_indexes)
        return tuple(cells[: len(self._columns)])

    def _show(self, record: bytes, cells: Sequence[str]) -> bool:
        requested = self._requested(cells)
        shown_row = self._room.admit(requested)
        if shown_row is None:
            return False
        if shown_row != requested:
            row = self._request.offset + len(self._rows)
            compared = zip(self._columns, shown_row, requested, strict=False)
            self._cut_cells += [CutCell(row, name, len(whole)) for name, cell, whole in compared if cell != whole]
        self._rows.append(shown_row)
        self._row_numbers.append(self._next_row - 1)
        self._raw.append(record)
        return True


def page_of(
    result: DownloadedResult,
    delimiter: str,
    request: PageRequest,
    page_size: PageSize,
    in_time: Callable[[], bool],
    hidden: HiddenFields = NOTHING_HIDDEN,
) -> Page:
    """Return a page of a downloaded result, with the error groups of all its rows.

    Args:
        result: the result.
        delimiter: delimiter of the result.
        request: the rows and columns that the caller asks for.
        page_size: limits of the page.
        in_time: returns whether there is time to read more rows that are not chosen.
        hidden: the fields whose cells are masked, of the object of the job.

    Raises:
        InvalidArgument: the result lacks a column that the caller asks for.
        OSError: the result can't be read any more.
    """
    first = request.offset if request.errors.is_empty else 0
    builder = PageBuilder(result.index.header, delimiter, request, page_size, rows_passed=first, hidden=hidden)
    ended, rows_read = True, 0
    with result.path.open("rb", buffering=CHUNK_BYTES) as file:
        for run in result.index.runs(file, first):
            rows_read += len(run)
            if not builder.add_all(run) or (rows_read >= ROWS_BETWEEN_TIME_CHECKS and not in_time()):
                ended = False
                break
    total = result.index.rows
    page = replace(
        builder.page(ended=ended, total=total),
        rows_read=total,
        path=result.path if result.completeness.is_whole else None,
        completeness=result.completeness,
    )
    return with_error_groups(page, masked_error_groups(result, delimiter, builder.mask))


def with_lines(page: Page, line_of: Callable[[int], int | None]) -> Page:
    """Return a page with the lines of its rows, and of the examples of its error groups.

    Args:
        page: the page.
        line_of: returns the line of a row by its number in the result.
    """
    lines = tuple(map(line_of, page.row_numbers))
    groups = tuple(
        replace(group, examples=tuple(replace(each, line=line_of(each.offset)) for each in group.examples))
        for group in page.error_groups
    )
    return replace(page, lines=lines if any(lines) else (), error_groups=groups)


def with_error_groups(page: Page, groups: Sequence[ErrorGroup]) -> Page:
    """Return a page with the error groups of the rows that its request chooses.

    Args:
        page: the page.
        groups: the error groups of all rows that were read.
    """
    errors = page.request.errors
    chosen = tuple(group for group in groups if group.is_chosen(errors))
    are_known = errors.is_empty or len(groups) <= MOST_GROUPS
    count = page.total if errors.is_empty else sum(group.count for group in chosen)
    return replace(page, error_groups=chosen, chosen=count if page.total is not None and are_known else None)


def unfinished_download_page(request: PageRequest, fetched_bytes: int) -> Page:
    """Return a page without rows for a result whose download is not finished."""
    return Page((), 0, (), request, ",", request.offset, None, fetched_bytes=fetched_bytes)


def _column_indexes(requested: Sequence[str], names: Sequence[str]) -> Sequence[int]:
    """Return the indexes of the requested columns, or of all columns where none is requested.

    Raises:
        InvalidArgument: a requested column does not exist.
    """
    requested = [name for name in requested if name in names or not _is_of_lines(name)]
    if not requested or not names:
        return range(len(names))
    by_name = {name.lower(): index for index, name in reversed(list(enumerate(names)))}
    check_names("columns", requested, names)
    return [by_name[name.lower()] for name in requested]


def _is_of_lines(name: str) -> bool:
    return name.lower() == LINE_COLUMN.lower()
