"""Findings about cells that do not fit the format that the caller named for their column."""

from collections.abc import Set
from dataclasses import dataclass

from salesforce_bulk_ingest.base.findings import FindingKind, Findings, Level
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.validation.cell_tally import CellTally
from salesforce_bulk_ingest.validation.cells import NUMBER
from salesforce_bulk_ingest.validation.formats import Format
from salesforce_bulk_ingest.validation.placeholders import STORED_WORDS

CORRECT_THEM = (
    "Correct them with values, which come before formats, or leave these rows out by their cells in leaveOut."
)


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
        return "error" if self.format.is_of_numbers and NUMBER.fullmatch(self.cell.strip()) else "warning"


class MisfitChecks:
    """Collects the cells that do not fit, and adds one finding for each column and level.

    Args:
        findings: collects what is wrong.
        hidden: the names of the columns whose cells no finding shows.
    """

    def __init__(self, findings: Findings, hidden: Set[str]) -> None:
        self._findings = findings
        self._hidden = hidden
        self._tallies: dict[tuple[str, Format, Level], CellTally] = {}

    def add(self, column: str, misfit: Misfit) -> None:
        """Add a cell of a column. A word for no value is told as one, see `placeholders.py`."""
        if misfit.cell in STORED_WORDS:
            return
        tally = self._tallies.setdefault((column, misfit.format, misfit.level), CellTally())
        tally.add(misfit.cell, misfit.line)

    def finish(self) -> None:
        """Add the findings; called after the last block of rows."""
        for (column, of_column, level), tally in self._tallies.items():
            cells = tally.shown(are_hidden=column in self._hidden)
            so = "would be taken as other numbers than it means" if level == "error" else "go as they are"
            what = f"Cells do not fit the format {quoted(of_column.text)}, and {so}: {cells}."
            kind: FindingKind = "misfit error" if level == "error" else "misfit warning"
            self._findings.add_several(kind, level, what, CORRECT_THEM, tally.lines, tally.count, column=column)
