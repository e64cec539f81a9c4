"""What stands after WHERE, as SQL.

Each condition is true or false, never unknown: as in SOQL, `!= 'x'` finds the records without a value, and NOT finds
exactly the others. Text is compared without regard to case, by the collation of the columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lark import Token

from salesforce_emulator.clock import utc_now
from salesforce_emulator.schema.model import Field, Schema, SObject, Stored
from salesforce_emulator.soql.literals import bounds, pattern, stored, token_of
from salesforce_emulator.soql.syntax import (
    MAX_DEPTH,
    Choice,
    Comparison,
    Condition,
    Days,
    Junction,
    Membership,
    Negation,
    Refusal,
    explaining,
    malformed,
    parse_condition,
    position,
)

CHAIN = 16  # so many terms stand side by side: each is a level to SQLite, which follows no more than 1,000

Sql = tuple[str, list[Stored]]


@dataclass(frozen=True, slots=True)
class Column:
    """A field and the SQL expression of its value."""

    sql: str
    field: Field


Resolve = Callable[[Token], Column]


def compile_condition(text: str, sobject: SObject, schema: Schema, *, now: datetime | None = None) -> Sql:
    """A condition on an object's own fields: an SQL boolean expression over its columns, and the values of its marks.

    Args:
        text: what may stand after WHERE in SOQL.
        sobject: the object.
        schema: all objects.
        now: the time in UTC that TODAY and other date literals are reckoned from.

    Raises:
        QueryError: it is not SOQL, or names what is not there.
    """

    def own(name: Token) -> Column:
        if "." in name:
            raise malformed(f"Only fields of {sobject.name} itself can be used here, not '{name}'", position(name))
        return Column(f'"{field_of(sobject, name, name).name}"', field_of(sobject, name, name))

    with explaining(text):
        return compiled(parse_condition(text), own, now or utc_now())


def field_of(sobject: SObject, name: str, token: Token) -> Field:
    """The field of this name.

    Raises:
        Refusal: there is none; the place is the token's.
    """
    field = sobject.field(name)
    if field is None:
        raise Refusal("INVALID_FIELD", unknown_column(sobject.name, name), position(token))
    return field


def unknown_column(entity: str, name: str) -> str:
    """What the platform says of a field that is not there."""
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append"
        " the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate"
        " names."
    )


def compiled(condition: Condition, resolve: Resolve, now: datetime) -> Sql:
    """The condition as SQL; `resolve` says what a name stands for.

    Raises:
        Refusal: it is nested too deeply, or names what can't be compared so.
    """
    if condition.depth > MAX_DEPTH:
        raise malformed(f"Conditions are nested more than {MAX_DEPTH} deep; use fewer parentheses", 0)
    return _compiled(condition, resolve, now)


def _compiled(condition: Condition, resolve: Resolve, now: datetime) -> Sql:
    match condition:
        case Comparison(name, operator, value):
            return _comparison(_filterable(resolve(name), name), operator, value, now)
        case Membership(name, negated, values):
            return _membership(_filterable(resolve(name), name), negated, values, now)
        case Choice(name, negated, values):
            return _choice(resolve(name), negated, values)
        case Negation(inner):
            sql, found = _compiled(inner, resolve, now)
            return f"NOT {sql}", found
        case Junction(operator, parts):
            # The deepest first: SQLite's parser must remember all that stands before a parenthesis.
            parts = tuple(sorted(parts, key=lambda part: -part.depth))
            return _joined(operator, [_compiled(part, resolve, now) for part in parts])


def _filterable(column: Column, name: Token) -> Column:
    if column.field.long_text:
        reason = f"field '{column.field.name}' can not be filtered in a query call"
        raise Refusal("INVALID_FIELD", reason, position(name))
    return column


def _comparison(column: Column, operator: str, value: Token | Days, now: datetime) -> Sql:
    if operator == "LIKE":
        found = pattern(column.field, token_of(value))
        return f"({column.sql} IS NOT NULL AND {column.sql} LIKE ? ESCAPE '\\')", [found]
    if isinstance(value, Days):
        return _within(column, operator, *bounds(column.field, value, now))
    wanted = stored(column.field, value)
    if operator in ("=", "!="):
        return f"({column.sql} IS{' NOT' if operator == '!=' else ''} ?)", [wanted]
    if wanted is None or column.field.type == "boolean":
        raise Refusal("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(value))
    return _ordered(column, operator, wanted)


def _ordered(column: Column, operator: str, value: Stored) -> Sql:
    return f"({column.sql} IS NOT NULL AND {column.sql} {operator} ?)", [value]


def _within(column: Column, operator: str, first: str, after: str) -> Sql:
    match operator:
        case "<" | ">=":
            return _ordered(column, operator, first)
        case "<=":
            return _ordered(column, "<", after)
        case ">":
            return _ordered(column, ">=", after)
    sql = f"({column.sql} IS NOT NULL AND {column.sql} >= ? AND {column.sql} < ?)"
    return f"NOT {sql}" if operator == "!=" else sql, [first, after]


def _membership(column: Column, negated: bool, values: Sequence[Token | Days], now: datetime) -> Sql:
    spans = [_comparison(column, "=", value, now) for value in values if isinstance(value, Days)]
    wanted = [stored(column.field, value) for value in values if not isinstance(value, Days)]
    null = "IS NULL OR" if None in wanted else "IS NOT NULL AND"
    present: list[Stored] = [value for value in wanted if value is not None]
    listed = f"({column.sql} {null} {column.sql} IN ({', '.join('?' * len(present))}))"
    sql, found = _joined("OR", [*spans, (listed, present)])
    return f"NOT {sql}" if negated else sql, found


def _choice(column: Column, negated: bool, values: Sequence[Token | Days]) -> Sql:
    """Documented: each of the values may be several at once, `a;b`, of which all must be chosen."""
    null = any(token_of(value).type == "NULL" for value in values)
    if column.field.type != "multipicklist" or null:
        raise Refusal("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(token_of(values[0])))
    alternatives = [str(stored(column.field, token_of(value))).split(";") for value in values]
    test = f"({column.sql} IS NOT NULL AND instr(lower(';' || {column.sql} || ';'), lower(?)) > 0)"
    terms = [_joined("AND", [(test, [f";{part};"]) for part in together]) for together in alternatives]
    sql, found = _joined("OR", terms)
    return f"NOT {sql}" if negated else sql, found


def _joined(operator: str, terms: Sequence[Sql]) -> Sql:
    parts = [sql for sql, _ in terms]
    while len(parts) > 1:
        chains = [parts[start : start + CHAIN] for start in range(0, len(parts), CHAIN)]
        parts = [f"({f' {operator} '.join(chain)})" for chain in chains]
    return parts[0], [value for _, values in terms for value in values]
