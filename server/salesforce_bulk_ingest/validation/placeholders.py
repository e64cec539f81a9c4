"""Checks for cells that stand for no value: `#N/A`, NULL, and the error words of spreadsheets.

`#N/A`, which spreadsheets write for a failed lookup, clears the field (Bulk API 2.0 guide, Prepare CSV Files). Every other
word is text like any other: it is stored, or fails in a field of another type.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from salesforce_bulk_ingest.base.findings import Fails, FindingKind, Findings
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

_IN_ANY_CASE = frozenset(form for word in PLACEHOLDERS for form in (word, word.lower(), word.upper()))
"""These words and more. Python's table for so many has free places next to each, so that other cells are told from them in
three quarters of the time."""


@dataclass(frozen=True, slots=True)
class PlaceholderColumn:
    """What is known of a column whose cells may stand for no value.

    Attributes:
        name: the name of the column.
        is_hidden: whether no finding shows its cells.
        is_insert: whether its rows are new records, which have nothing to clear.
        is_key: whether it has the keys, which `#N/A` does not clear.
        is_needed: whether rows without a value in it fail; a finding of its own tells blank cells and `#N/A`.
        refused: the words that its field does not take, so that rows with them fail.
        values: the words that are values of its picklist.
    """

    name: str
    is_hidden: bool = False
    is_insert: bool = False
    is_key: bool = False
    is_needed: bool = False
    refused: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()

    @property
    def kinds(self) -> Iterator[frozenset[str]]:
        """The kinds of words that are looked for, each one finding."""
        if not self.is_key and not self.is_needed:
            yield CLEARING
        yield STORED_WORDS - self.values if self.values else STORED_WORDS

    def clearing(self) -> tuple[str, str]:
        """Return what `#N/A` does, and what to do if that is not meant."""
        values = self._emptied(CLEARING)
        if self.is_insert:
            what = f"Cells are {NULL_CELL}, so new records have no value there, perhaps not even the field's default."
            return what, f"If they should get the default, empty them with values: {values}."
        what = f"Cells are {NULL_CELL}, which clears their field."
        return what, f"If the field should stay as it is, empty them with values: {values}."

    def stored(self, words: Counter[str]) -> tuple[str, str]:
        """Return what happens to words that are no values, and what to do about them."""
        so = "and rows with them fail" if self.fails(words) == "these rows" else "and are stored as they are, or fail"
        counts = ", ".join(f"{word} ({count:,})" for word, count in words.most_common())
        what = f"Cells are no values, {so}{'' if self.is_hidden else f': {counts}'}."
        if self.is_needed:
            cells = "" if self.is_hidden else f" {as_json({'cells': {self.name: sorted(words)}})}"
            return what, f"Fill them in, since blank ones fail, too, or leave these rows out: leaveOut{cells}."
        do = "Empty them with values" if self.is_hidden else f"Empty them with values: {self._emptied(words)}"
        clears = (
            ""
            if self.is_insert or self.is_key
            else f"; {as_json(NULL_CELL)} in place of the empty text clears the field"
        )
        return what, f"{do}{clears}."

    def fails(self, words: Counter[str]) -> Fails | None:
        """Return whether all or some of the rows with these words fail."""
        if words.keys() <= self.refused:
            return "these rows"
        return None if self.refused.isdisjoint(words) else "other rows"

    def _emptied(self, words: Iterable[str]) -> str:
        return as_json({self.name: dict.fromkeys(sorted(words), "")})


class PlaceholderChecks:
    """The checks of the rows of one upload.

    Args:
        columns: the uploaded columns.
        findings: collects what is found.
    """

    def __init__(self, columns: Sequence[PlaceholderColumn], findings: Findings) -> None:
        self._columns = columns
        self._findings = findings
        self._tallies: dict[tuple[int, bool], _Tally] = {}

    def check(self, block: ParsedBlock) -> None:
        """Count the cells of one block that stand for no value."""
        if not block.has_any(_IN_ANY_CASE):
            return
        for index, column in enumerate(self._columns):
            cells = block.column(index)
            for words in column.kinds:
                if not words.isdisjoint(cells):
                    self._tallies.setdefault((index, words is CLEARING), _Tally()).add(cells, words, block)

    def finish(self) -> None:
        """Add a finding for each column that has such cells; called after the last block of rows."""
        for (index, is_clearing), tally in self._tallies.items():
            column, cells = self._columns[index], tally.cells
            what, do = column.clearing() if is_clearing else column.stored(tally.words)
            kind: FindingKind = "clearing cells" if is_clearing else "placeholders"
            fails = None if is_clearing else column.fails(tally.words)
            self._findings.add_several(
                kind, "warning", what, do, cells.lines, cells.count, column=column.name, fails=fails
            )


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
