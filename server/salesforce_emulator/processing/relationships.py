"""Lookups that relationship columns give by a field of the parent; the parents of a chunk of rows are found at once."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.headers import ParentKey
from salesforce_emulator.processing.rows import Row, RowFormat
from salesforce_emulator.processing.values import EMPTY, CellValue, Empty
from salesforce_emulator.schema.model import Field, StoredValue
from salesforce_emulator.storage.records import ids_by_value, record_key

ParentIds = Mapping[StoredValue, list[str]]
"""The ids of the parents by the `record_key` of their key field."""


@dataclass(frozen=True, slots=True)
class _LookupColumn:
    """A column that can give a lookup.

    Attributes:
        index: the index of the column.
        parent_key: the field of the parent that the column holds; None for a column of ids.
    """

    index: int
    parent_key: ParentKey | None


class ParentLookups:
    """The lookups of one upload that relationship columns give; a parent in the same chunk is not found (seen)."""

    def __init__(self, row_format: RowFormat) -> None:
        lookups = dict.fromkeys(column.field for column in row_format.columns if column.parent_key)
        self._columns = {
            lookup: [
                _LookupColumn(index, column.parent_key)
                for index, column in enumerate(row_format.columns)
                if column.field == lookup
            ]
            for lookup in lookups
        }

    def resolve(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Append the parent id of each lookup to the rows' values.

        Returns:
            The rows that have not failed; a row fails unless it names exactly one existing parent, or none at all.
        """
        for lookup, columns in self._columns.items():
            rows = _resolve(connection, lookup, columns, rows)
        return rows


def _resolve(
    connection: sqlite3.Connection, lookup: Field, columns: Sequence[_LookupColumn], rows: list[Row]
) -> list[Row]:
    parents = [_find_parents(connection, column, rows) for column in columns]

    def add(row: Row) -> None:
        row.values = (*row.values, _parent_id(row, lookup, columns, parents))

    return [row for row in rows if row.passes(add)]


def _find_parents(connection: sqlite3.Connection, column: _LookupColumn, rows: list[Row]) -> ParentIds:
    if column.parent_key is None:
        return {}
    keys = {value for row in rows if not isinstance(value := row.values[column.index], Empty) and value is not None}
    return ids_by_value(connection, column.parent_key.parent, column.parent_key.field, keys) if keys else {}


def _parent_id(row: Row, lookup: Field, columns: Sequence[_LookupColumn], parents: Sequence[ParentIds]) -> CellValue:
    given = [number for number, column in enumerate(columns) if row.values[column.index] is not EMPTY]
    if not given:
        return EMPTY
    if len(given) > 1:  # seen in the REST API; assumed: in a job too, and for two references
        message = (
            f"Cannot specify both an external ID reference {lookup.relationshipName} and a salesforce id, {lookup.name}"
        )
        raise RowError("INVALID_FIELD", message, lookup.name)
    column = columns[given[0]]
    value = row.values[column.index]
    if column.parent_key is None or value is None or isinstance(value, Empty):
        return value
    ids = parents[given[0]].get(record_key(column.parent_key.field, value), [])
    if len(ids) == 1:
        return ids[0]
    raise _no_single_parent(column.parent_key, row.cells[column.index], ids)


def _no_single_parent(key: ParentKey, cell: str, ids: Sequence[str]) -> RowError:
    name = key.field.name
    if not ids:  # seen: the text, and that the row fails, not the job, as the documentation says
        message = f"Foreign key external ID: {cell} not found for field {name} in entity {key.parent.name}"
        return RowError("INVALID_FIELD", message)
    # assumed: the error is that of a key of an upsert
    message = f"{name}: more than one record found for external id field: [{', '.join(ids)}]"
    return RowError("DUPLICATE_EXTERNAL_ID", message)
