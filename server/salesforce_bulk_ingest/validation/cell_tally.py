"""A tally of the cells of one column that a finding is about: how many there are, and where and what the first ones are."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from itertools import islice

from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.base.hidden_fields import mask
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.csvio.cells import ParsedBlock

VALUES_SHOWN = 5
VALUES_KEPT = 20
LONGEST_VALUE_KEPT = 255
LONGEST_VALUE_SHOWN = 40


@dataclass(slots=True)
class CellTally:
    """A tally of cells of one column.

    Attributes:
        count: the number of cells.
        lines: the lines of the source of the first cells.
        values: the first different cells, in order, as keys: one more than a finding gives, if there are as many.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict)

    def add(self, cell: str, line: int) -> None:
        """Add one cell."""
        self.count += 1
        if len(self.lines) < LINES_KEPT:
            self.lines.append(line)
        if len(self.values) <= VALUES_KEPT:
            self.values.setdefault(cell)

    def add_column(self, cells: Sequence[str], counted: Set[str], block: ParsedBlock) -> None:
        """Add those cells of the column in one block that are to be counted."""
        numbers = Counter(cells)
        self.count += sum(numbers[cell] for cell in counted)
        has_new_values = len(self.values) <= VALUES_KEPT and not counted <= self.values.keys()
        if len(self.lines) == LINES_KEPT and not has_new_values:
            return
        for row, cell in enumerate(cells):
            if cell in counted:
                if len(self.lines) < LINES_KEPT:
                    self.lines.append(block.line_of(row))
                if len(self.values) <= VALUES_KEPT:
                    self.values.setdefault(cell)

    @property
    def all_values(self) -> tuple[str, ...]:
        """All different cells; none where they are many, or one is long."""
        is_whole = len(self.values) <= VALUES_KEPT and all(len(value) <= LONGEST_VALUE_KEPT for value in self.values)
        return tuple(self.values) if is_whole else ()

    def shown(self, *, are_hidden: bool) -> str:
        """Return the first few different cells as a part of a sentence; of hidden ones it says how long they are."""
        return ", ".join(
            mask(cell) if are_hidden else quoted(cell, LONGEST_VALUE_SHOWN)
            for cell in islice(self.values, VALUES_SHOWN)
        )
