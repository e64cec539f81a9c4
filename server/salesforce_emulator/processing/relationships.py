"""Lookups that are given by a field of the parent: found for a chunk of rows at a time, not row by row."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.headers import ParentKey
from salesforce_emulator.processing.rows import Columns, Row
from salesforce_emulator.processing.values import Cell, Value
from salesforce_emulator.schema.model import Field, Stored
from salesforce_emulator.storage.records import fold, matches

Found = Mapping[Stored, list[str]]


@dataclass(frozen=True, slots=True)
class _Source:
    """A column that may give the lookup: by its id, or by a field of the parent."""

    place: int
    key: ParentKey | None


class Lookups:
    """The lookups of one upload that relationship columns give; a parent in the same chunk is not found (seen)."""

    def __init__(self, columns: Columns) -> None:
        named = dict.fromkeys(column.field for column in columns.columns if column.key)
        self._sources = {
            lookup: [
                _Source(place, column.key) for place, column in enumerate(columns.columns) if column.field == lookup
            ]
            for lookup in named
        }

    def resolve(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Add the id of each such lookup to the rows' values; the rows that name no one parent fail."""
        for lookup, sources in self._sources.items():
            rows = _resolve(connection, lookup, sources, rows)
        return rows


def _resolve(connection: sqlite3.Connection, lookup: Field, sources: Sequence[_Source], rows: list[Row]) -> list[Row]:
    found = [_found(connection, source, rows) for source in sources]

    def add(row: Row) -> None:
        row.values = (*row.values, _parent_of(row, lookup, sources, found))

    return [row for row in rows if row.require(add)]


def _found(connection: sqlite3.Connection, source: _Source, rows: list[Row]) -> Found:
    if source.key is None:
        return {}
    keys = {value for row in rows if not isinstance(value := row.values[source.place], Cell) and value is not None}
    return matches(connection, source.key.parent, source.key.field, keys) if keys else {}


def _parent_of(row: Row, lookup: Field, sources: Sequence[_Source], found: Sequence[Found]) -> Value:
    given = [place for place, source in enumerate(sources) if row.values[source.place] is not Cell.EMPTY]
    if not given:
        return Cell.EMPTY
    if len(given) > 1:  # seen in the REST API; assumed: in a job too, and for two references
        message = (
            f"Cannot specify both an external ID reference {lookup.relationshipName} and a salesforce id, {lookup.name}"
        )
        raise RowError("INVALID_FIELD", message, lookup.name)
    source = sources[given[0]]
    value = row.values[source.place]
    if source.key is None or value is None or isinstance(value, Cell):
        return value
    ids = found[given[0]].get(fold(value), [])
    if len(ids) == 1:
        return ids[0]
    raise _not_one(source.key, row.cells[source.place], ids)


def _not_one(key: ParentKey, cell: str, ids: Sequence[str]) -> RowError:
    name = key.field.name
    if not ids:  # seen: the text, and that the row fails, not the job, as the documentation says
        message = f"Foreign key external ID: {cell} not found for field {name} in entity {key.parent.name}"
        return RowError("INVALID_FIELD", message)
    # assumed: as for a key of an upsert
    message = f"{name}: more than one record found for external id field: [{', '.join(ids)}]"
    return RowError("DUPLICATE_EXTERNAL_ID", message)
