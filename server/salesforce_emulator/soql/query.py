"""Queries: compiled once, then asked which records they find and what those hold."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from lark import Token

from salesforce_emulator.schema.model import Field, Schema, SObject, Stored
from salesforce_emulator.soql.conditions import compiled
from salesforce_emulator.soql.paths import Paths, Place
from salesforce_emulator.soql.syntax import (
    Count,
    FieldsOf,
    Ordering,
    Refusal,
    Select,
    explaining,
    malformed,
    parse_query,
    position,
)
from salesforce_emulator.storage.records import json_value

MAX_OFFSET = 2000  # documented
MAX_ORDERINGS = 32  # documented
MAX_FIELDS_LIMIT = 200  # documented: FIELDS(ALL) and FIELDS(CUSTOM) want a LIMIT of no more

Serials: TypeAlias = "array[int]"  # quoted: an array is subscriptable from Python 3.12 on
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """A selected field: its name in the answer, the field, and the column of the result that holds it."""

    name: str
    field: Field
    column: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A record of the answer, or one that it leads to.

    Attributes:
        targets: the objects that it can be of, each with the column that holds its Id.
        members: what it shows, in the order of the query.
    """

    targets: tuple[tuple[SObject, int], ...]
    members: dict[str, "Output | Shape"]

    def show(self, row: sqlite3.Row, base: str) -> Record | None:
        """The record as JSON; None if the lookup leads nowhere.

        Seen in threads: where a lookup can lead to several objects, the type is Name, and the URL tells which it is.
        """
        for sobject, column in self.targets:
            if row[column] is not None:
                kind = sobject.name if len(self.targets) == 1 else "Name"
                attributes = {"type": kind, "url": f"{base}/sobjects/{sobject.name}/{row[column]}"}
                return {"attributes": attributes} | {
                    name: member.show(row, base)
                    if isinstance(member, Shape)
                    else json_value(member.field, row[member.column])
                    for name, member in self.members.items()
                }
        return None


class Query:
    """A query that was understood.

    Attributes:
        sobject: what it asks for.
        counts: the answer is a number: None for the records themselves.
        shape: what each record of the answer shows.

    Raises:
        QueryError: it can't be understood, or names what is not there (400).
    """

    def __init__(self, text: str, schema: Schema, now: datetime, *, deleted_too: bool = False) -> None:
        with explaining(text):
            select = parse_query(text)
            sobject = _sobject(schema, select.sobject)
            self.sobject = sobject
            self._paths = Paths(schema, sobject)
            self.counts = select.selection if isinstance(select.selection, Count) else None
            self._columns: list[str] = []
            self.shape = self._selected(select, sobject)
            self._where, self._values = self._found(select, now, deleted_too)
            self._order = ", ".join([*map(self._ordered, select.ordering), "t._serial"])
            self._limit, self._offset = -1 if select.limit is None else select.limit, select.offset
            _check_limits(select)

    def count(self, connection: sqlite3.Connection) -> int:
        """How many records the query finds; with COUNT(field), those that have a value in it."""
        statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM {self._paths.sql} WHERE {self._where} LIMIT ? OFFSET ?)"
        count: int = connection.execute(statement, (*self._values, self._limit, self._offset)).fetchone()[0]
        return count

    def serials(self, connection: sqlite3.Connection) -> Serials:
        """The running numbers of the records that the query finds, in their order."""
        statement = (
            f"SELECT t._serial FROM {self._paths.sql} WHERE {self._where} ORDER BY {self._order} LIMIT ? OFFSET ?"
        )
        rows = connection.execute(statement, (*self._values, self._limit, self._offset))
        return array("q", (row[0] for row in rows))

    def records(self, connection: sqlite3.Connection, serials: Iterable[int], base: str) -> list[Record]:
        """The records of these numbers in this order, without those that are gone for good; `base` begins their URLs."""
        wanted = list(serials)
        marks = ", ".join("?" * len(wanted))
        names = ", ".join([*self._columns, "t._serial"])
        statement = f"SELECT {names} FROM {self._paths.sql} WHERE t._serial IN ({marks})"
        rows = {row["_serial"]: row for row in connection.execute(statement, wanted)}
        shown = (self.shape.show(rows[serial], base) for serial in wanted if serial in rows)
        return [record for record in shown if record is not None]

    def _selected(self, select: Select, sobject: SObject) -> Shape:
        root = self._shape_of(self._paths.root)
        if isinstance(select.selection, Count):
            return root
        for name in _names(select.selection, sobject):
            place, column = self._paths.resolve(name)
            shape = self._shape_at(root, place)
            if column.field.name in shape.members:
                raise Refusal("INVALID_FIELD", f"duplicate field selected: {name}", position(name))
            shape.members[column.field.name] = Output(column.field.name, column.field, self._column(column.sql))
        return root

    def _shape_at(self, root: Shape, place: Place) -> Shape:
        shape, at = root, self._paths.root
        for relationship in place.path:
            at = at.places[relationship.lower()]
            member = shape.members.get(relationship)
            if not isinstance(member, Shape):
                member = shape.members[relationship] = self._shape_of(at)
            shape = member
        return shape

    def _shape_of(self, place: Place) -> Shape:
        return Shape(tuple((sobject, self._column(f"{alias}.Id")) for alias, sobject in place.targets), {})

    def _column(self, sql: str) -> int:
        self._columns.append(sql)
        return len(self._columns) - 1

    def _found(self, select: Select, now: datetime, deleted_too: bool) -> tuple[str, list[Stored]]:
        tests = ["1" if deleted_too else "NOT t.IsDeleted"]
        values: list[Stored] = []
        if self.counts and self.counts.name:
            tests.append(f"{self._paths.column(self.counts.name).sql} IS NOT NULL")
        if select.where:
            sql, values = compiled(select.where, self._paths.column, now)
            tests.append(sql)
        return " AND ".join(tests), values

    def _ordered(self, ordering: Ordering) -> str:
        column = self._paths.column(ordering.name)
        if column.field.long_text:
            reason = f"field '{column.field.name}' can not be sorted in a query call"
            raise Refusal("INVALID_FIELD", reason, position(ordering.name))
        direction = "DESC" if ordering.descending else "ASC"
        return f"{column.sql} {direction} NULLS {'LAST' if ordering.nulls_last else 'FIRST'}"


def _sobject(schema: Schema, name: Token) -> SObject:
    try:
        return schema[name]
    except KeyError:
        reason = (
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append"
            " the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate"
            " names."
        )
        raise Refusal("INVALID_TYPE", reason, position(name)) from None


def _names(selection: Iterable[Token | FieldsOf], sobject: SObject) -> Iterator[Token]:
    for selected in selection:
        if isinstance(selected, Token):
            yield selected
            continue
        custom = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}.get(selected.kind.upper())
        if custom is None:
            raise malformed(f"unexpected token: '{selected.kind}'", position(selected.kind))
        yield from (selected.kind.update(value=field.name) for field in sobject.fields if field.custom in custom)


def _check_limits(select: Select) -> None:
    if select.offset > MAX_OFFSET:
        reason = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
        raise Refusal("NUMBER_OUTSIDE_VALID_RANGE", reason, position(select.sobject))
    for ordering in select.ordering[MAX_ORDERINGS:]:  # assumed: text
        raise malformed(f"A query can't be ordered by more than {MAX_ORDERINGS} fields", position(ordering.name))
    if isinstance(select.selection, Count):
        if select.selection.name and (select.limit is not None or select.ordering):
            clause = "LIMIT" if select.limit is not None else "ORDER BY"
            reason = f"Non-grouped query that uses overall aggregate functions cannot also use {clause}"
            raise malformed(reason, position(select.sobject))
        return
    unbounded = select.limit is None or select.limit > MAX_FIELDS_LIMIT
    for selected in select.selection:
        if isinstance(selected, FieldsOf) and selected.kind.upper() != "STANDARD" and unbounded:
            reason = f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_LIMIT}"
            raise malformed(reason, position(selected.kind))
