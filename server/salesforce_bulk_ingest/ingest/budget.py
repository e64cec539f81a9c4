"""How much of a result goes into one answer.

By default an answer costs a model at most 8,000 tokens (characters / 4) in either half, so rows and columns share what
headings, causes and sentences leave. An explicit limit goes beyond, up to what one message can carry.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.ingest.csv_records import format_record

DEFAULT_ROWS = 50
MOST_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Budget:
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


def default_budget() -> Budget:
    """50 rows or what a model can well read, whichever is first."""
    return Budget(DEFAULT_ROWS, half_chars=16_000, wire_bytes=200_000, header_chars=5_000, name_chars=500)


def explicit_budget(rows: int) -> Budget:
    """What the caller asked for, up to 1,000 rows and what fits into a message of 512 KiB."""
    return Budget(min(rows, MOST_ROWS), half_chars=400_000, wire_bytes=400_000, header_chars=40_000, name_chars=500)


def fit_columns(columns: Sequence[str], budget: Budget) -> tuple[str, ...]:
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


def cut(cell: str, longest: int) -> str:
    """The cell, or its beginning with the number of characters left out."""
    if len(cell) <= longest:
        return cell
    return f"{cell[:longest]}…[+{len(cell) - longest}]"


class RowRoom:
    """What is left for rows on one page. Rows are whole; one that is too long for any page is one of its own, cut."""

    def __init__(self, budget: Budget, columns: int) -> None:
        self._budget = budget
        self._columns = columns
        self._rows_left = budget.rows
        self._chars_left = budget.half_chars
        self._bytes_left = budget.wire_bytes
        self._empty = True

    def admit(self, row: Sequence[str]) -> tuple[str, ...] | None:
        """The row as it will be shown, or None where it no longer fits. The first row of a page always does."""
        if self._rows_left == 0:
            return None
        shown = tuple(row[: self._columns])
        chars, on_wire = _cost(shown)
        if chars > self._chars_left or on_wire > self._bytes_left:
            if not self._empty:
                return None
            shown = self._squeezed(shown)
            chars, on_wire = _cost(shown)
            self._rows_left = 1
        self._empty = False
        self._rows_left -= 1
        self._chars_left -= chars
        self._bytes_left -= on_wire
        return shown

    def _squeezed(self, row: Sequence[str]) -> tuple[str, ...]:
        """The row with the longest cells that fit, or, where a page is all columns, a sign in place of each cell."""
        longest = self._budget.half_chars
        while longest > 0:
            shown = _cut_cells(row, longest)
            if self._fits(shown):
                return shown
            longest //= 2
        return tuple(cell if not cell or (len(cell) == 1 and cell.isprintable()) else "…" for cell in row)

    def _fits(self, row: tuple[str, ...]) -> bool:
        chars, on_wire = _cost(row)
        return chars <= self._chars_left and on_wire <= self._bytes_left


_ESCAPED = frozenset('"\\')


def _cut_cells(row: Sequence[str], longest: int) -> tuple[str, ...]:
    return tuple(cut(cell, longest) for cell in row)


def _cost(row: Sequence[str]) -> tuple[int, int]:
    """Characters in the dearer half, and bytes of both halves on the wire."""
    text = "".join(row)
    if text.isascii() and text.isprintable() and _ESCAPED.isdisjoint(text):
        # Most rows: nothing in them grows in JSON, so that all there is to add are quotes and what stands between cells.
        quoted = 2 * len(row) if "," in text else 0
        return len(text) + 4 * len(row) + 3, 2 * len(text) + 5 * len(row) + 2 * quoted + 8
    line = format_record(row)
    structured = json.dumps(row, ensure_ascii=False)
    on_wire = len(json.dumps(row)) + len(json.dumps(line))
    return max(len(line), len(structured)) + 1, on_wire
