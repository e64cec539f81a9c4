"""Findings about cells that do not fit the format that the caller named for their column."""

import re
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Findings, Level
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields, mask
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.validation.formats import Format

VALUES_SHOWN = 5
LONGEST_VALUE_SHOWN = 40

CORRECT_THEM = "Correct them with values, which come before formats, or leave these rows out."

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A cell that does not fit the format of its column.

    Attributes:
        format: the format.
        cell: the cell, which is uploaded as it is.
        line: the line of the source on which its row begins.
    """

    format: Format
    cell: str
    line: int

    @property
    def level(self) -> Level:
        """An error where Salesforce would take the cell as another number than the format means, and no row would fail."""
        return "error" if self.format.is_of_numbers and _NUMBER.fullmatch(self.cell.strip()) else "warning"


@dataclass(slots=True)
class _Found:
    format: Format
    count: int = 0
    lines: list[int] = field(default_factory=list)
    cells: dict[str, None] = field(default_factory=dict)

    def add(self, misfit: Misfit) -> None:
        self.count += 1
        if len(self.lines) < LINES_SHOWN:
            self.lines.append(misfit.line)
        if len(self.cells) < VALUES_SHOWN:
            self.cells.setdefault(misfit.cell)


class MisfitChecks:
    """Collects the cells that do not fit, and adds one finding for each column and level.

    Args:
        findings: collects what is wrong.
        hidden: the fields whose cells no finding shows.
    """

    def __init__(self, findings: Findings, hidden: HiddenFields) -> None:
        self._findings = findings
        self._hidden = hidden
        self._found: dict[tuple[str, Level], _Found] = {}

    def add(self, column: str, misfit: Misfit) -> None:
        """Add a cell of a column."""
        self._found.setdefault((column, misfit.level), _Found(misfit.format)).add(misfit)

    def finish(self) -> None:
        """Add the findings; called after the last block of rows."""
        for (column, level), found in self._found.items():
            cells = (
                mask(cell) if self._hidden.hides(column) else quoted(cell, LONGEST_VALUE_SHOWN) for cell in found.cells
            )
            so = "would be taken as other numbers than it means" if level == "error" else "go as they are"
            what = f"Cells do not fit the format {quoted(found.format.text)}, and {so}: {', '.join(cells)}."
            for line in found.lines:
                self._findings.add(f"misfit {level}", level, what, CORRECT_THEM, column=column, line=line)
            more = found.count - len(found.lines)
            self._findings.add(f"misfit {level}", level, what, CORRECT_THEM, column=column, count=more)
