"""The part of SOQL that checks of a load need: fields or COUNT(), one object, `=` joined by AND, LIMIT."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from .. import ids
from ..errors import ApiError
from ..schema.model import Field, Schema, SObject, Stored

PAGE_SIZE = 2000

# A query that has further pages; its locator names it and the first record of the next page.
TABLE = "CREATE TABLE IF NOT EXISTS query_cursor (id INTEGER PRIMARY KEY, soql TEXT NOT NULL)"

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<number>[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?(?![\w.-]))
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<mark>[=,()])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_NUMERIC = {"int", "double", "currency", "percent"}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: `fields` is empty for COUNT(); each condition is a field and the value that it equals."""

    sobject: SObject
    fields: tuple[Field, ...]
    conditions: tuple[tuple[Field, Stored], ...]
    limit: int | None


def parse(soql: str, schema: Schema) -> Query:
    """Understand a query.

    Raises:
        ApiError: it can't be understood, or names what is not there (400).
    """
    return _Parser(soql, schema).query()


def count(connection: sqlite3.Connection, query: Query) -> int:
    """How many records the query finds, its LIMIT included."""
    where, values = _where(query)
    limit = -1 if query.limit is None else query.limit
    statement = f'SELECT COUNT(*) FROM (SELECT 1 FROM "{query.sobject.name}" WHERE {where} LIMIT ?)'
    found: int = connection.execute(statement, (*values, limit)).fetchone()[0]
    return found


def page(connection: sqlite3.Connection, query: Query, start: int) -> list[sqlite3.Row]:
    """The records of one page, oldest first, with their Id whatever the query names."""
    where, values = _where(query)
    size = PAGE_SIZE if query.limit is None else max(0, min(PAGE_SIZE, query.limit - start))
    names = ", ".join(f'"{name}"' for name in dict.fromkeys(["Id", *(field.name for field in query.fields)]))
    statement = f'SELECT {names} FROM "{query.sobject.name}" WHERE {where} ORDER BY _serial LIMIT ? OFFSET ?'
    return connection.execute(statement, (*values, size, start)).fetchall()


def _where(query: Query) -> tuple[str, list[Stored]]:
    tests = ["NOT IsDeleted", *(f'"{field.name}" IS ?' for field, _ in query.conditions)]
    return " AND ".join(tests), [value for _, value in query.conditions]


def malformed(message: str) -> ApiError:
    """Platform error of the query resource."""
    return ApiError(400, "MALFORMED_QUERY", message, platform=True)


class _Parser:
    def __init__(self, soql: str, schema: Schema) -> None:
        self._schema = schema
        self._tokens = _tokens(soql)
        self._kind, self._token = next(self._tokens)

    def query(self) -> Query:
        self._keyword("SELECT")
        names = self._selection()
        self._keyword("FROM")
        sobject = self._object(self._take("word"))
        fields = tuple(_field(sobject, name) for name in names)
        conditions = tuple(self._conditions(sobject)) if self._skip("WHERE") else ()
        limit = int(self._whole_number()) if self._skip("LIMIT") else None
        if self._kind != "end":
            raise malformed(f"unexpected token: '{self._token}'")
        return Query(sobject, fields, conditions, limit)

    def _selection(self) -> list[str]:
        names = [self._take("word")]
        if names[0].upper() == "COUNT" and self._skip("("):
            self._keyword(")")
            return []
        while self._skip(","):
            names.append(self._take("word"))
        return names

    def _object(self, name: str) -> SObject:
        try:
            return self._schema[name]
        except KeyError:
            raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", platform=True) from None

    def _conditions(self, sobject: SObject) -> Iterator[tuple[Field, Stored]]:
        while True:
            field = _field(sobject, self._take("word"))
            self._keyword("=")
            yield field, self._value(field)
            if not self._skip("AND"):
                return

    def _value(self, field: Field) -> Stored:
        kind, token = self._kind, self._take("text", "number", "word")
        if kind == "word" and token.lower() == "null":
            return None
        if kind == "word" and token.lower() in ("true", "false") and field.type == "boolean":
            return int(token.lower() == "true")
        if kind == "number" and field.type in _NUMERIC:
            return float(token)
        if kind == "text" and field.type not in _NUMERIC | {"boolean", "date", "datetime"}:
            text = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1], flags=re.DOTALL)
            return (ids.normal(text) or text) if field.type in ("id", "reference") else text
        if kind == "word":
            raise malformed(f"unexpected token: '{token}'")
        quoting = "should not" if kind == "text" else "should"
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quoting} be"
            " enclosed in quotes"
        )
        raise ApiError(400, "INVALID_FIELD", message, platform=True)

    def _whole_number(self) -> str:
        token = self._take("number")
        if not token.isdigit() or len(token) > 9:
            raise malformed(f"unexpected token: '{token}'")
        return token

    def _take(self, *kinds: str) -> str:
        token = self._token
        if self._kind not in kinds:
            raise malformed(f"unexpected token: '{token}'")
        self._kind, self._token = next(self._tokens)
        return token

    def _skip(self, keyword: str) -> bool:
        if self._kind not in ("word", "mark") or self._token.upper() != keyword:
            return False
        self._kind, self._token = next(self._tokens)
        return True

    def _keyword(self, keyword: str) -> None:
        if not self._skip(keyword):
            raise malformed(f"unexpected token: '{self._token}', expected '{keyword}'")


def _tokens(soql: str) -> Iterator[tuple[str, str]]:
    position, text = 0, soql.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise malformed(f"unexpected token: '{text[position : position + 20].strip()}'")
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()
    while True:
        yield "end", "<EOF>"


def _field(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None:
        message = (
            f"No such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure"
            " to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the"
            " appropriate names."
        )
        raise ApiError(400, "INVALID_FIELD", message, platform=True)
    return field
