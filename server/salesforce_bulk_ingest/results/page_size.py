"""The page size: how many rows and columns of a result fit into one answer.

By default an answer costs a model at most 8,000 tokens (characters / 4) in its text and in its structure. Rows and columns
share what headings, error groups and sentences leave. An explicit limit goes beyond, up to what one message can carry.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.text import cut

DEFAULT_ROWS = 50
MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class PageSize:
    """The limits of a page. An answer has the rows twice: as CSV in its text, and as JSON in its structure.

    Attributes:
        rows: most rows.
        half_chars: most characters of the rows in the text, and in the structure.
        wire_bytes: most bytes of the rows in text and structure together, as JSON with escapes.
        header_chars: most characters of the column names in the text, and in the structure.
        name_chars: length of the longest column name that is shown whole, in characters.
    """

    rows: int
    half_chars: int
    wire_bytes: int
    header_chars: int
    name_chars: int


def default_page_size() -> PageSize:
    """Return a size of 50 rows or what a model can well read, whichever is reached first."""
    return PageSize(DEFAULT_ROWS, half_chars=16_000, wire_bytes=200_000, header_chars=5_000, name_chars=500)


def requested_page_size(rows: int) -> PageSize:
    """Return the size that a caller asks for, up to 1,000 rows and what fits into a message of 512 KiB."""
    return PageSize(min(rows, MOST_ROWS), half_chars=384_000, wire_bytes=384_000, header_chars=40_000, name_chars=500)


def fit_columns(columns: Sequence[str], page_size: PageSize) -> tuple[str, ...]:
    """Return as many of the columns as fit on a page, at least one; long names are cut."""
    room = page_size.header_chars
    fitting: list[str] = []
    for name in columns:
        name = cut(name, page_size.name_chars)
        room -= len(json.dumps(name)) + 1
        if room < 0 and fitting:
            break
        fitting.append(name)
    return tuple(fitting)


class PageRoom:
    """The room that is left for rows on one page.

    Rows are shown whole. A row that is too long for any page gets a page of its own, with its cells cut.

    Args:
        page_size: limits of the page.
        column_count: number of cells that are shown of each row.

    Attributes:
        rows_left: how many more rows the page may have.
    """

    def __init__(self, page_size: PageSize, column_count: int) -> None:
        self._page_size = page_size
        self._column_count = column_count
        self.rows_left = page_size.rows
        self._chars_left = page_size.half_chars
        self._bytes_left = page_size.wire_bytes
        self._empty = True

    def admit_all(self, rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]] | None:
        """Return the rows as the page shows them, or None, with no row admitted, where a row does not fit whole."""
        shown = self._shown(rows)
        return shown if self._admit_whole(shown, _cost(shown)) else None

    def admit_quoted(self, rows: Sequence[tuple[str, ...]], data: bytes, delimiter: str) -> bool:
        """Admit rows if all of them fit whole, as `admit_all` does, in less time; return whether they do.

        Args:
            rows: rows as wide as the page, with no quote in a cell.
            data: the rows as CSV, with each cell in quotes.
            delimiter: delimiter of the CSV.
        """
        return self._admit_whole(rows, _cost_of_quoted(rows, data, delimiter) or _cost(rows))

    def admit(self, row: Sequence[str]) -> tuple[str, ...] | None:
        """Return the row as the page shows it, or None where it no longer fits. The first row of a page always fits."""
        if self.rows_left == 0:
            return None
        shown = tuple(row[: self._column_count])
        cost = _cost([shown])
        if not self._has_room(cost):
            if not self._empty:
                return None
            shown = self._cut_to_fit(shown)
            cost = _cost([shown])
            self.rows_left = 1
        self._take(1, cost)
        return shown

    def _shown(self, rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        if max(map(len, rows), default=0) <= self._column_count:
            return list(map(tuple, rows))  # a tuple, as a parsed row is, stays the same
        return [tuple(row[: self._column_count]) for row in rows]

    def _admit_whole(self, rows: Sequence[tuple[str, ...]], cost: tuple[int, int]) -> bool:
        if len(rows) > self.rows_left or not self._has_room(cost):
            return False
        self._take(len(rows), cost)
        return True

    def _has_room(self, cost: tuple[int, int]) -> bool:
        chars, on_wire = cost
        return chars <= self._chars_left and on_wire <= self._bytes_left

    def _take(self, rows: int, cost: tuple[int, int]) -> None:
        chars, on_wire = cost
        self._empty = False
        self.rows_left -= rows
        self._chars_left -= chars
        self._bytes_left -= on_wire

    def _cut_to_fit(self, row: Sequence[str]) -> tuple[str, ...]:
        """Return the row with cells as long as fit, or with "…" in place of cells where no cut makes it fit."""
        longest = self._page_size.half_chars
        while longest > 0:
            shown = _cut_cells(row, longest)
            if self._has_room(_cost([shown])):
                return shown
            longest //= 2
        return tuple(cell if not cell or (len(cell) == 1 and cell.isprintable()) else "…" for cell in row)


def _cut_cells(row: Sequence[str], longest: int) -> tuple[str, ...]:
    return tuple(cut(cell, longest) for cell in row)


_readable = json.JSONEncoder(ensure_ascii=False).encode


_PLAIN = bytes(set(range(ord(" "), ord("~") + 1)) - set(b'"\\'))
"""The ASCII characters that have no escape in JSON."""

_ESCAPED_BY_ONE = b'"\\\n\r\t'
"""Characters of which the escape is one longer."""


def _cost(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return the characters of the rows in the longer of text and structure, and the bytes of both on the wire.

    JSON is longer than CSV. On the wire CSV is longer where each cell is quoted, as in the results of Salesforce: each quote
    has an escape. Rows cost together what they cost one by one.
    """
    text = "".join(map("".join, rows))
    return _cost_of(_escaped(text), text.count('"'), sum(map(len, rows)), len(rows))


def _cost_of_quoted(rows: Sequence[Sequence[str]], data: bytes, delimiter: str) -> tuple[int, int] | None:
    """Return what `_cost` returns by a look at the CSV alone; None where that does not show the lengths of the escapes.

    Args:
        rows: rows of one width, with no quote in a cell.
        data: the rows as CSV, with each cell in quotes.
        delimiter: delimiter of the CSV.
    """
    width = len(rows[0])
    line_end = b"\r\n" if data.endswith(b"\r\n") else b"\n"
    around_cells = delimiter.encode().join([b'""'] * width) + line_end
    escaped, around = _escaped_ascii(data if data.endswith(line_end) else data + line_end), _escaped_ascii(around_cells)
    if escaped is None or around is None:
        return None
    of_cells = escaped - len(rows) * around
    return _cost_of((of_cells, of_cells), 0, len(rows) * width, len(rows))


def _cost_of(escaped: tuple[int, int], quotes: int, cells: int, rows: int) -> tuple[int, int]:
    """Return the cost of rows by the length of their texts, see `_escaped`, and the number of quotes in them."""
    chars, on_wire = escaped
    return chars + 4 * cells + 3 * rows, 2 * on_wire + 9 * cells + 2 * quotes + 8 * rows


def _escaped(text: str) -> tuple[int, int]:
    """Return the length of a text in readable JSON and in JSON of ASCII alone, without its quotes."""
    escaped = _escaped_ascii(text.encode()) if text.isascii() else None
    if escaped is not None:
        return escaped, escaped
    return len(_readable(text)) - 2, len(json.dumps(text)) - 2


def _escaped_ascii(text: bytes) -> int | None:
    """Return the length of an ASCII text in JSON, without its quotes; None for another text, or one with rare escapes."""
    if not text.isascii():
        return None
    escaped = text.translate(None, _PLAIN)  # no other way to look at each character is as fast
    return None if escaped.strip(_ESCAPED_BY_ONE) else len(text) + len(escaped)
