"""How much of a result goes into one answer.

By default an answer costs a model at most 8,000 tokens (characters / 4) in either half, so rows and columns share what
headings, causes and sentences leave. An explicit limit goes beyond, up to what one message can carry.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.csvio.writer import format_records

DEFAULT_ROWS = 50
MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class PageSize:
    """Room for a page.

    Attributes:
        rows: most rows.
        half_chars: characters for the rows in either half of the answer.
        wire_bytes: bytes for the rows of both halves together, as JSON with escapes.
        header_chars: characters for the column names in either half.
        name_chars: longest column name that is shown whole.
    """

    rows: int
    half_chars: int
    wire_bytes: int
    header_chars: int
    name_chars: int


def default_page_size() -> PageSize:
    """50 rows or what a model can well read, whichever is first."""
    return PageSize(DEFAULT_ROWS, half_chars=16_000, wire_bytes=200_000, header_chars=5_000, name_chars=500)


def requested_page_size(rows: int) -> PageSize:
    """What the caller asked for, up to 1,000 rows and what fits into a message of 512 KiB."""
    return PageSize(min(rows, MOST_ROWS), half_chars=400_000, wire_bytes=400_000, header_chars=40_000, name_chars=500)


def fit_columns(columns: Sequence[str], budget: PageSize) -> tuple[str, ...]:
    """As many of the columns as there is room for, at least one."""
    room = budget.header_chars
    fitting: list[str] = []
    for name in columns:
        name = cut(name, budget.name_chars)
        room -= len(json.dumps(name)) + 1
        if room < 0 and fitting:
            break
        fitting.append(name)
    return tuple(fitting)


class PageRoom:
    """What is left for rows on one page. Rows are whole; one that is too long for any page is one of its own, cut.

    Attributes:
        rows_left: how many more there may be.
    """

    def __init__(self, budget: PageSize, columns: int) -> None:
        self._budget = budget
        self._columns = columns
        self.rows_left = budget.rows
        self._chars_left = budget.half_chars
        self._bytes_left = budget.wire_bytes
        self._empty = True

    def admit_all(self, rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]] | None:
        """The rows as they will be shown; None, and room for none of them, where `admit` would not show each whole."""
        if len(rows) > self.rows_left:
            return None
        shown = [tuple(row[: self._columns]) for row in rows]
        cost = _cost(shown)
        if not self._has_room(cost):
            return None
        self._take(len(rows), cost)
        return shown

    def admit(self, row: Sequence[str]) -> tuple[str, ...] | None:
        """The row as it will be shown, or None where it no longer fits. The first row of a page always does."""
        if self.rows_left == 0:
            return None
        shown = tuple(row[: self._columns])
        cost = _cost([shown])
        if not self._has_room(cost):
            if not self._empty:
                return None
            shown = self._squeezed(shown)
            cost = _cost([shown])
            self.rows_left = 1
        self._take(1, cost)
        return shown

    def _has_room(self, cost: tuple[int, int]) -> bool:
        chars, on_wire = cost
        return chars <= self._chars_left and on_wire <= self._bytes_left

    def _take(self, rows: int, cost: tuple[int, int]) -> None:
        chars, on_wire = cost
        self._empty = False
        self.rows_left -= rows
        self._chars_left -= chars
        self._bytes_left -= on_wire

    def _squeezed(self, row: Sequence[str]) -> tuple[str, ...]:
        """The row with the longest cells that fit, or, where a page is all columns, a sign in place of each cell."""
        longest = self._budget.half_chars
        while longest > 0:
            shown = _cut_cells(row, longest)
            if self._has_room(_cost([shown])):
                return shown
            longest //= 2
        return tuple(cell if not cell or (len(cell) == 1 and cell.isprintable()) else "…" for cell in row)


def _cut_cells(row: Sequence[str], longest: int) -> tuple[str, ...]:
    return tuple(cut(cell, longest) for cell in row)


_PLAIN = bytes(code for code in range(ord(" "), ord("~") + 1) if chr(code) not in '"\\')
_readable = json.JSONEncoder(ensure_ascii=False).encode


def _is_plain(text: str) -> bool:
    """Whether nothing in it grows in JSON."""
    return text.isascii() and not text.encode("ascii").translate(None, _PLAIN)


def _cost(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Characters of the rows in the dearer half, and bytes of both halves on the wire."""
    texts = ["".join(row) for row in rows]
    if _is_plain("".join(texts)):
        return _cost_of_plain(rows, texts)
    is_plain = list(map(_is_plain, texts))
    chars, on_wire = _cost_of_plain(list(compress(rows, is_plain)), list(compress(texts, is_plain)))
    more_chars, more_on_wire = _cost_of_others([row for row, plain in zip(rows, is_plain, strict=True) if not plain])
    return chars + more_chars, on_wire + more_on_wire


def _cost_of_plain(rows: Sequence[Sequence[str]], texts: Sequence[str]) -> tuple[int, int]:
    """Most rows: all there is to add to their text are quotes and what stands between cells."""
    chars, cells = sum(map(len, texts)), sum(map(len, rows))
    quoted = 2 * sum([len(row) for row, text in zip(rows, texts, strict=True) if "," in text])
    return chars + 4 * cells + 3 * len(rows), 2 * chars + 5 * cells + 2 * quoted + 8 * len(rows)


def _cost_of_others(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The half with JSON is the dearer one: quotes stand around each cell there, and around some of them in CSV."""
    text, cells = "".join(map("".join, rows)), sum(map(len, rows))
    quotes = len(format_records(rows)) - len(text) - cells if any(mark in text for mark in ',"\r\n') else 0
    chars = len(_readable(text)) - 2 + 4 * cells + len(rows)
    return chars, 2 * (len(json.dumps(text)) - 2) + 5 * cells + 2 * quotes + 3 * len(rows)
