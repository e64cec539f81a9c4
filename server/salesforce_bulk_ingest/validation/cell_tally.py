"""A tally of the cells of one column that a finding is about: how many there are, and where and what the first ones are."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.base.hidden_fields import mask
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.csvio.cells import ParsedBlock

VALUES_SHOWN = 5
LONGEST_VALUE_SHOWN = 40


@dataclass(slots=True)
class CellTally:
    """A tally of cells of one column.

    Attributes:
        count: the number of cells.
        lines: the lines of the source of the first cells.
        values: the first few different cells, in order, as keys.
    """

    count: int = 0
    lines: list[int] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict)

    def add(self, cell: str, line: int) -> None:
        """Add one cell."""
        self.count += 1
        if len(self.lines) < LINES_KEPT:
            self.lines.append(line)
        if len(self.values) < VALUES_SHOWN:
            self.values.setdefault(cell)

    def add_column(self, cells: Sequence[str], counted: Set[str], block: ParsedBlock) -> None:
        """Add those cells of the column in one block that are to be counted."""
        numbers = Counter(cells)
        self.count += sum(numbers[cell] for cell in counted)
        if len(self.lines) == LINES_KEPT and len(self.values) == VALUES_SHOWN:
            return
        for row, cell in enumerate(cells):
            if cell in counted:
                if len(self.lines) < LINES_KEPT:
                    self.lines.append(block.line_of(row))
                if len(self.values) < VALUES_SHOWN:
                    self.values.setdefault(cell)

    def shown(self, *, are_hidden: bool) -> str:
        """Return the first few different cells as a part of a sentence; of hidden ones it says how long they are."""
        return ", ".join(mask(cell) if are_hidden else quoted(cell, LONGEST_VALUE_SHOWN) for cell in self.values)
