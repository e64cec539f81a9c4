"""An even sample of the rows of an upload, in constant memory, to be compared with the org; of few rows it has all.

Rows are sampled in runs of neighbours, since a mistake may show only beside the next row.
"""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.csvio.cells import ParsedBlock

LONGEST_RUN = 20
"""The number of neighbours that are sampled together."""

MOST_BYTES = 24_000_000
BYTES_BESIDE_A_CELL = 60
"""The maximum memory of a sample, and what a cell takes beside its characters."""


@dataclass(frozen=True, slots=True)
class RowSample:
    """Rows of an upload, as they are uploaded.

    Attributes:
        columns: the cells of each column.
        numbers: the number of each row among all rows, from 0.
        total: the number of all rows.
        lines: the line of the source on which each row begins; empty where not all rows are sampled, or none has a line.
    """

    columns: tuple[Sequence[str], ...]
    numbers: Sequence[int]
    total: int
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def lines_of(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Return the lines on which rows begin, by their indexes here; empty where these are not known."""
        return tuple(self.lines[row] for row in rows) if self.lines else ()

    def without(self, numbers: Collection[int]) -> Self:
        """Return the sample of the same upload without some rows."""
        if not numbers:
            return self
        others = set(numbers)
        kept = [index for index, number in enumerate(self.numbers) if number not in others]
        columns = tuple([column[index] for index in kept] for column in self.columns)
        numbers_left = [self.numbers[index] for index in kept]
        return type(self)(columns, numbers_left, self.total - len(numbers), self.lines_of(kept))


class RowSampler:
    """Takes an even sample while the rows are read: once there are too many, every second run of rows is dropped.

    Args:
        width: the number of columns.
        most_rows: the maximum number of rows; 0 for no sample.
        has_lines: whether rows have lines in their source.
    """

    def __init__(self, width: int, most_rows: int, *, has_lines: bool = False) -> None:
        self._most_rows = most_rows
        self._run = min(LONGEST_RUN, most_rows)
        self._stride = 1
        self._columns: list[list[str]] = [[] for _ in range(width)]
        self._numbers = array("Q")
        self._lines = array("Q")
        self._has_lines = has_lines
        self._total = 0
        self._bytes = 0

    def add(self, rows: ParsedBlock) -> None:
        """Add the rows of one block."""
        if not self._most_rows or not len(rows):
            return
        first, self._total = self._total, self._total + len(rows)
        indexes = range(len(rows)) if self._stride == 1 else self._sampled(first, len(rows))
        if not indexes:
            return
        self._numbers.extend(first + index for index in indexes)
        if self._has_lines:
            self._lines.extend(rows.lines)
        for column, cells in zip(self._columns, map(rows.column, range(len(self._columns))), strict=True):
            taken = cells if len(indexes) == len(cells) else [cells[index] for index in indexes]
            column.extend(taken)
            self._bytes += _bytes_of(taken)
        while self._is_too_large():
            self._stride *= 2
            self._thin_out()

    def sample(self) -> RowSample | None:
        """Return the sample; None if there is to be none."""
        if not self._most_rows:
            return None
        return RowSample(tuple(self._columns), self._numbers, self._total, self._lines)

    def _is_too_large(self) -> bool:
        is_one_run = self._numbers[-1] < self._run
        return not is_one_run and (len(self._numbers) > self._most_rows or self._bytes > MOST_BYTES)

    def _sampled(self, first: int, count: int) -> Sequence[int]:
        """Return the indexes in a block of the rows that are sampled.

        Args:
            first: the number of the first row of the block among all rows.
            count: the number of rows of the block.
        """
        step, end = self._run * self._stride, first + count
        starts = range(first // step * step, end, step)
        return [number - first for start in starts for number in range(max(start, first), min(start + self._run, end))]

    def _thin_out(self) -> None:
        kept = [index for index, number in enumerate(self._numbers) if number // self._run % self._stride == 0]
        self._numbers = array("Q", [self._numbers[index] for index in kept])
        self._columns = [[column[index] for index in kept] for column in self._columns]
        self._lines, self._has_lines = array("Q"), False  # to find them in all blocks takes time
        self._bytes = sum(map(_bytes_of, self._columns))


def _bytes_of(cells: Iterable[str]) -> int:
    """Return about how much memory cells take."""
    return sum(BYTES_BESIDE_A_CELL + len(cell) for cell in cells)
