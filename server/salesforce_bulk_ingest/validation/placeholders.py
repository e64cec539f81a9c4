"""Checks for cells that stand for no value: `#N/A`, NULL, and the error words of spreadsheets.

`#N/A`, which spreadsheets write for a failed lookup, clears the field (Bulk API 2.0 guide, Prepare CSV Files). Every other
word is text like any other: it is stored, or fails in a field of another type.
"""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.text import as_json
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import NULL_CELL
from salesforce_bulk_ingest.validation.cell_tally import CellTally

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

CLEARING = frozenset({NULL_CELL})
STORED_WORDS = ERROR_WORDS | NULL_WORDS
PLACEHOLDERS = CLEARING | STORED_WORDS


class PlaceholderChecks:
    """The checks of the rows of one upload.

    Args:
        names: the names of the uploaded columns.
        findings: collects what is found.
        key_index: the index of the column of keys, which `#N/A` does not clear; None if there is none.
        hidden: the names of the columns whose cells no finding shows.
    """

    def __init__(
        self, names: Sequence[str], findings: Findings, key_index: int | None, hidden: Set[str] = frozenset()
    ) -> None:
        self._names = names
        self._findings = findings
        self._key_index = key_index
        self._hidden = hidden
        self._tallies: dict[tuple[int, frozenset[str]], _Tally] = {}

    def check(self, block: ParsedBlock) -> None:
        """Count the cells of one block that stand for no value."""
        if not block.has_any(PLACEHOLDERS):
            return
        for index in range(len(self._names)):
            cells = block.column(index)
            for words in (STORED_WORDS,) if index == self._key_index else (CLEARING, STORED_WORDS):
                if not words.isdisjoint(cells):
                    self._tallies.setdefault((index, words), _Tally()).add(cells, words, block)

    def finish(self) -> None:
        """Add a finding for each column that has such cells; called after the last block of rows."""
        for (index, of_kind), tally in self._tallies.items():
            name = self._names[index]
            kind, what, do = self._clearing(name) if of_kind is CLEARING else self._stored(name, tally)
            cells = tally.cells
            self._findings.add_several(kind, "warning", what, do, cells.lines, cells.count, column=name)

    def _clearing(self, name: str) -> tuple[str, str, str]:
        do = f"If the field should stay as it is, empty them with values: {_emptied(name, CLEARING)}."
        return "clearing cells", f"Cells are {NULL_CELL}, which clears their field.", do

    def _stored(self, name: str, tally: "_Tally") -> tuple[str, str, str]:
        what, clears = (
            "Cells are no values, and are stored as they are, or fail",
            "in place of the empty text clears the field",
        )
        if name in self._hidden:
            do = f"Empty the words that the source has for no value, with values; {as_json(NULL_CELL)} {clears}."
            return "placeholders", f"{what}.", do
        counts = ", ".join(f"{word} ({count:,})" for word, count in tally.words.most_common())
        do = f"Empty them with values: {_emptied(name, tally.words)}; {as_json(NULL_CELL)} {clears}."
        return "placeholders", f"{what}: {counts}.", do


def _emptied(name: str, words: Iterable[str]) -> str:
    """Return the `values` that empty the cells of a column that are one of the words."""
    return as_json({name: dict.fromkeys(sorted(words), "")})


@dataclass(slots=True)
class _Tally:
    """The cells of one column that stand for no value.

    Attributes:
        words: how often each word is a cell.
        cells: the tally of the cells.
    """

    words: Counter[str] = field(default_factory=Counter)
    cells: CellTally = field(default_factory=CellTally)

    def add(self, cells: Sequence[str], words: frozenset[str], block: ParsedBlock) -> None:
        """Add the cells of the column in one block that are one of the words."""
        self.words.update(filter(words.__contains__, cells))
        self.cells.add_column(cells, words, block)
