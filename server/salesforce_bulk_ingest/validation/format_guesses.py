"""Guesses at the formats of columns, from their cells. Nothing applies a guess unasked."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.text import as_json, quoted
from salesforce_bulk_ingest.validation.formats import APOSTROPHES, MIDNIGHT, MINUS, SPACES_IN_NUMBERS, format_of
from salesforce_bulk_ingest.validation.misfits import CORRECT_THEM

MOST_CELLS = 2_000
"""The maximum number of different cells from which a guess is made. Later ones that do not fit a format are found when it is
applied."""

MOST_FORMATS = 50
"""The maximum number of formats that are tried on these cells."""

LONGEST_CELL = 60
"""The maximum number of characters of a cell that is looked at."""

FORMATS_SHOWN = 2

BOOLEAN_PAIRS = (
    "yes/no", "ja/nein", "oui/non", "sí/no", "si/no", "sì/no", "sim/não", "ja/nee", "ja/nej", "tak/nie", "ano/ne", "да/нет",
    "wahr/falsch", "vrai/faux", "verdadero/falso", "vero/falso", "waar/onwaar", "verdadeiro/falso", "y/n", "j/n", "o/n",
    "s/n", "t/f", "on/off", "active/inactive", "aktiv/inaktiv", "x/", "✓/", "はい/いいえ", "是/否", "예/아니요",
)  # fmt: skip
"""Pairs of words for true and false, among them Excel's own TRUE and FALSE in other languages."""

_WITHOUT_GROUPS = "1234.5"
_NUMBERS = ("1.234,5", "1,234.5", "1 234,5", "1'234.5", "1 234.5", "1'234,5")

_DATE_SHAPE = re.compile(
    r"(?P<a>\d{4}|\d{1,2}|[^\W\d_]{3,}\.?)(?P<s>\W+)(?P<b>\d{1,2}|[^\W\d_]{3,}\.?)(?P<t>\W+)(?P<c>\d{4}|\d{1,2})"
    r"(?:(?P<u>\s+|,\s*|T)(?P<time>\d{1,2}:\d{2})(?P<second>:\d{2})?(?P<fraction>[.,]\d{1,9})?(?P<half>\s?[ap]\.?m\.?)?)?",
    re.IGNORECASE,
)


def date_texts(cell: str) -> Iterator[str]:
    """Yield the formats that a day may be written in; midnight after it is no part of it."""
    midnight = re.search(rf"\s+(?:{MIDNIGHT})$", cell, re.IGNORECASE)
    yield from (
        (f"{text}{midnight[0]}" for text in time_texts(cell[: midnight.start()])) if midnight else time_texts(cell)
    )


def time_texts(cell: str) -> Iterator[str]:
    """Yield the formats that a day, or a day with a time, may be written in."""
    if re.fullmatch(r"\d{8}", cell):
        yield from ("YYYYMMDD", "DDMMYYYY", "MMDDYYYY")
    found = _DATE_SHAPE.fullmatch(cell)
    if found is None:
        return
    a, b, c = found["a"], found["b"], found["c"]
    year = "YYYY" if len(c) == 4 else "YY"
    if not a[0].isdigit():
        orders = [("MMM", "DD", year)]
    elif not b[0].isdigit():
        orders = [("DD", "MMM", year)]
    elif len(a) == 4:
        orders = [("YYYY", "MM", "DD")]
    else:
        orders = [("DD", "MM", year), ("MM", "DD", year)] + [("YY", "MM", "DD")] * (
            len(a) == len(c) == 2 and found["s"] != "."
        )
    time = ""
    if found["time"]:
        time = f"{found['u']}hh:mm{':ss' * bool(found['second'])}"
        time += f"{found['fraction'][0]}SSS" if found["fraction"] else ""
        time += " AM/PM" if found["half"] else ""
    for first, second, third in orders:
        yield f"{first}{found['s']}{second}{found['t']}{third}{time}"


_NO_SIGN = re.compile(rf"(?<=\d)E(?=[+-]?\d)|[\d.,{SPACES_IN_NUMBERS}{APOSTROPHES}()+{MINUS}]", re.IGNORECASE)
"""What may stand in a number beside a sign of a currency: an exponent, digits, marks, signs and parentheses."""


def number_texts(cell: str) -> Iterator[str]:
    """Yield the formats that a number may be written in, with the currency or percent sign that it has."""
    sign = _NO_SIGN.sub("", cell)
    if not sign:
        yield _WITHOUT_GROUPS
    if len(sign) <= 4:
        yield from (f"{number} {sign}".strip() for number in _NUMBERS)


def boolean_texts(cell: str) -> Iterator[str]:
    """Yield the formats that a boolean may be written in."""
    word = cell.casefold()
    yield from (pair for pair in BOOLEAN_PAIRS if word in pair.split("/"))


TEXTS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "not a number": number_texts,
    "not a date": date_texts,
    "not a time": time_texts,
    "not a boolean": boolean_texts,
}
"""What yields the formats that a cell may be written in, by the kind of the finding about the cell."""

_EXAMPLES: Mapping[str, str] = {
    "not a number": '"1.234,5"',
    "not a date": '"DD.MM.YYYY"',
    "not a time": '"DD.MM.YYYY hh:mm Europe/Berlin"',
    "not a boolean": '"Yes/No"',
}


@dataclass(frozen=True, slots=True)
class LikelyFormat:
    """A format that a column is likely to be written in.

    Attributes:
        text: the format.
        cell: a cell of the column.
        reading: what the format reads in the cell.
    """

    text: str
    cell: str
    reading: str


class FormatGuess:
    """A guess at the format of one column, from the cells that Salesforce does not take as they are.

    Args:
        texts: yields the formats that one cell may be written in.
        refused: returns those of some cells, as a format reads them, whose form Salesforce does not take either.
    """

    def __init__(self, texts: Callable[[str], Iterator[str]], refused: Callable[[Sequence[str]], Set[str]]) -> None:
        self._texts = texts
        self._refused = refused
        self._cells: dict[str, None] = {}

    def add(self, wrong: Set[str]) -> None:
        """Add cells that Salesforce does not take."""
        room = MOST_CELLS - len(self._cells)
        if room:
            cells = (cell.strip() for cell in sorted(wrong) if len(cell) <= LONGEST_CELL)
            self._cells |= dict.fromkeys([cell for cell in cells if cell][:room])

    def likely(self) -> Sequence[LikelyFormat]:
        """Return the formats that fit all cells that any format fits, if these are most of the cells.

        Several read some cells in different ways, and only the user knows which is meant.
        """
        readings = self._readings()
        readable = {cell for of_one in readings.values() for cell in of_one}
        if len(readable) * 2 < max(len(self._cells), 1):
            return ()
        different = dict[tuple[str, ...], str]()
        for text, of_one in readings.items():
            if of_one.keys() == readable:
                different.setdefault(tuple(of_one.values()), text)
        all_readings = list(different)
        told = next(
            (place for place, of_cell in enumerate(zip(*all_readings, strict=True)) if len(set(of_cell)) > 1), 0
        )
        cells = [cell for cell in self._cells if cell in readable]
        return [LikelyFormat(text, cells[told], found[told]) for found, text in different.items()]

    def _readings(self) -> dict[str, dict[str, str]]:
        """Return what each format that one of the cells may be written in reads in the cells."""
        found = dict[str, dict[str, str]]()
        for cell in self._cells:
            for text in self._texts(cell):
                if text not in found and len(found) < MOST_FORMATS:
                    found[text] = self._read(text)
        return found

    def _read(self, text: str) -> dict[str, str]:
        try:
            read = format_of(text).read
        except InvalidArgument:
            return {}
        readings = {cell: reading for cell in self._cells if (reading := read(cell)) is not None}
        refused = self._refused(list(readings.values()))
        return {cell: reading for cell, reading in readings.items() if reading not in refused}


def advice(kind: str, field: str, likely: Sequence[LikelyFormat], *, are_hidden: bool, has_format: bool = False) -> str:
    """Return the words about the formats that a column is likely to be written in; empty if the finding is not about forms.

    Args:
        kind: the kind of the finding.
        field: the name of the field.
        likely: the formats.
        are_hidden: whether the cells must not be shown.
        has_format: whether the column is read in a format already.
    """
    told = []
    for each in likely[:FORMATS_SHOWN]:
        as_argument = as_json({field: each.text})
        told.append(as_argument if are_hidden else f"{as_argument} reads {quoted(each.cell)} as {each.reading}")
    if not told and kind not in _EXAMPLES:
        return ""
    if not told:
        return f" {CORRECT_THEM}" if has_format else f" Or name their form in formats, such as {_EXAMPLES[kind]}."
    zone = " Add the time zone, such as Europe/Berlin or Z." if "hh" in likely[0].text else ""
    if len(told) == 1:
        return f" Or give formats: {told[0]}.{zone}"
    return f" Or give formats, once the user says which is meant: {', and '.join(told)}.{zone}"
