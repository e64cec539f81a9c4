"""What is in the columns of one upload: empty cells, cells that clear a field, and distinct values with the most frequent.

A file of any size is counted in constant memory: of a column with too many distinct values, or too long ones, only the empty
and the clearing cells are counted any further.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields, mask
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.salesforce.models import NULL_CELL, FieldDescribe
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS

FEW_ROWS, FIRST_ROWS = 5, 3
"""The number of rows up to which all are shown as they are uploaded, and the number of the first of more."""
MOST_DISTINCT, LEAST_DISTINCT = 5_000, 50
"""The numbers of distinct values of one column that are counted, of a narrow and of a very wide file."""
MOST_VALUES = 50_000
MOST_CHARACTERS = 4_000_000
"""The maximum numbers of distinct values, and of their characters, of all columns together."""
MOST_FREQUENT = 20
MOST_UNLISTED = 5
FEW = 5
"""The number of distinct values up to which also those are told that are there once."""


@dataclass(frozen=True, slots=True)
class ProfiledColumn:
    """An uploaded column, as far as its meaning is known.

    Attributes:
        address: the address of the column in the source; None for a column that it lacks.
        fills: the name of the field that the column fills, also through a relationship; None if it is known to fill none.
        proposed: the name of the field that is proposed for it; None if there is none.
        field: the field under one of these names; None if that is not known, or a field of a parent.
        is_key: whether the column holds the keys of the records.
        is_hidden: whether no answer shows its cells.
    """

    address: str | None
    fills: str | None
    proposed: str | None = None
    field: FieldDescribe | None = None
    is_key: bool = False
    is_hidden: bool = False

    @property
    def has_parents(self) -> bool:
        """Whether its cells name records of other objects, by their ids or keys."""
        return "." in (self.fills or "") or (self.field is not None and self.field.type == "reference")


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is in one column.

    Attributes:
        column: the column.
        empty: the number of empty cells.
        clears: the number of cells that are `#N/A`.
        distinct: the number of distinct values of the other cells, or of those that were counted.
        is_exact: whether all distinct values were counted.
        most_frequent: the most frequent values, each with its number of cells, if all were counted and they are not
            hidden: of more than a few values, those that are there more than once.
        unlisted: the most frequent values, in the same way, that the picklist of the field has not, but stores all the same.
    """

    column: ProfiledColumn
    empty: int
    clears: int
    distinct: int
    is_exact: bool
    most_frequent: tuple[tuple[str, int], ...]
    unlisted: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What rows were checked for, beside the form of their file.

    Attributes:
        operation: the operation of the job.
        object_name: the object whose fields columns and cells were checked against; None if it is not known.
        key: the column that was searched for blank and repeated keys; None if there is none, or the search failed.
        unique: other columns that were searched for values of earlier rows, since no two records may have the same.
    """

    operation: str | None
    object_name: str | None
    key: str | None
    unique: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsProfile:
    """What the rows of one upload are.

    Attributes:
        columns: the profile of each uploaded column.
        left_out: the address of each column of the source that is not uploaded, with its number of filled cells.
    """

    columns: tuple[ColumnProfile, ...]
    left_out: Mapping[str, int]


def columns_without_describe(
    names: Sequence[str], addresses: Sequence[str | None], hidden: HiddenFields
) -> Sequence[ProfiledColumn]:
    """Return the uploaded columns where nothing is known of fields: if some fields are hidden, each may be one of them."""
    pairs = zip(names, addresses, strict=True)
    return [ProfiledColumn(address, fills=name, is_hidden=bool(hidden)) for name, address in pairs]


class RowsTally:
    """A tally of the cells of all uploaded columns.

    Args:
        width: the number of columns.
        unused: the indexes of the columns of the source that are not uploaded.
    """

    def __init__(self, width: int, unused: Sequence[int] = ()) -> None:
        most = max(LEAST_DISTINCT, min(MOST_DISTINCT, MOST_VALUES // max(width, 1)))
        self._columns = [_ColumnTally(most, MOST_CHARACTERS // max(width, 1)) for _ in range(width)]
        self._filled = dict.fromkeys(unused, 0)

    def add(self, rows: ParsedBlock, source_rows: ParsedBlock) -> None:
        """Count the cells of one block of rows as they are uploaded, and as they are in the source."""
        for index in self._filled:
            cells = source_rows.column(index)
            self._filled[index] += len(cells) - cells.count("")
        for index, tally in enumerate(self._columns):
            tally.add(rows.column(index))

    def profile(self, columns: Sequence[ProfiledColumn], unused: Sequence[str] = ()) -> RowsProfile:
        """Return the profile of the rows; called after the last block of rows.

        Args:
            columns: the uploaded columns.
            unused: the addresses of the columns of the source that are not uploaded.
        """
        profiles = [tally.profile(column) for tally, column in zip(self._columns, columns, strict=True)]
        return RowsProfile(tuple(profiles), dict(zip(unused, self._filled.values(), strict=True)))


class FirstRows:
    """The first rows of one upload: all of a few, some of more.

    Args:
        width: the number of uploaded columns.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[Sequence[str]] = []
        self._are_all = True

    def add(self, rows: ParsedBlock) -> None:
        """Add one block of rows as they are uploaded."""
        free = FEW_ROWS - len(self._rows)
        self._are_all &= len(rows) <= free
        for row in range(min(len(rows), free)):
            self._rows.append([rows.column(index)[row] for index in range(self._width)])

    def shown(self, columns: Sequence[ProfiledColumn]) -> tuple[tuple[str, ...], ...]:
        """Return the rows that are shown, with masks in place of hidden cells; called after the last block of rows."""
        return tuple(
            tuple(mask(cell) if column.is_hidden else cell for cell, column in zip(row, columns, strict=True))
            for row in (self._rows if self._are_all else self._rows[:FIRST_ROWS])
        )


class _ColumnTally:
    """A tally of the cells of one column.

    Args:
        most: the maximum number of distinct values.
        most_characters: the maximum number of their characters.
    """

    def __init__(self, most: int, most_characters: int) -> None:
        self._most, self._most_characters = most, most_characters
        self._counts = Counter[str]()
        self._is_exact = True
        self._distinct = 0

    def add(self, cells: Sequence[str]) -> None:
        if not self._is_exact:
            for blank in BLANK_CELLS:
                self._counts[blank] += cells.count(blank)
            return
        before = len(self._counts)
        self._counts.update(cells)
        if len(self._counts) > before:
            self._give_up_if_many()

    def profile(self, column: ProfiledColumn) -> ColumnProfile:
        values = Counter({cell: count for cell, count in self._counts.items() if cell not in BLANK_CELLS})
        distinct = len(values) if self._is_exact else self._distinct
        tells = self._is_exact and not column.is_hidden
        frequent = values.most_common(MOST_FREQUENT) if tells else []
        return ColumnProfile(
            column,
            empty=self._counts[""],
            clears=self._counts[NULL_CELL],
            distinct=distinct,
            is_exact=self._is_exact,
            most_frequent=tuple(each for each in frequent if distinct <= FEW or each[1] > 1),
            unlisted=_unlisted(column.field, values) if tells and column.field else (),
        )

    def _give_up_if_many(self) -> None:
        if len(self._counts) <= self._most and sum(map(len, self._counts)) <= self._most_characters:
            return
        self._is_exact = False
        self._distinct = sum(cell not in BLANK_CELLS for cell in self._counts)
        self._counts = Counter({blank: self._counts[blank] for blank in BLANK_CELLS})


def _unlisted(field: FieldDescribe, values: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values that an unrestricted picklist lacks: Salesforce stores them, and reports miss them."""
    listed = {each.value.lower() for each in field.picklist_values if each.active}
    if field.type != "picklist" or field.restricted_picklist or not listed:
        return ()
    return tuple(each for each in values.most_common() if each[0].lower() not in listed)[:MOST_UNLISTED]
