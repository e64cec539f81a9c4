"""Checks for cells that stand for no value: `#N/A`, NULL, and the error words of spreadsheets.

`#N/A`, which spreadsheets write for a failed lookup, clears the field (Bulk API 2.0 guide, Prepare CSV Files). Every other
word is text like any other: it is stored, or fails in a field of another type.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Findings
from salesforce_bulk_ingest.base.text import as_json
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import NULL_CELL

ERROR_WORDS = frozenset(
    "#REF! #VALUE! #DIV/0! #NAME? #NUM! #NULL! #SPILL! #CALC! #FIELD! #BLOCKED! #GETTING_DATA #ERROR! #EMPTY!"  # English
    " #NV #BEZUG! #WERT! #NAME? #ZAHL! #DATEN_ABRUFEN"  # German
    " #N/D #VALEUR! #NOM? #NOMBRE! #NUL!"  # French; #N/D in Spanish, Italian and Portuguese, too
    " #\u00a1VALOR! #\u00a1DIV/0! #\u00bfNOMBRE? #\u00a1REF! #\u00a1NUM! #\u00a1NULO!"  # Spanish
    " #VALORE! #NOME? #RIF! #VALOR! #N\u00daM! #NULO!"  # Italian, Portuguese
    " #N/B #WAARDE! #NAAM? #VERW! #DEEL/0! #GETAL! #LEEG!".split()  # Dutch
)
"""What spreadsheets write for a formula that has no value, by the language of the program."""

NULL_WORDS = frozenset("NULL Null null (null) <null> [NULL] \\N N/A n/a NaN nan NAN None - --".split())
"""What databases, programs and people write for no value."""

PLACEHOLDERS = ERROR_WORDS | NULL_WORDS | {NULL_CELL}


class PlaceholderChecks:
    """The checks of the rows of one upload.

    Args:
        names: the names of the uploaded columns.
        findings: collects what is found.
    """

    def __init__(self, names: Sequence[str], findings: Findings) -> None:
        self._names = names
        self._findings = findings
        self._tallies: dict[tuple[int, bool], _Tally] = {}

    def check(self, block: ParsedBlock) -> None:
        """Count the cells of one block that stand for no value."""
        if not block.has_any(PLACEHOLDERS):
            return
        for index in range(len(self._names)):
            cells = block.column(index)
            if not PLACEHOLDERS.isdisjoint(cells):
                self._count(index, cells, block)

    def finish(self) -> None:
        """Add a finding for each column that has such cells; called after the last block of rows."""
        for (index, clears), tally in self._tallies.items():
            name = self._names[index]
            values = as_json({name: dict.fromkeys(sorted(tally.words), "")})
            if clears:
                kind, what = "clearing cells", f"Cells are {NULL_CELL}, which clears their field."
                do = f"If the field should stay as it is, empty them with values: {values}."
            else:
                counts = ", ".join(f"{word} ({count:,})" for word, count in tally.words.most_common())
                kind, what = "placeholders", f"Cells are no values, and are stored as they are, or fail: {counts}."
                do = f"Empty them with values: {values}; {as_json(NULL_CELL)} in place of the empty text clears the field."
            for line in tally.lines:
                self._findings.add(kind, "warning", what, do, column=name, line=line)
            more = tally.words.total() - len(tally.lines)
            self._findings.add(kind, "warning", what, do, column=name, count=more)

    def _count(self, index: int, cells: Sequence[str], block: ParsedBlock) -> None:
        for row, cell in enumerate(cells):
            if cell in PLACEHOLDERS:
                tally = self._tallies.setdefault((index, cell == NULL_CELL), _Tally())
                tally.words[cell] += 1
                if len(tally.lines) < LINES_SHOWN:
                    tally.lines.append(block.line_of(row))


@dataclass(slots=True)
class _Tally:
    """The cells of one column that stand for no value.

    Attributes:
        words: how often each word is a cell.
        lines: the lines of the source of the first cells.
    """

    words: Counter[str] = field(default_factory=Counter)
    lines: list[int] = field(default_factory=list)
