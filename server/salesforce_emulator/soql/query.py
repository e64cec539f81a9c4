"""A query: translated to SQL once, then run to find its records and to read their selected fields."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from lark import Token

from salesforce_emulator.schema.model import Field, Schema, SObject, StoredValue
from salesforce_emulator.soql.conditions import translate
from salesforce_emulator.soql.paths import PathNode, RelationshipPaths
from salesforce_emulator.soql.syntax import (
    Count,
    FieldsOf,
    Ordering,
    Select,
    SoqlError,
    locating_errors,
    malformed,
    parse_query,
    position,
)
from salesforce_emulator.storage.records import json_value

MAX_OFFSET = 2000
"""The largest OFFSET (documented)."""

MAX_ORDERINGS = 32
"""The largest number of fields after ORDER BY (documented)."""

MAX_FIELDS_LIMIT = 200
"""The largest LIMIT of a query with FIELDS(ALL) or FIELDS(CUSTOM), which need one (documented)."""

Serials: TypeAlias = "array[int]"  # quoted: an array is subscriptable from Python 3.12 on
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A selected field.

    Attributes:
        name: the name of the field in the answer.
        field: the field.
        index: the index of the field's value in the rows of the SQL result.
    """

    name: str
    field: Field
    index: int


@dataclass(frozen=True, slots=True)
class SelectedRecord:
    """The selected fields and parent records of a record in the answer, or of one of its parents.

    Attributes:
        targets: the objects that the record can be of, each with the index of its Id in the rows of the SQL result.
        members: the selected fields and parent records by name, in the order of the query.
    """

    targets: tuple[tuple[SObject, int], ...]
    members: dict[str, "SelectedField | SelectedRecord"]

    def to_json(self, row: sqlite3.Row, base: str) -> Record | None:
        """Return the record as JSON; None for the parent record of an empty lookup.

        Seen in threads: where a lookup can lead to several objects, the type is Name, and the URL has the object.

        Args:
            row: the row of the SQL result.
            base: the path of the REST API's version, before /sobjects.
        """
        for sobject, index in self.targets:
            if row[index] is not None:
                type_name = sobject.name if len(self.targets) == 1 else "Name"
                attributes = {"type": type_name, "url": f"{base}/sobjects/{sobject.name}/{row[index]}"}
                return {"attributes": attributes} | {
                    name: member.to_json(row, base)
                    if isinstance(member, SelectedRecord)
                    else json_value(member.field, row[member.index])
                    for name, member in self.members.items()
                }
        return None


class Query:
    """A query in SQL.

    Attributes:
        sobject: the queried object.
        counts: the COUNT of a query that asks for a number; None for a query that asks for records.
        selected: the selected fields of each record of the answer.

    Args:
        text: the query in SOQL.
        schema: the objects of the org.
        now: the time in UTC from which date literals are computed.
        deleted_too: whether the query finds records in the recycle bin, too.

    Raises:
        QueryError: the text is not SOQL, or names an object or field that does not exist (400).
    """

    def __init__(self, text: str, schema: Schema, now: datetime, *, deleted_too: bool = False) -> None:
        with locating_errors(text):
            select = parse_query(text)
            sobject = _sobject(schema, select.sobject)
            self.sobject = sobject
            self._paths = RelationshipPaths(schema, sobject)
            self.counts = select.selection if isinstance(select.selection, Count) else None
            self._expressions: list[str] = []
            self.selected = self._select(select, sobject)
            self._where, self._values = self._translate_where(select, now, deleted_too)
            self._order = ", ".join([*map(self._ordered, select.ordering), "t._serial"])
            self._limit, self._offset = -1 if select.limit is None else select.limit, select.offset
            _check_limits(select)

    def count(self, connection: sqlite3.Connection) -> int:
        """Return the number of records that the query finds; with COUNT(field), of those with a value in the field."""
        statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM {self._paths.sql} WHERE {self._where} LIMIT ? OFFSET ?)"
        count: int = connection.execute(statement, (*self._values, self._limit, self._offset)).fetchone()[0]
        return count

    def serials(self, connection: sqlite3.Connection) -> Serials:
        """Return the serial numbers of the records that the query finds, in their order."""
        statement = (
            f"SELECT t._serial FROM {self._paths.sql} WHERE {self._where} ORDER BY {self._order} LIMIT ? OFFSET ?"
        )
        rows = connection.execute(statement, (*self._values, self._limit, self._offset))
        return array("q", (row[0] for row in rows))

    def records(self, connection: sqlite3.Connection, serials: Iterable[int], base: str) -> list[Record]:
        """Return the records with these serial numbers, in this order, without the records that were deleted for good.

        Args:
            connection: a connection to the org.
            serials: the serial numbers.
            base: the path of the REST API's version, before /sobjects.
        """
        wanted = list(serials)
        marks = ", ".join("?" * len(wanted))
        names = ", ".join([*self._expressions, "t._serial"])
        statement = f"SELECT {names} FROM {self._paths.sql} WHERE t._serial IN ({marks})"
        rows = {row["_serial"]: row for row in connection.execute(statement, wanted)}
        shown = (self.selected.to_json(rows[serial], base) for serial in wanted if serial in rows)
        return [record for record in shown if record is not None]

    def _select(self, select: Select, sobject: SObject) -> SelectedRecord:
        root = self._record_of(self._paths.root)
        if isinstance(select.selection, Count):
            return root
        for name in _names(select.selection, sobject):
            node, expression = self._paths.resolve(name)
            field, record = expression.field, self._record_at(root, node)
            if field.name in record.members:
                raise SoqlError("INVALID_FIELD", f"duplicate field selected: {name}", position(name))
            record.members[field.name] = SelectedField(field.name, field, self._index_of(expression.sql))
        return root

    def _record_at(self, root: SelectedRecord, node: PathNode) -> SelectedRecord:
        record, at = root, self._paths.root
        for relationship in node.path:
            at = at.children[relationship.lower()]
            member = record.members.get(relationship)
            if not isinstance(member, SelectedRecord):
                member = record.members[relationship] = self._record_of(at)
            record = member
        return record

    def _record_of(self, node: PathNode) -> SelectedRecord:
        return SelectedRecord(tuple((sobject, self._index_of(f"{alias}.Id")) for alias, sobject in node.targets), {})

    def _index_of(self, sql: str) -> int:
        """Add an expression to the selected ones, and return its index in the rows of the SQL result."""
        self._expressions.append(sql)
        return len(self._expressions) - 1

    def _translate_where(self, select: Select, now: datetime, deleted_too: bool) -> tuple[str, list[StoredValue]]:
        tests = ["1" if deleted_too else "NOT t.IsDeleted"]
        values: list[StoredValue] = []
        if self.counts and self.counts.name:
            tests.append(f"{self._paths.field(self.counts.name).sql} IS NOT NULL")
        if select.where:
            sql, values = translate(select.where, self._paths.field, now)
            tests.append(sql)
        return " AND ".join(tests), values

    def _ordered(self, ordering: Ordering) -> str:
        expression = self._paths.field(ordering.name)
        if not expression.field.filterable:
            reason = f"field '{expression.field.name}' can not be sorted in a query call"
            raise SoqlError("INVALID_FIELD", reason, position(ordering.name))
        direction = "DESC" if ordering.descending else "ASC"
        return f"{expression.sql} {direction} NULLS {'LAST' if ordering.nulls_last else 'FIRST'}"


def _sobject(schema: Schema, name: Token) -> SObject:
    try:
        return schema[name]
    except KeyError:
        reason = (
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append"
            " the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate"
            " names."
        )
        raise SoqlError("INVALID_TYPE", reason, position(name)) from None


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
        raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", reason, position(select.sobject))
    for ordering in select.ordering[MAX_ORDERINGS:]:  # assumed: the text
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
