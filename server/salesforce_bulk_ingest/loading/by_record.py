"""Which rows are left out by the records of the org that they name: rows without one, with one, or that change nothing.

A look at the org decides that once, before the rows go. What it found are lines of the source, so that every later reading
of the source, from wherever it begins, leaves the same rows out.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.destination import Match

Lines = Sequence[int]
"""Lines of a source on which rows begin, in their order."""


@dataclass(frozen=True, slots=True)
class LeftOutLines:
    """The rows that a look at the org left out, by the lines of the source on which they begin.

    Attributes:
        unmatched: the lines of the rows that are left out by `match`.
        unchanged: the lines of the rows that are left out by `changed_only`.
    """

    unmatched: Lines = ()
    unchanged: Lines = ()


@dataclass(frozen=True, slots=True)
class ByRecord:
    """How rows are left out by their records, and which of them are, once the org was looked at.

    Attributes:
        match: `updateOnly` leaves out rows without a record, `createOnly` rows with one; None leaves out neither.
        changed_only: whether rows are left out that would change nothing.
        found: the rows that are left out; None as long as the org was not looked at.
    """

    match: Match | None = None
    changed_only: bool = False
    found: LeftOutLines | None = None

    @property
    def is_asked(self) -> bool:
        """Whether rows are to be left out by their records."""
        return self.match is not None or self.changed_only

    @property
    def leaves_rows_out(self) -> bool:
        """Whether there are rows that are known to be left out."""
        return self.found is not None and bool(self.found.unmatched or self.found.unchanged)

    @property
    def word(self) -> Literal["match", "changedOnly"]:
        """The name of the argument that asks for it, the first where both do."""
        return "changedOnly" if self.match is None else "match"

    def rows(self, rows: ParsedBlock) -> tuple[set[int], set[int]]:
        """Return the indexes of a block's rows that are left out by `match`, and of those by `changed_only`."""
        if self.found is None:
            return set(), set()
        return _indexes(self.found.unmatched, rows), _indexes(self.found.unchanged, rows)


ALL_ROWS = ByRecord()
"""No row is left out by its record."""


def _indexes(lines: Lines, rows: ParsedBlock) -> set[int]:
    # Finding the lines of rows takes time, and few loads leave rows out.
    if not lines or not len(rows):
        return set()
    here = lines[bisect_left(lines, rows.lines[0]) : bisect_right(lines, rows.lines[-1])]
    return {bisect_left(rows.lines, line) for line in here}


def lines_to_text(lines: Lines) -> str:
    """Return lines as a short text, which `lines_from_text` reads: the distance of each from the one before, above 0."""
    return " ".join(f"{line - before:x}" for before, line in pairwise((0, *lines)))


def lines_from_text(text: str) -> Lines:
    """Return the lines that a text of `lines_to_text` says.

    Raises:
        ValueError: it is none.
    """
    distances = [int(distance, 16) for distance in text.split()]
    if min(distances, default=1) < 1:
        raise ValueError("lines come in their order, each once")
    try:
        return array("Q", accumulate(distances))
    except OverflowError:
        raise ValueError("a line is beyond every source") from None
