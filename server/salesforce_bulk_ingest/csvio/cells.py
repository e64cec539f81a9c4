"""The parsing of CSV records into cells.

The text of a block is parsed by splitting where splitting is certain to be right, and by the csv module otherwise. Splitting
takes less than half the time of the csv module, for it takes no step for each row: the end of each row becomes a cell of its
own, and the places of these cells show how wide the rows are. Nearly all files are written without quotes or with quotes
around every cell, and splitting is right for these two forms.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from salesforce_bulk_ingest.csvio.dialect import Dialect

if TYPE_CHECKING:
    import _csv

Record = list[str]

ROW_END = "\0"
"""The cell that stands after each row while a text is split; a text that has this character itself is not split."""

LONG_RUN = 8
"""The number of successive line ends from which on blank lines are removed; a shorter run is not worth the search."""


class ParsedBlock:
    """The rows of one block, without blank lines. Exactly one of `rows`, `cells` and `columns` is given.

    Args:
        width: the number of columns of the header; rows may be narrower or wider.
        find_lines: returns the line of the source on which each row begins; called only if the lines are needed.
        rows: the cells of each row.
        cells: the cells of all rows in one list, with one more after each row; every row is as wide as the header.
        columns: the cells of each column.

    Attributes:
        is_split: whether the text was parsed by splitting, which proves its quotes and the widths of its rows right.
        is_line_by_line: whether this also proves that each line of the text is a row, whose end is that of the dialect, and
            that no cell has a line break.
    """

    def __init__(
        self,
        width: int,
        find_lines: Callable[[], Sequence[int]],
        *,
        rows: Sequence[Sequence[str]] | None = None,
        cells: Sequence[str] | None = None,
        columns: Sequence[Sequence[str]] | None = None,
        is_line_by_line: bool = False,
    ) -> None:
        self._width = width
        self._step = width + 1
        self.find_lines = find_lines
        self.is_split = cells is not None
        self.is_line_by_line = is_line_by_line
        self._cells = cells
        self._columns = columns
        if rows is not None:
            self.rows = rows

    def __len__(self) -> int:
        if self._columns is not None:
            return len(self._columns[0])
        return len(self.rows) if self._cells is None else len(self._cells) // self._step

    @cached_property
    def rows(self) -> Sequence[Sequence[str]]:
        """The rows, each with its own number of cells."""
        return list(zip(*self.columns, strict=True))

    @cached_property
    def columns(self) -> Sequence[Sequence[str]]:
        """The cells of each column, see `column`."""
        return self._columns or [self.column(index) for index in range(self._width)]

    @cached_property
    def is_ragged(self) -> bool:
        """Whether any row is narrower or wider than the header."""
        if self._cells is not None or self._columns is not None:
            return False
        return not set(map(len, self.rows)) <= {self._width}

    @cached_property
    def lines(self) -> Sequence[int]:
        """The line of the source on which each row begins; the header is on line 1."""
        return self.find_lines()

    def line_of(self, row: int) -> int:
        """Return the line of the source on which a row begins.

        Args:
            row: the index of the row in this block.
        """
        return self.lines[row]

    def row(self, index: int) -> Sequence[str]:
        """Return the row with this index, sooner than `rows` where others are not needed."""
        if self._cells is not None:
            return self._cells[index * self._step : index * self._step + self._width]
        return self.rows[index] if self._columns is None else [column[index] for column in self._columns]

    def has_any(self, cells: frozenset[str]) -> bool:
        """Return whether one of these cells is in the block, in any row and column."""
        if self._cells is not None:
            return not cells.isdisjoint(self._cells)
        return not all(map(cells.isdisjoint, self.rows if self._columns is None else self._columns))

    def column(self, index: int) -> Sequence[str]:
        """Return the cell of each row in one column; the cell is empty where the row is too narrow."""
        if self._columns is not None:
            return self._columns[index]
        if self._cells is not None:
            return self._cells[index :: self._step]
        if self.is_ragged:
            return [row[index] if index < len(row) else "" for row in self.rows]
        return list(map(itemgetter(index), self.rows))

    def select(self, indexes: Sequence[int]) -> "ParsedBlock":
        """Return the rows with these indexes, in this order, as a block that knows their lines."""

        def find_lines() -> Sequence[int]:
            return [self.lines[index] for index in indexes]

        if self._columns is not None:
            columns = [[column[index] for index in indexes] for column in self._columns]
            selected = ParsedBlock(self._width, find_lines, columns=columns)
        else:
            selected = ParsedBlock(self._width, find_lines, rows=list(map(self.row, indexes)))
        selected.is_split = self.is_split
        return selected


def parse_block(text: str, dialect: Dialect, width: int, first_line: int = 1, quotes: int | None = None) -> ParsedBlock:
    """Parse the text of a block.

    Args:
        text: the text of whole records.
        dialect: the dialect of the text. A carriage return outside quotes that ends no line belongs to its cell.
        width: the number of columns of the header.
        first_line: the line of the source on which the text begins.
        quotes: the number of quotes of the text; None to have them counted.
    """
    quotes = text.count('"') if quotes is None else quotes
    cells, is_line_by_line = (
        _split_quoted(text, dialect.mark, dialect.newline, width, quotes)
        if quotes
        else _split_unquoted(text, dialect, width)
    )
    rows = parse_rows(_without_blank_lines(text, dialect.newline), dialect.mark) if cells is None else None
    count = len(rows or ()) if cells is None else len(cells) // (width + 1)

    # This function must not refer to the parsed block: a reference cycle would keep the cells of many blocks in memory
    # until a garbage collection.
    def find_lines() -> Sequence[int]:
        if is_line_by_line or text.count("\n", 0, -1) + 1 == count:
            return range(first_line, first_line + count)
        return _lines(text, dialect.mark, first_line)

    return ParsedBlock(width, find_lines, rows=rows, cells=cells, is_line_by_line=is_line_by_line)


def _without_blank_lines(text: str, newline: str) -> str:
    """Return the text without most of its blank lines: the csv module takes as long for a blank line as for a row."""
    if newline * LONG_RUN not in text:
        return text
    pieces, copied_to, seen, quotes = [], 0, 0, 0
    for run in re.finditer(f"(?:{newline}){{{LONG_RUN},}}+", text):
        quotes += text.count('"', seen, run.start())
        seen = run.end()
        if quotes % 2 == 0:
            pieces.append(text[copied_to : run.start() + len(newline)])
            copied_to = seen
    return "".join([*pieces, text[copied_to:]])


def parse_rows(text: str, mark: str) -> list[Record]:
    """Return the rows of a text, however badly the text is quoted.

    Args:
        text: the text of whole records.
        mark: the delimiter.
    """
    try:
        return [row for row in _reader(text, mark) if row]
    except csv.Error:  # the csv module refuses a bare carriage return and a very long cell
        return [row for _, row in _parse_patiently(text, mark)]


def parse_record(record: bytes, delimiter: str) -> tuple[str, ...]:
    """Return the cells of one record. A malformed record, as unprocessed rows can have, is a single cell with its text."""
    text = record.decode("utf-8", "replace")
    try:
        # One string, not a file: a file would end the record at a carriage return too.
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return (text.rstrip("\r\n"),)
    return tuple(cells)


def parse_records(records: Sequence[bytes], delimiter: str) -> list[tuple[str, ...]]:
    """Return the cells of each record, faster than a call of `parse_record` for each would."""
    split = parse_quoted_records(b"".join(records), len(records), delimiter)
    if split is not None:
        return split
    texts = [record.decode("utf-8", "replace") for record in records]
    try:
        rows = list(map(tuple, csv.reader(texts, delimiter=delimiter, strict=True)))
    except csv.Error:
        rows = []
    if len(rows) == len(records):
        return rows
    # A malformed record stopped the csv module, or its open quote made the module read the next records as one cell.
    return [parse_record(record, delimiter) for record in records]


def parse_quoted_records(data: bytes, count: int, delimiter: str) -> list[tuple[str, ...]] | None:
    """Return the cells of each record of some bytes by splitting, which proves where the records end.

    Args:
        data: the bytes of whole records.
        count: the number of records that are not blank.
        delimiter: the delimiter.

    Returns:
        The cells; None where not each cell is quoted, one has a quote in it, records differ in width, or a line is blank.
    """
    text = data.decode("utf-8", "replace")
    quotes = text.count('"')
    width, others = divmod(quotes, 2 * count) if count else (0, 0)
    if others or not width:
        return None
    newline = "\r\n" if text.endswith("\r\n") else "\n"
    cells, _ = _split_quoted(text, delimiter, newline, width, quotes)
    return None if cells is None else list(zip(*(cells[index :: width + 1] for index in range(width)), strict=True))


def _reader(text: str, mark: str) -> "_csv.Reader":
    # A stream whose lines end at a line feed only, since a carriage return may belong to a cell.
    return csv.reader(io.StringIO(text, newline="\n"), delimiter=mark)


def _split_unquoted(text: str, dialect: Dialect, width: int) -> tuple[list[str] | None, bool]:
    """Return the cells of a text without quotes, and whether it is line by line; see `ParsedBlock`."""
    mark, newline = dialect.mark, dialect.newline
    marked, rows = _with_row_ends(text.removesuffix(newline), newline, f"{mark}{ROW_END}{mark}")
    if "\n" in marked or "\r" in marked:
        return None, False
    cells = _if_of_width(marked.split(mark), rows, width)
    if cells is None or (width == 1 and "" in cells):
        return None, False
    return cells, True


def _split_quoted(text: str, mark: str, newline: str, width: int, quotes: int) -> tuple[list[str] | None, bool]:
    """Return the cells of a text in which each cell is quoted, and whether it is line by line; see `ParsedBlock`."""
    body = text.removesuffix(newline)
    rows, others = divmod(quotes, 2 * width)
    if others or len(body) < 2 or body[0] != '"' or body[-1] != '"':
        return None, False
    between, row_end = newline, f'{mark}"{ROW_END}"{mark}'
    # In hardly any file does a cell have a line break, and a search for one character takes a fourth of the time.
    if body.count(newline) != rows - 1:
        between, row_end = f'"{newline}"', f'"{row_end}"'
    marked, found = _with_row_ends(body, between, row_end)
    # With two quotes for each cell, no quote is inside a cell, so each delimiter between two quotes separates two cells.
    if found != rows:
        return None, False
    cells = _if_of_width(marked[1:-1].split(f'"{mark}"'), rows, width)
    return cells, cells is not None and "\n" not in marked and "\r" not in marked


def _with_row_ends(text: str, between_rows: str, row_end: str) -> tuple[str, int]:
    """Return a text with `row_end`, which is longer, for what is between two rows, and its number of rows.

    Where the text has the character ROW_END itself, it has no rows.
    """
    if ROW_END in text:
        return text, 0
    marked = text.replace(between_rows, row_end)
    return marked, 1 + (len(marked) - len(text)) // (len(row_end) - len(between_rows))


def _if_of_width(cells: list[str], rows: int, width: int) -> list[str] | None:
    """Return the cells with a ROW_END after each row; None if a row is narrower or wider than the header.

    Args:
        cells: the cells, with a ROW_END between two rows.
        rows: the number of rows.
        width: the number of columns of the header.
    """
    cells.append(ROW_END)
    are_in_place = len(cells) == rows * (width + 1) and cells[width :: width + 1].count(ROW_END) == rows
    return cells if are_in_place else None


def _lines(text: str, mark: str, first_line: int) -> Sequence[int]:
    lines = []
    line = first_line
    try:
        reader = _reader(text, mark)
        for row in reader:
            if row:
                lines.append(line)
            line = first_line + reader.line_num
    except csv.Error:
        return [first_line + text.count("\n", 0, start) for start, _ in _parse_patiently(text, mark)]
    return lines


def _parse_patiently(text: str, mark: str) -> list[tuple[int, Record]]:
    """Return each row with the position at which the row begins, parsed as the csv module would if it accepted any text."""
    rows: list[tuple[int, Record]] = []
    start, row = 0, Record()
    for match in _cell(mark).finditer(text):
        quoted, bare, end = match.group("quoted"), match.group("bare"), match.group("end")
        row.append(bare if quoted is None else quoted.replace('""', '"') + bare)
        if end != mark:
            if row != [""] or quoted is not None:
                rows.append((start, row))
            start, row = match.end(), Record()
        if match.end() == len(text) and end != mark:
            break
    return rows


@lru_cache
def _cell(mark: str) -> re.Pattern[str]:
    delimiter = re.escape(mark)
    # No possessive group: in Python 3.11.0 to 3.11.4 it matches what it must not (CPython issues 100061 and 106052).
    quoted = r'(?:"(?P<quoted>[^"]*+(?:""[^"]*+)*)(?:"|\Z))?'
    bare = rf"(?P<bare>[^\n\r{delimiter}]*+(?:\r(?!\n)[^\n\r{delimiter}]*+)*)"
    return re.compile(rf"{quoted}{bare}(?P<end>{delimiter}|\r?\n|\Z)")
