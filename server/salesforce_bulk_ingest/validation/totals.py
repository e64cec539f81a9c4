"""The totals of reports: their words, and their figures, which are made of the rows above.

Words alone may be a record's name: "Total Energies" is a company, and "Count Basie" a person. So a row with such words is a
total only if it has figures alone beside them, and most of these are the sum or the number of what is above in their
columns, since the last total. Where the words name a group, as spreadsheets write for subtotals and in pivots ("Acme Total",
"Total Acme", "Acme Average"), its name has to stand above, too. Then, and where the words are nobody's name ("Grand
Average"), the mean, the least and the greatest number of what is above will do.

Where at least half of the other cells are blank, or a blank line or row stands right above, words that are nobody's name are
enough, and so is a short one ("Total") with any figure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Self

from salesforce_bulk_ingest.csvio.cells import ParsedBlock

_FIGURE = re.compile(r"[-(]?\s*[^\w\s+]?\s*([1-9][\d.,'\s]*|0([.,]\d+)?)\s*(\D{0,3})\)?")
"""A number as a report has it, with a sign of a currency or not; no number of a phone, which begins with + or 0."""

TOTALS = (
    "grand total", "grand totals", "subtotal", "subtotals", "sub total", "sub totals", "sub-total", "sub-totals",
    "overall total", "report total", "total result", "sum total", "total records", "total rows", "total record count",
    "number of records", "number of rows", "record count", "row count", "total for", "totals for", "subtotal for",
    "grand sum", "grand count", "grand average",
    "gesamtsumme", "gesamt ergebnis", "gesamtergebnis", "gesamtbetrag", "gesamtanzahl", "zwischensumme", "teilergebnis",
    "endsumme", "total général", "totaux généraux", "sous-total", "sous total", "total general", "suma total",
    "total geral", "totale generale", "totale complessivo", "totale parziale", "eindtotaal", "subtotaal", "totalsumma",
    "delsumma", "hovedtotal", "suma końcowa", "suma częściowa", "celkový součet", "végösszeg", "genel toplam",
    "ara toplam", "общий итог", "промежуточный итог",
    "总计", "總計", "小计", "小計", "総計", "합계", "총계", "총합계",
)  # fmt: skip
"""The beginnings of the first filled cell of a total, in lower case; what is no name of a record."""

SHORT_TOTALS = (
    "total", "totals", "sum", "summe", "gesamt", "insgesamt", "totaux", "somme", "suma", "soma", "totale", "somma", "totaal",
    "som", "summa", "totalt", "i alt", "razem", "celkem", "toplam", "yhteensä", "összesen", "итого", "всего", "合計", "合计",
)  # fmt: skip
"""The first filled cells of totals that may also be names of records, so that a figure has to follow."""

GROUP_FIGURES = (
    *SHORT_TOTALS, "subtotal", "subtotals", "count", "average", "avg", "mean", "maximum", "max", "minimum", "min",
    "result", "ergebnis", "teilergebnis", "anzahl", "mittelwert", "nombre", "nb", "moyenne", "sous-total", "cuenta",
    "promedio", "contagem", "média", "conteggio", "media", "aantal", "gemiddelde", "antal", "medel", "liczba", "średnia",
    "počet", "průměr", "ortalama", "итог", "количество", "среднее", "汇总", "计数", "平均值", "集計", "個数", "平均",
    "요약", "개수", "평균",
)  # fmt: skip
"""What spreadsheets write beside the name of a group, for the figures that they make of it."""

_BEFORE_GROUPS = "summe "
"""What German totals begin with before the name of a group, and no name of a company: "Total Energies" is one."""

_LINKS = ("of", "for", "de", "du", "von", "für", "di", "per", "van", "z")
_AROUND_NAME = " \t\xa0:=()-\u2013\u2014"
_AFTER_SHORT_TOTAL = re.compile(r"\s*[:=]?\s*(\(.*\))?\s*")
_WORDS = "|".join(map(re.escape, sorted(GROUP_FIGURES, key=len, reverse=True)))
_WORDED = re.compile(rf"(?<![^\W\d_])(?:{_WORDS}|{'|'.join(map(re.escape, TOTALS))})(?![^\W\d_])")
_OF_GROUP = re.compile(rf"(?:{_WORDS})(?: (?:{'|'.join(_LINKS)}))?")
_NOT_OF_NUMBER = re.compile(r"[^\d.,]")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})*")

MOST_CELLS = 50_000
"""The most cells above a row by which it may be shown to be a total: those of 5,000 rows of ten columns. A report that
people read has fewer, and the rows of a large file are not added up for nothing."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of the numbers in some cells.

    Attributes:
        count: how many there are.
        total: their sum.
        least: the least of them.
        most: the greatest of them.
    """

    count: int = 0
    total: Decimal = Decimal()
    least: Decimal = Decimal("Infinity")
    most: Decimal = Decimal("-Infinity")

    def with_values(self, values: Sequence[Decimal]) -> Self:
        """Return the numbers with more of them."""
        if not values:
            return self
        return type(self)(
            self.count + len(values), self.total + sum(values), min(self.least, *values), max(self.most, *values)
        )

    def has_made(self, figure: Decimal, *, is_sum: bool) -> bool:
        """Return whether a figure is made of the numbers, as far as its decimals go.

        Args:
            figure: the figure.
            is_sum: whether it has to be their sum, and not their mean, their least or their greatest.
        """
        if not self.count:
            return False
        made = (self.total,) if is_sum else (self.total, self.total / self.count, self.least, self.most)
        places = Decimal(1).scaleb(min(int(figure.as_tuple().exponent), 0))
        return any(each.quantize(places, ROUND_HALF_UP) == figure for each in made)


NO_NUMBERS: Final = Numbers()


@dataclass(frozen=True, slots=True)
class ColumnAbove:
    """The cells above a row in one column.

    Attributes:
        filled: the number of cells that are not blank.
        by_point: their numbers, if a point is before the decimals; None if a cell is no number then.
        by_comma: the same for a comma.
    """

    filled: int = 0
    by_point: Numbers | None = NO_NUMBERS
    by_comma: Numbers | None = NO_NUMBERS

    def with_cells(self, cells: Sequence[str]) -> Self:
        """Return the column with more cells."""
        filled = [cell for cell in cells if cell and not cell.isspace()]
        return type(self)(
            self.filled + len(filled), _with_cells(self.by_point, filled, "."), _with_cells(self.by_comma, filled, ",")
        )

    def has_made(self, cell: str, *, is_sum: bool) -> bool:
        """Return whether the figure in a cell is the number of the cells above, or made of them; see `Numbers.has_made`."""
        for numbers, mark in ((self.by_point, "."), (self.by_comma, ",")):
            figure = _number(cell, mark)
            if figure is None:
                continue
            if figure == self.filled or (numbers is not None and numbers.has_made(figure, is_sum=is_sum)):
                return True
        return False


@dataclass(frozen=True, slots=True)
class RowsAbove:
    """The rows above a row, since the last total or the header.

    Attributes:
        rows: how many there are.
        columns: their columns; none where there are no rows.
        names: what stands last in each column, in lower case; also before the last total.
        is_after_total: whether a total is above them.
    """

    rows: int = 0
    columns: tuple[ColumnAbove, ...] = ()
    names: tuple[str, ...] = ()
    is_after_total: bool = False

    def with_rows(self, block: ParsedBlock, width: int, indexes: Sequence[int]) -> Self | None:
        """Return the rows with more of them; None if they are too many to add up.

        Args:
            block: the block that has the new rows.
            width: the number of columns.
            indexes: the indexes of the new rows in the block.
        """
        rows = self.rows + len(indexes)
        if rows * width > MOST_CELLS:
            return None
        if not indexes:
            return self
        cells = [[column[index] for index in indexes] for column in map(block.column, range(width))]
        above = self.columns or (ColumnAbove(),) * width
        columns = tuple(column.with_cells(new) for column, new in zip(above, cells, strict=True))
        last = zip(map(_last_filled, cells), self.names or ("",) * width, strict=True)
        return replace(self, rows=rows, columns=columns, names=tuple(new or name for new, name in last))

    def after_total(self) -> Self:
        """Return no rows, below a total that is below these."""
        return type(self)(names=self.names, is_after_total=True)

    def are_totalled_by(self, row: Sequence[str]) -> bool:
        """Return whether a row is a total of these."""
        (_, first), *figures = [(index, cell.strip()) for index, cell in enumerate(row) if cell and not cell.isspace()]
        if not figures or not all(_FIGURE.fullmatch(cell) for _, cell in figures):
            return False
        words = first.casefold()
        is_certain = begins_with(words, TOTALS) or self._have_group(words)
        if not (is_certain or _is_short(words)):
            return False
        if not self.rows:
            return self.is_after_total
        # A figure beside a short word may be that of a single row by chance.
        if not is_certain and self.rows == 1:
            return False
        made = [
            index < len(self.columns) and self.columns[index].has_made(cell, is_sum=not is_certain)
            for index, cell in figures
        ]
        return 2 * sum(made) > len(made)

    def _have_group(self, words: str) -> bool:
        """Return whether words are the name of a group, which stands last in a column, and what is made of its rows."""
        words = words.rstrip(" :=")
        for name in filter(None, self.names):
            before, after = words.removesuffix(name), words.removeprefix(name)
            if before != words and not before[-1:].isalnum() and _OF_GROUP.fullmatch(before.strip(_AROUND_NAME)):
                return True
            if after != words and not after[:1].isalnum() and _OF_GROUP.fullmatch(after.strip(_AROUND_NAME)):
                return True
        return False


NO_ROWS_ABOVE: Final = RowsAbove()


def worded_rows(block: ParsedBlock, width: int, none: Mapping[int, object]) -> Iterator[int]:
    """Yield the rows whose first filled cell has words of totals.

    Args:
        block: the rows.
        width: the number of columns.
        none: the rows that are known to be none.
    """
    rows: Sequence[int] = range(len(block))
    for column in map(block.column, range(width)):
        cells = [column[row] for row in rows]
        if _WORDED.search("\n".join(cells).casefold()):
            yield from (
                row
                for row, cell in zip(rows, cells, strict=True)
                if row not in none and _WORDED.search(cell.casefold())
            )
        rows = [row for row, cell in zip(rows, cells, strict=True) if not cell or cell.isspace()]
        if not rows:
            return


def begins_with(text: str, words: tuple[str, ...]) -> bool:
    """Return whether a text begins with one of the texts, and not with a longer word."""
    if not text.startswith(words):
        return False
    found = max((word for word in words if text.startswith(word)), key=len)
    return not text[len(found) :][:1].isalpha()


def is_short_total(text: str, others: Sequence[str]) -> bool:
    """Return whether a text is one of `SHORT_TOTALS` with its figure.

    Args:
        text: the first filled cell of a row, in lower case.
        others: the other filled cells.
    """
    if others:
        return (_is_short(text) or text.startswith(_BEFORE_GROUPS)) and all(map(_FIGURE.fullmatch, others))
    for word in SHORT_TOTALS:
        rest = text.removeprefix(word)
        figure = rest.lstrip(" :=")
        if rest != text and rest != figure and ":" in rest:
            return _FIGURE.fullmatch(figure) is not None
    return False


def _is_short(text: str) -> bool:
    """Return whether a text is one of `SHORT_TOTALS`, such as "total:" or "total (12 records)"."""
    return any(text.startswith(word) and _AFTER_SHORT_TOTAL.fullmatch(text.removeprefix(word)) for word in SHORT_TOTALS)


def _last_filled(cells: Sequence[str]) -> str:
    return next((cell.strip().casefold() for cell in reversed(cells) if cell and not cell.isspace()), "")


def _with_cells(numbers: Numbers | None, cells: Sequence[str], mark: str) -> Numbers | None:
    """Return the numbers with those of more cells; None if a cell is no number."""
    if numbers is None:
        return None
    values = list[Decimal]()
    for cell in cells:
        value = _number(cell, mark) if _FIGURE.fullmatch(cell.strip()) else None
        if value is None:
            return None
        values.append(value)
    return numbers.with_values(values)


def _number(figure: str, mark: str) -> Decimal | None:
    """Return the number that a figure is; None if it is none with this mark before the decimals."""
    whole, _, decimals = _NOT_OF_NUMBER.sub("", figure).rstrip(".,").partition(mark)
    separated = "," if mark == "." else "."
    if mark in decimals or separated in decimals or not (whole.isdecimal() or _GROUPED.fullmatch(whole)):
        return None
    number = Decimal(f"{whole.replace(separated, '')}.{decimals}")
    return -number if figure.strip()[0] in "-(" else number
