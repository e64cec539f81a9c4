"""Warnings about cells that Salesforce gave back and that may not be the cells that were sent."""

import re
from collections.abc import Sequence

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import quoted_names

_WRITTEN_ANEW = re.compile(r"-?\d+\.\d+(?:E-?\d+)?|\d{4}-\d\d-\d\dT.*")
"""Numbers and times as Salesforce writes them (Bulk API 2.0 guide, quick start, step 3)."""


class ReturnedCells:
    """Notes which columns of returned rows have numbers or times, and which are blank.

    Attributes:
        row_count: number of rows that were added.
    """

    def __init__(self) -> None:
        self._filled: set[int] = set()
        self._written_anew: set[int] = set()
        self.row_count = 0

    def add(self, cells: Sequence[str]) -> None:
        """Add a row."""
        self.row_count += 1
        for index, cell in enumerate(cells):
            if cell and index not in self._written_anew:
                self._filled.add(index)
                if _WRITTEN_ANEW.fullmatch(cell):
                    self._written_anew.add(index)

    def finding(self, what: str, header: Sequence[str]) -> Finding:
        """Return a warning that names the columns to compare with the source.

        Args:
            what: a sentence about the rows.
            header: names of the columns.
        """
        written_anew = [name for index, name in enumerate(header) if index in self._written_anew]
        blank = [name for index, name in enumerate(header) if index not in self._filled]
        risks = [f"numbers or times in {quoted_names(written_anew)}"] if written_anew else []
        risks += [f"all cells blank in {quoted_names(blank)}"] if blank else []
        do = f"Compare with the source before they go: {' and '.join(risks)}." if risks else "Compare with the source."
        return Finding("warning", what, do, count=self.row_count)
