"""Error groups: the failed rows of a result, counted by status code, fields and message while they stream by."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from salesforce_bulk_ingest.base.hidden_fields import MASK, MASK_START
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.results.error_templates import (
    CellTemplate,
    ErrorTemplate,
    FormTemplate,
    QuotingTemplate,
    cells_at,
)
from salesforce_bulk_ingest.results.fingerprints import (
    cells_replaced_in,
    is_written_in_the_org,
    values_in,
    without_quoted,
    without_quoted_and_cells,
    without_quoted_and_values,
)
from salesforce_bulk_ingest.results.remedies import Correcting, remedy_for
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, UNKNOWN_CODE, ErrorFilter, RowError, parse_row_error

MOST_GROUPS = 1_000
MOST_EXAMPLES = 5
MOST_FIELDS = 20
MOST_VALUES = 5
MOST_CELLS = 10
LONGEST_CODE = 100
LONGEST_FIELD = 80
LONGEST_MESSAGE = 300
LONGEST_VALUE = 100
LONGEST_CELL = 40
"""The longest cell that is kept as one to correct, in characters."""

_MOST_FINGERPRINTS = 5 * MOST_GROUPS

_MOST_REMEMBERED = 1_000
"""How many texts are remembered to be read once; the longest of them have as many characters."""

_MOST_TEMPLATES = 30
"""How many templates of texts are tried before a text is read."""


@dataclass(frozen=True, slots=True)
class FailedExample:
    """One row of an error group.

    Attributes:
        offset: number of failed rows before the row.
        message: message from the org, cut: data, not advice.
        values: cells of the fields at fault by column name, cut; a field without a column has none.
        line: line of the source on which the row begins; None where it is not known.
    """

    offset: int
    message: str
    values: Mapping[str, str]
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Rows that failed with the same status code, on the same fields, with messages that differ in values only.

    Attributes:
        code: status code; UNKNOWN where the error had none, and for all errors beyond the limit of 1,000 groups.
        fields: API names of the fields that the error names, at most 20.
        pattern: the message with `{id}`, `{value}`, `{number}` and `{date}` for values: data, not advice. Empty for the
            errors beyond the limit.
        count: number of rows.
        examples: the first rows that were read, at most five.
        cells: the different cells of the columns at fault, by column name; none where these are more than ten, long or
            hidden.
    """

    code: str
    fields: tuple[str, ...]
    pattern: str
    count: int
    examples: tuple[FailedExample, ...]
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_retryable(self) -> bool:
        """Whether the same rows may succeed unchanged."""
        return remedy_for(self.code, self.pattern).is_retryable

    @property
    def argument(self) -> Correcting | None:
        """The argument beside rowsOf that may correct the rows on the way; None if there is none."""
        return remedy_for(self.code, self.pattern).argument

    @property
    def advice(self) -> str:
        """The advice on what to do, in one sentence written by this project."""
        return remedy_for(self.code, self.pattern).advice

    def is_chosen(self, errors: ErrorFilter) -> bool:
        """Return whether a filter chooses the rows of the group; all have the same code and fields."""
        return errors.is_empty or errors.chooses(self.code, self.fields)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON value that `from_json` takes."""
        examples = [{"offset": e.offset, "message": e.message, "values": dict(e.values)} for e in self.examples]
        return {
            "code": self.code,
            "fields": list(self.fields),
            "pattern": self.pattern,
            "count": self.count,
            "examples": examples,
            "cells": {name: list(cells) for name, cells in self.cells.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read an error group from a JSON value.

        Raises:
            KeyError, TypeError: this is not the JSON value of an error group.
        """
        examples = tuple(FailedExample(e["offset"], e["message"], e["values"]) for e in stored["examples"])
        cells = {name: tuple(of_column) for name, of_column in stored["cells"].items()}
        return cls(stored["code"], tuple(stored["fields"]), stored["pattern"], stored["count"], examples, cells)


# Words of a sentence that can only be API names: CamelCase, __c, and Id.
_API_NAME = re.compile(r"\b(?:[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|\w{1,80}__c|Id)\b")

_K = TypeVar("_K")
_V = TypeVar("_V")

_Key = tuple[str, tuple[str, ...], str]
"""Status code, fields and fingerprint."""

_BEYOND_LIMIT: _Key = (UNKNOWN_CODE, (), "")


@dataclass(slots=True)
class _Tally:
    """An error group that is being counted.

    Attributes:
        fingerprint: the message without values; None once two rows have different fingerprints, and where it is the pattern
            of the group.
        cells: the different cells of the columns at fault, by index; None where they are too many or too long to be listed.
        count: number of rows.
        examples: the first rows.
    """

    fingerprint: str | None
    cells: dict[int, set[str] | None]
    count: int = 0
    examples: list[FailedExample] = field(default_factory=list)

    def add_cells(self, row: Sequence[str]) -> None:
        """Note the cells of a row that are at fault."""
        for index, found in self.cells.items():
            if found is None:
                continue
            cell = row[index] if index < len(row) else ""
            if cell not in found:
                if len(found) < MOST_CELLS and _can_be_listed(cell):
                    found.add(cell)
                else:
                    self.cells[index] = None


@dataclass(slots=True)
class _Shape:
    """What errors have in common that differ in what Salesforce quotes alone, if at all.

    Attributes:
        code: status code, cut.
        fields: API names of the fields at fault, cut.
        indexes: indexes of the columns of these fields.
        unquoted: the message without what Salesforce quotes, in which the cells of the columns are replaced.
        tally: the group of all rows of which no cell is replaced; None as long as it depends on other cells of each row.
        fingerprint: the fingerprint of these rows; None where the tally is.
    """

    code: str
    fields: tuple[str, ...]
    indexes: Sequence[int]
    unquoted: str
    tally: _Tally | None = None
    fingerprint: str | None = None


class ErrorGrouper:
    """Groups the errors of failed rows, which are counted in their order, in constant memory.

    Args:
        columns: names of the columns of the result; without `sf__Error` no row is counted.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._error_index = columns.index(ERROR_COLUMN) if ERROR_COLUMN in columns else None
        self._columns = tuple(columns)
        self._indexes_by_field: dict[str, list[int]] = {}
        for index, name in enumerate(columns):
            for field_name in fields_of(name):
                self._indexes_by_field.setdefault(field_name.lower(), []).append(index)
        self._names = frozenset(self._indexes_by_field)
        self._tallies: dict[_Key, _Tally] = {}
        self._keys_by_fingerprint: dict[_Key, _Key] = {}
        # Most failed results repeat a few texts, or texts that differ in what they quote alone: each is looked at once.
        self._shapes_by_text: dict[str, _Shape] = {}
        self._shapes: dict[_Key, _Shape] = {}
        self._templates: list[tuple[ErrorTemplate, _Shape]] = []
        self._row_count = 0

    def add(self, cells: Sequence[str]) -> None:
        """Count the next row; one that is too short to have an error belongs to no group."""
        row_number, self._row_count = self._row_count, self._row_count + 1
        if self._error_index is None or self._error_index >= len(cells):
            return
        text = cells[self._error_index]
        known = self._shapes_by_text.get(text) or self._shape_by_template(text, cells)
        shape = known or self._shape_of(text)
        replaced = cells_replaced_in(shape.code, shape.unquoted, cells_at(shape.indexes, cells))
        tally = (None if replaced else shape.tally) or self._tally_of(shape, text, replaced, cells)
        if known is None and tally.count:
            self._add_template(text, cells, shape, tally)
        tally.count += 1
        tally.add_cells(cells)
        if len(tally.examples) < MOST_EXAMPLES:
            error = parse_row_error(text)
            message = cut(error.message, LONGEST_MESSAGE)
            tally.examples.append(FailedExample(row_number, message, dict(self._values(error, cells))))

    def add_all(self, rows: Iterable[Sequence[str]]) -> None:
        """Count the next rows."""
        for cells in rows:
            self.add(cells)

    def groups(self) -> tuple[ErrorGroup, ...]:
        """Return the groups, the most frequent first, and equally frequent groups by code, fields and pattern."""
        groups = (
            ErrorGroup(
                code,
                fields,
                pattern if tally.fingerprint is None else tally.fingerprint,
                tally.count,
                tuple(tally.examples),
                {self._columns[index]: tuple(sorted(found or ())) for index, found in tally.cells.items()},
            )
            for (code, fields, pattern), tally in self._tallies.items()
        )
        # Salesforce gives rows in no promised order, so equally frequent groups need an order of their own.
        return tuple(sorted(groups, key=lambda group: (-group.count, group.code, group.fields, group.pattern)))

    def _shape_by_template(self, text: str, cells: Sequence[str]) -> _Shape | None:
        """Return the shape of an error that differs from one before in values alone; None if there was none."""
        for template, shape in self._templates:
            if template.fits(text, cells):
                if is_written_in_the_org(shape.code):  # the same text belongs there with other cells, too
                    _remember(self._shapes_by_text, text, shape, len(text))
                return shape
        return None

    def _add_template(self, text: str, cells: Sequence[str], shape: _Shape, tally: _Tally) -> None:
        """Add the template of an error, by which other rows of its group are known."""
        if len(self._templates) >= _MOST_TEMPLATES or len(text) > _MOST_REMEMBERED or MASK_START in text:
            return
        others = ["" if index == self._error_index else cell for index, cell in enumerate(cells)]
        values = values_in(shape.code, shape.unquoted, others, self._names)
        of_group = _Shape(shape.code, shape.fields, (), "", tally)
        template: ErrorTemplate | None = QuotingTemplate.of(text)
        if template:
            of_group = shape  # the cells of a row still decide
        elif shape.fingerprint and (not values or shape.fingerprint == tally.fingerprint):
            template = FormTemplate.of(text, shape.fingerprint, shape.indexes)
        elif values and tally.fingerprint is None:
            template = CellTemplate.of(text, others, values, shape.indexes)
        if template:
            self._templates.append((template, of_group))

    def _shape_of(self, text: str) -> _Shape:
        error = parse_row_error(text)
        code = cut(error.code, LONGEST_CODE)
        unquoted = without_quoted(code, error.message)
        key = (error.code, error.fields, unquoted)
        shape = self._shapes.get(key)
        if shape is None:
            fields = tuple(cut(name, LONGEST_FIELD) for name in error.fields[:MOST_FIELDS])
            shape = _Shape(code, fields, self._indexes(error.fields[:MOST_FIELDS]), unquoted)
            _remember(self._shapes, key, shape, len(text))
        _remember(self._shapes_by_text, text, shape, len(text))
        return shape

    def _tally_of(self, shape: _Shape, text: str, replaced: Sequence[str], cells: Sequence[str]) -> _Tally:
        """Return the group of a row.

        Args:
            shape: shape of its error.
            text: text of its error.
            replaced: cells that its fingerprint does not have.
            cells: all cells of the row.
        """
        fingerprint = without_quoted_and_values(shape.code, shape.unquoted, replaced, self._names)
        fingerprint_key = (shape.code, shape.fields, fingerprint)
        key = self._key(fingerprint_key, shape.unquoted, cells)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = self._new_tally(key, fingerprint, parse_row_error(text))
        if key != _BEYOND_LIMIT and tally.fingerprint != fingerprint:
            tally.fingerprint = None
        if not replaced and fingerprint_key in self._keys_by_fingerprint:
            shape.tally, shape.fingerprint = tally, fingerprint
        return tally

    def _new_tally(self, key: _Key, fingerprint: str, error: RowError) -> _Tally:
        if key == _BEYOND_LIMIT:
            return _Tally("", {})
        at_fault = self._indexes_at_fault(error)
        listed = [index for index in at_fault if len(self._columns[index]) <= LONGEST_FIELD]
        return _Tally(None if fingerprint == key[-1] else fingerprint, {index: set() for index in listed})

    def _key(self, fingerprint_key: _Key, unquoted: str, cells: Sequence[str]) -> _Key:
        """Return the key of the group that a row belongs to.

        A fingerprint that an earlier row had leads to the group of that row, whichever words of the message happen to be
        cells of this row.
        """
        if fingerprint_key in self._keys_by_fingerprint:
            return self._keys_by_fingerprint[fingerprint_key]
        code, fields, _ = fingerprint_key
        key = (code, fields, without_quoted_and_cells(code, unquoted, self._other_cells(cells), self._names))
        if key not in self._tallies and len(self._tallies) - (_BEYOND_LIMIT in self._tallies) >= MOST_GROUPS:
            return _BEYOND_LIMIT
        if len(self._keys_by_fingerprint) < _MOST_FINGERPRINTS:
            self._keys_by_fingerprint[fingerprint_key] = key
        return key

    def _other_cells(self, cells: Sequence[str]) -> Iterator[str]:
        """Return the cells of the row that are not its error."""
        return (cell for index, cell in enumerate(cells) if index != self._error_index and cell)

    def _values(self, error: RowError, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Return columns and cells of the fields at fault."""
        for index in self._indexes_at_fault(error):
            if index < len(cells):
                yield cut(self._columns[index], LONGEST_FIELD), cut(cells[index], LONGEST_VALUE)

    def _indexes_at_fault(self, error: RowError) -> list[int]:
        """Return the indexes of the columns of the fields that the error names, or, where it names none, its message."""
        named = error.fields[:MOST_FIELDS] or _API_NAME.findall(error.message[:LONGEST_MESSAGE])
        return [index for index in self._indexes(named)[:MOST_VALUES] if index != self._error_index]

    def _indexes(self, fields: Sequence[str]) -> list[int]:
        """Return the indexes of the columns that write these fields."""
        return list(dict.fromkeys(index for name in fields for index in self._indexes_by_field.get(name.lower(), ())))


def _remember(remembered: dict[_K, _V], key: _K, value: _V, size: int) -> None:
    """Remember what is known of a text of this size, in constant memory."""
    if size <= _MOST_REMEMBERED:
        if len(remembered) >= _MOST_REMEMBERED:
            remembered.clear()  # texts that come again are soon back
        remembered[key] = value


def _can_be_listed(cell: str) -> bool:
    return len(cell) <= LONGEST_CELL and cell.isprintable() and not MASK.search(cell)


def fields_of(column: str) -> Iterator[str]:
    """Return the names under which an error may name a column.

    They are the column's own name and, for a relationship column, the names of its lookup field and of its external id.
    """
    yield column
    relationship, dot, key = column.rpartition(":")[2].partition(".")
    if dot:
        yield key
        yield f"{relationship[:-1]}c" if relationship.endswith("__r") else f"{relationship}Id"
