"""Points in numbers that may be marks of thousands: Salesforce takes "1.234" for 1.2, nearly, and no row fails."""

import re
from collections.abc import Mapping, Sequence, Set

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.text import as_json, as_name
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.cell_tally import CellTally

_MAY_BE_THOUSANDS = re.compile(r"\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*")
_WITH_COMMAS = re.compile(r"DD?\.MM?\.|.*[0-9],[0-9]{1,2}(?![0-9])")
"""The formats of a file whose decimal mark is the comma: days with points between, and numbers with the comma."""

THOUSANDS, DECIMALS = "1.234,5", "1234.5"


class PointChecks:
    """The check for columns of decimal numbers in which each point has three digits behind it.

    Measures may have three decimals, too, so that is told only of a file that shows in another way that its decimal mark is
    the comma.

    Args:
        fields: the indexes of columns of decimal numbers that are read in no format, and the name of the field of each.
        names: the names of the uploaded columns.
        findings: collects what is wrong.
        hidden: the names of the columns whose cells no finding shows.
    """

    def __init__(self, fields: Mapping[int, str], names: Sequence[str], findings: Findings, hidden: Set[str]) -> None:
        self._fields = fields
        self._names = names
        self._findings = findings
        self._hidden = hidden
        self._tallies = {index: CellTally() for index in fields}

    def check(self, block: ParsedBlock) -> None:
        """Look at the rows of one block."""
        for index, tally in list(self._tallies.items()):
            cells = block.column(index)
            if "." not in "".join(cells):
                continue
            pointed = {cell for cell in set(cells) if "." in cell}
            if all(map(_MAY_BE_THOUSANDS.fullmatch, pointed)):
                tally.add_column(cells, pointed, block)
            else:
                del self._tallies[index]

    def finish(self, delimiter: str, formats: Mapping[str, str]) -> None:
        """Add the findings; called after the last block of rows.

        Args:
            delimiter: the name of the delimiter of the source.
            formats: the formats that columns have, or are likely to have, by the names of their fields.
        """
        if delimiter != "SEMICOLON" and not any(map(_WITH_COMMAS.match, formats.values())):
            return
        for index, tally in self._tallies.items():
            name, field = self._names[index], self._fields[index]
            if field in formats:
                continue
            shown = tally.shown(are_hidden=name in self._hidden)
            what = (
                f"Each point in {as_name(field)} has three digits behind it, and is taken for a decimal one: {shown}."
            )
            do = (
                f"Ask the user which is meant, and say it with formats: {as_json({field: THOUSANDS})} for thousands, "
                f"{as_json({field: DECIMALS})} for decimals."
            )
            self._findings.add_several("points", "warning", what, do, tally.lines, tally.count, column=name)
