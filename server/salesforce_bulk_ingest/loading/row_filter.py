"""Which rows of a source are left out of its upload: by their cells, lines and records, and what is no row."""

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from typing import Self

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoSuchColumn, RefusedByPolicy
from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses
from salesforce_bulk_ingest.loading.by_record import ALL_ROWS, ByRecord
from salesforce_bulk_ingest.loading.column_names import corrected, only_one, spelled_alike, unknown
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS
from salesforce_bulk_ingest.validation.key_forms import trimmed

_RANGE = re.compile(r"\s*(\d{1,12})\s*(?:([-\u2013])\s*(\d{1,12})?\s*)?")
MOST_RANGES = 10_000
ALL_BUT = "all but"
TO_THE_END = sys.maxsize
"""The last line of a range that has none, and goes to the end of every source."""


@dataclass(frozen=True, slots=True)
class LineRanges:
    """Lines of a source, the first of which is line 1.

    Attributes:
        first: the first line of each range, in order.
        last: the last line of each range; no two ranges overlap.
    """

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read lines as a caller writes them.

        Args:
            text: line numbers and ranges, such as "7, 120-124, 200-", of which the last goes to the end; empty for no lines.

        Raises:
            ValueError: the text has another form.
        """
        ranges = list[tuple[int, int]]()
        for part in text.replace(";", ",").split(",") if text.strip() else ():
            found = _RANGE.fullmatch(part)
            if found is None:
                raise ValueError(
                    'lines are numbers and ranges with commas between them, such as "7, 120-124, 200-", or "all but 2-101"'
                )
            first, last = int(found[1]), int(found[3] or (TO_THE_END if found[2] else found[1]))
            if not 1 <= first <= last:
                raise ValueError('lines begin with 1, and a range with its lower number, as in "120-124"')
            ranges.append((first, last))
        if len(ranges) > MOST_RANGES:
            raise ValueError(f"lines has more than {MOST_RANGES:,} numbers and ranges: take those rows out of the file")
        return cls(*_merged(sorted(ranges)))

    def __bool__(self) -> bool:
        return bool(self.first)

    def __contains__(self, line: int) -> bool:
        return self.find(line) is not None

    def __str__(self) -> str:
        return ", ".join(map(self._name, range(len(self.first))))

    def without(self, line: int) -> Self:
        """Return the lines without one of them."""
        around = (
            piece
            for first, last in zip(self.first, self.last, strict=True)
            for piece in (((first, line - 1), (line + 1, last)) if first <= line <= last else ((first, last),))
        )
        return type(self)(*_merged([(first, last) for first, last in around if first <= last]))

    def find(self, line: int) -> str | None:
        """Return the range that has a line, as a caller writes it; None if none has it."""
        number = bisect_right(self.first, line) - 1
        return self._name(number) if number >= 0 and line <= self.last[number] else None

    def rows(self, rows: ParsedBlock) -> tuple[set[int], set[str]]:
        """Return the indexes of a block's rows that begin on the lines, and the ranges that have rows."""
        found, used = set[int](), set[str]()
        # Finding the lines of rows takes time, and hardly any file has rows to leave out by them.
        for number in self._near(rows.lines[0], rows.lines[-1]) if self and len(rows) else ():
            start, stop = bisect_left(rows.lines, self.first[number]), bisect_right(rows.lines, self.last[number])
            if start < stop:
                found.update(range(start, stop))
                used.add(self._name(number))
        return found, used

    def without_rows(self, used: Set[str]) -> list[str]:
        """Return the ranges on which no row begins, as a caller writes them; one that goes to the end may have none.

        Args:
            used: the ranges on which rows begin.
        """
        closed = (self._name(number) for number, last in enumerate(self.last) if last != TO_THE_END)
        return [name for name in closed if name not in used]

    def _near(self, first: int, last: int) -> range:
        """Return the numbers of the ranges that have lines from the first of these lines to the last."""
        return range(bisect_left(self.last, first), bisect_right(self.first, last))

    def _name(self, number: int) -> str:
        """Return a range as a caller writes it."""
        first, last = self.first[number], self.last[number]
        if last == TO_THE_END:
            return f"{first}-"
        return f"{first}" if first == last else f"{first}-{last}"


def _merged(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the first and the last lines of sorted ranges, of which those that overlap become one."""
    firsts, lasts = list[int](), list[int]()
    for first, last in ranges:
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(last, lasts[-1])
        else:
            firsts.append(first)
            lasts.append(last)
    return tuple(firsts), tuple(lasts)


@dataclass(frozen=True, slots=True)
class LinesOut:
    """The lines of a source whose rows are left out.

    Attributes:
        ranges: these lines.
        kept: the lines beside which all rows are left out, too; None where that is not asked for.
    """

    ranges: LineRanges = LineRanges()
    kept: LineRanges | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read lines as a caller writes them.

        Args:
            text: as `LineRanges.parse` reads it; "all but" before the lines that are kept, as in "all but 2-101", may follow
                other lines, as in "7, all but 2-101".

        Raises:
            ValueError: the text has another form.
        """
        left_out, all_but, kept = text.lower().partition(ALL_BUT)
        if not all_but:
            return cls(LineRanges.parse(text))
        if not kept.strip():
            raise ValueError(f'"{ALL_BUT}" is followed by the lines to keep, such as "{ALL_BUT} 2-101"')
        return cls(LineRanges.parse(left_out.replace(";", ",").rstrip().removesuffix(",")), LineRanges.parse(kept))

    def __bool__(self) -> bool:
        return bool(self.ranges) or self.kept is not None

    def __contains__(self, line: int) -> bool:
        return line in self.ranges or (self.kept is not None and line not in self.kept)

    def __str__(self) -> str:
        """Return the lines as a caller writes them."""
        kept = "" if self.kept is None else f"{ALL_BUT} {self.kept}"
        return ", ".join(filter(None, (str(self.ranges), kept)))

    def with_header(self, line: int) -> Self:
        """Return these lines without that of the header, which only its own number leaves out."""
        return replace(self, ranges=self.ranges.without(line))

    def find(self, line: int) -> set[str]:
        """Return the ranges that have a line, of those to leave out and of those to keep."""
        found = (ranges.find(line) for ranges in self._all)
        return {name for name in found if name is not None}

    def rows(self, rows: ParsedBlock) -> tuple[set[int], set[str]]:
        """Return the indexes of a block's rows that are left out, and the ranges that have rows."""
        left_out, used = self.ranges.rows(rows)
        if self.kept is not None:
            kept, used_to_keep = self.kept.rows(rows)
            left_out, used = left_out | set(range(len(rows))) - kept, used | used_to_keep
        return left_out, used

    def without_rows(self, used: Set[str]) -> list[str]:
        """Return the ranges on which no row begins, see `LineRanges.without_rows`."""
        return [name for ranges in self._all for name in ranges.without_rows(used)]

    @property
    def _all(self) -> Sequence[LineRanges]:
        return [self.ranges] if self.kept is None else [self.ranges, self.kept]


ALL_LINES = LinesOut()
"""No row is left out by its line."""


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """The rows that a caller wants left out.

    Attributes:
        cells: names of columns to cells; a row with one of them is left out. The empty text is any blank cell.
        lines: the lines of the source on which the rows begin; those of the header and before it only by their own numbers.
        not_rows: whether what is no row is left out; None to ask about it.
        by_record: how rows are left out by the records of the org that they name.
    """

    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: LinesOut = ALL_LINES
    not_rows: bool | None = None
    by_record: ByRecord = ALL_ROWS

    @property
    def leaves_rows_out(self) -> bool:
        """Whether rows may be left out; by their records only those that are known to be."""
        return bool(self.cells or self.lines or self.not_rows) or self.by_record.leaves_rows_out


NOTHING = LeaveOut()

IN_CELLS = ("leaveOut", "cells")
"""The argument at fault in the errors about names of columns."""


@dataclass(frozen=True, slots=True)
class CountedLines:
    """How many rows there are of one kind, and the lines of the first of them.

    Attributes:
        count: the number of all of them.
        first: the first few lines on which they begin.
        names: the names of the rows on the first of these lines, if they were looked for; empty for a row without one.
    """

    count: int = 0
    first: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def on(cls, lines: Sequence[int]) -> Self:
        """Return the rows that begin on these lines, all of which are given."""
        return cls(len(lines), tuple(lines[:LINES_KEPT]))

    def named(self, names: Mapping[int, str], lines: int) -> Self:
        """Return the same rows with the names of those on the first lines, which are given by line."""
        return replace(self, names=tuple(names.get(line, "") for line in self.first[:lines]))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.count + other.count, (*self.first, *other.first)[:LINES_KEPT])

    def __bool__(self) -> bool:
        return bool(self.count)


NO_LINES = CountedLines()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Which rows of a source are left out.

    Attributes:
        cells: those with certain cells.
        lines: those that begin on certain lines.
        not_rows: what is no row.
        match: those without a record of the org, or those with one.
        changed_only: those that would change nothing.
    """

    cells: CountedLines = NO_LINES
    lines: CountedLines = NO_LINES
    not_rows: CountedLines = NO_LINES
    match: CountedLines = NO_LINES
    changed_only: CountedLines = NO_LINES

    def __add__(self, other: Self) -> Self:
        return type(self)(*(each + more for each, more in zip(self._ways, other._ways, strict=True)))

    def __bool__(self) -> bool:
        return any(self._ways)

    def named(self, names: Mapping[int, str], lines: int) -> Self:
        """Return the same rows with names, see `CountedLines.named`."""
        return type(self)(*(each.named(names, lines) for each in self._ways))

    def first_lines(self, lines: int) -> Iterator[int]:
        """Yield the first lines of each way, at most so many."""
        for each in self._ways:
            yield from each.first[:lines]

    @property
    def rows(self) -> int:
        """The number of all of them."""
        return sum(each.count for each in self._ways)

    @property
    def _ways(self) -> Sequence[CountedLines]:
        return [getattr(self, each.name) for each in fields(self)]


NONE_LEFT_OUT = LeftOut()


@dataclass(frozen=True, slots=True)
class CellCondition:
    """The cells of one column by which rows are left out.

    Attributes:
        index: the index of the column.
        is_uploaded: whether it is a column of the upload; if not, it is one of the source that is not uploaded.
        cells: the cells; those that are no value (`BLANK_CELLS`) with any spaces around, as in keys and the other checks.
    """

    index: int
    is_uploaded: bool
    cells: frozenset[str]

    def matches(self, source: ParsedBlock, output: ParsedBlock) -> set[int]:
        """Return the indexes of the rows that have one of the cells.

        Args:
            source: the rows of the source.
            output: the rows to upload for them, one for each.
        """
        column = (output if self.is_uploaded else source).column(self.index)
        found = {row for row, cell in enumerate(column) if cell in self.cells}
        blank = self.cells & BLANK_CELLS
        if blank:
            found.update(row for row, cell in enumerate(trimmed(column)) if cell in blank)
        return found


def conditions_of(
    cells: Mapping[str, tuple[str, ...]], source: Sequence[str], output: Sequence[str]
) -> tuple[CellCondition, ...]:
    """Return the conditions on cells for one source.

    Args:
        cells: see `LeaveOut`; a name is that of an uploaded column, else of a column of the source, in any case, else its
            address there.
        source: the names of the columns of the source.
        output: the names of the uploaded columns.

    Raises:
        NoSuchColumn: there is no column with a name.
        InvalidArgument: there are several.
    """
    found = {name: _column(name, source, output) for name in cells}
    unknown_name = next((name for name, column in found.items() if column is None), None)
    if unknown_name is not None:

        def meant(name: str) -> Sequence[str] | None:
            return (name,) if found[name] else only_one(spelled_alike(name, output) or spelled_alike(name, source))

        what = unknown("leaveOut", unknown_name, list(dict.fromkeys((*output, *source))))
        raise NoSuchColumn(what, IN_CELLS, corrected(cells, meant), unknown_name)
    return tuple(CellCondition(*column, frozenset(cells[name])) for name, column in found.items() if column)


def _column(name: str, source: Sequence[str], output: Sequence[str]) -> tuple[int, bool] | None:
    """Return the index of the column of this name, and whether it is an uploaded one; None if there is none."""
    for names, is_uploaded in ((output, True), (source, False)):
        for form in (str, str.lower):
            found = [index for index, other in enumerate(names) if form(other) == form(name)]
            if len(found) > 1:
                raise InvalidArgument(
                    f"leaveOut names {quoted_names([name])}, and several columns have this name: name one by its place in "
                    'the source, such as "#2".',
                    IN_CELLS,
                )
            if found:
                return found[0], is_uploaded
    at_place = ColumnAddresses(source).find(name)
    return (at_place[0], False) if len(at_place) == 1 else None


def check_no_guessing(
    conditions: Sequence[CellCondition], source: Sequence[str], output: Sequence[str], hidden: HiddenFields
) -> None:
    """Raise RefusedByPolicy where hidden cells would be guessed by the number of rows that are left out."""
    for condition in conditions:
        name = (output if condition.is_uploaded else source)[condition.index]
        if hidden.hides(name) and not condition.cells <= BLANK_CELLS:
            raise RefusedByPolicy(
                f"The operator hides the cells of {quoted_names([name])} (hide_fields), so leaveOut takes blank cells there "
                'alone, as ["", "#N/A"].'
            )


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of one source are left out of its upload.

    Attributes:
        lines: the lines on which they begin.
        not_rows: see `LeaveOut`.
        conditions: the conditions on cells.
        by_record: see `LeaveOut`.
    """

    lines: LinesOut = ALL_LINES
    not_rows: bool | None = False
    conditions: tuple[CellCondition, ...] = ()
    by_record: ByRecord = ALL_ROWS

    def rows_with_cells(self, source: ParsedBlock, output: ParsedBlock) -> set[int]:
        """Return the indexes of the rows that have one of the cells, see `CellCondition.matches`."""
        return set().union(*(condition.matches(source, output) for condition in self.conditions))


KEEPS_ALL = RowFilter()
