"""Corrections: which failed rows can succeed when they are sent again, and what has to be given for them beside rowsOf."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Self

from salesforce_bulk_ingest.results.error_groups import ErrorGroup, fields_of
from salesforce_bulk_ingest.results.remedies import Correcting
from salesforce_bulk_ingest.validation.format_guesses import TEXTS, FormatGuess

_TEXTS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "xsd:dateTime": TEXTS["not a time"],
    "xsd:date": TEXTS["not a date"],
    "xsd:boolean": TEXTS["not a boolean"],
    "valid value for the type": TEXTS["not a number"],
}
"""What yields the formats that a cell may be written in, by a part of the message that refused the cell."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What has to be given so that rows of some error groups can succeed.

    Attributes:
        sent: the groups of which rows are sent again, since they may succeed unchanged or corrected.
        left: the other groups, which no argument corrects.
        values: the cells to replace, by column; none where these are not listed.
        constants: fields without a column, which need a value for every row.
        formats: columns whose cells may have another form than Salesforce takes.
        columns: columns that may be left out, or fill another field.
    """

    sent: tuple[ErrorGroup, ...]
    left: tuple[ErrorGroup, ...]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, groups: Sequence[ErrorGroup], *, are_rows_changed: bool) -> Self:
        """Return the correction of groups.

        Rows are chosen by status code, so a group goes along where another one of its code is sent.

        Args:
            groups: the groups.
            are_rows_changed: whether cells may be changed on the way; the ids of a delete name the records to delete.
        """
        corrected = [
            group for group in groups if are_rows_changed and not group.is_retryable and _is_correctable(group)
        ]
        codes = {group.code for group in groups if group.is_retryable}.union(group.code for group in corrected)
        by_values = [group for group in corrected if argument_of(group) == "values"]
        return cls(
            sent=tuple(group for group in groups if group.code in codes),
            left=tuple(group for group in groups if group.code not in codes),
            values=_merged(by_values),
            constants=tuple(dict.fromkeys(name for group in by_values for name in _fields_without_column(group))),
            formats=_columns_of(corrected, "formats"),
            columns=_columns_of(corrected, "columns"),
        )

    @property
    def are_sent_unchanged(self) -> bool:
        """Whether nothing has to be given for the rows that are sent."""
        return not (self.values or self.constants or self.formats or self.columns)


def argument_of(group: ErrorGroup) -> Correcting | None:
    """Return the argument that corrects a group: listed cells that no format is likely to read need values."""
    cells = {cell for of_column in group.cells.values() for cell in of_column}
    if group.argument == "formats" and cells and not _have_format(cells, group.pattern):
        return "values"
    return group.argument


def _have_format(cells: Set[str], pattern: str) -> bool:
    """Return whether most of the cells are likely to be written in one format, which an error with this pattern refused."""
    texts = next((of_type for type_name, of_type in _TEXTS.items() if type_name in pattern), _texts_of_any_type)
    guess = FormatGuess(texts, lambda readings: frozenset())
    guess.add(cells)
    return bool(guess.likely())


def _texts_of_any_type(cell: str) -> Iterator[str]:
    """Yield the formats that a cell of a field whose type is not known may be written in."""
    return chain.from_iterable(texts(cell) for texts in TEXTS.values())


def _is_correctable(group: ErrorGroup) -> bool:
    return group.argument is not None and bool(group.cells or _fields_without_column(group))


def _fields_without_column(group: ErrorGroup) -> list[str]:
    """Return the required fields of a group for which the rows have no column."""
    if group.code != "REQUIRED_FIELD_MISSING":
        return []
    written = {name.lower() for column in group.cells for name in fields_of(column)}
    return [name for name in group.fields if name.isidentifier() and name.lower() not in written]


def _columns_of(groups: Iterable[ErrorGroup], argument: Correcting) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups if argument_of(group) == argument for name in group.cells))


def _merged(groups: Iterable[ErrorGroup]) -> dict[str, tuple[str, ...]]:
    """Return the cells of several groups by column; none where one of the groups has not listed its cells."""
    merged: dict[str, tuple[str, ...]] = {}
    for name, cells in _all_cells(groups):
        listed = merged.get(name, cells)
        merged[name] = tuple(dict.fromkeys((*listed, *cells))) if listed and cells else ()
    return merged


def _all_cells(groups: Iterable[ErrorGroup]) -> Iterator[tuple[str, tuple[str, ...]]]:
    return ((name, cells) for group in groups for name, cells in group.cells.items())
