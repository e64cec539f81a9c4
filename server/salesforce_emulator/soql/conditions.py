"""The translation of conditions, as they stand after WHERE, to SQL.

A translated condition is true or false, never unknown: as in SOQL, `!= 'x'` finds the records without a value, and NOT
finds exactly the records that its condition does not find. The collation of the columns compares text without regard
to case; a field that tells cases apart is compared by another. Assumed: texts are put in order without regard to the case
of the letters of ASCII alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lark import Token

from salesforce_emulator.clock import utc_now
from salesforce_emulator.schema.model import Field, SObject, StoredValue
from salesforce_emulator.soql.literals import date_range, like_pattern, stored, token_of
from salesforce_emulator.soql.syntax import (
    MAX_DEPTH,
    Comparison,
    Condition,
    DateLiteral,
    Includes,
    Junction,
    Membership,
    Negation,
    SoqlError,
    locating_errors,
    malformed,
    parse_condition,
    position,
)

MAX_CHAIN_TERMS = 16
"""The most terms that AND or OR joins without parentheses; SQLite counts each term as a level, and allows 1,000 levels."""

Sql = tuple[str, list[StoredValue]]
"""An SQL expression, and the values of its parameters."""


@dataclass(frozen=True, slots=True)
class FieldExpression:
    """The SQL expression of a field's value.

    Attributes:
        sql: the expression.
        field: the field.
    """

    sql: str
    field: Field


Resolve = Callable[[Token], FieldExpression]
"""Returns the expression of the field that a name of the query stands for."""


def translate_text(text: str, sobject: SObject, *, now: datetime | None = None) -> Sql:
    """Translate a condition on the fields of one object.

    Args:
        text: the condition, as it may stand after WHERE in SOQL.
        sobject: the object.
        now: the time in UTC from which TODAY and other date literals are computed.

    Raises:
        QueryError: the text is not SOQL, or names a field that does not exist.
    """

    def own(name: Token) -> FieldExpression:
        if "." in name:
            raise malformed(f"Only fields of {sobject.name} itself can be used here, not '{name}'", position(name))
        return column_of(field_of(sobject, name, name))

    with locating_errors(text):
        return translate(parse_condition(text), own, now or utc_now())


def column_of(field: Field, alias: str | None = None) -> FieldExpression:
    """Return the expression of a field's column, in the table of this alias; it compares as the field does.

    The collation of the columns is the same for all text, since a field may come to tell cases apart, or to ignore them.
    """
    column = f'{alias}."{field.name}"' if alias else f'"{field.name}"'
    return FieldExpression(f"{column} COLLATE BINARY" if field.caseSensitive else column, field)


def field_of(sobject: SObject, name: str, token: Token) -> Field:
    """Return the field of this name.

    Raises:
        SoqlError: there is no such field; the error has the position of the token.
    """
    field = sobject.field(name)
    if field is None:
        raise SoqlError("INVALID_FIELD", unknown_column(sobject.name, name), position(token))
    return field


def unknown_column(entity: str, name: str) -> str:
    """Return the platform's message about a field that does not exist."""
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append"
        " the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate"
        " names."
    )


def translate(condition: Condition, resolve: Resolve, now: datetime) -> Sql:
    """Translate a condition to SQL.

    Args:
        condition: the condition.
        resolve: returns the expression of the field that a name stands for.
        now: the time in UTC from which date literals are computed.

    Raises:
        SoqlError: the condition is nested too deeply, or compares a field with what it can't be compared with.
    """
    if condition.depth > MAX_DEPTH:
        raise malformed(f"Conditions are nested more than {MAX_DEPTH} deep; use fewer parentheses", 0)
    return _translate(condition, resolve, now)


def _translate(condition: Condition, resolve: Resolve, now: datetime) -> Sql:
    match condition:
        case Comparison(name, operator, value):
            return _comparison(_filterable(resolve(name), name), operator, value, now)
        case Membership(name, negated, values):
            return _membership(_filterable(resolve(name), name), negated, values, now)
        case Includes(name, negated, values):
            return _includes(resolve(name), negated, values)
        case Negation(inner):
            sql, bound = _translate(inner, resolve, now)
            return f"NOT {sql}", bound
        case Junction(operator, parts):
            # The deepest part comes first, since SQLite's parser keeps everything before a parenthesis on its stack.
            parts = tuple(sorted(parts, key=lambda part: -part.depth))
            return _joined(operator, [_translate(part, resolve, now) for part in parts])


def _filterable(expression: FieldExpression, name: Token) -> FieldExpression:
    if not expression.field.filterable:
        reason = f"field '{expression.field.name}' can not be filtered in a query call"
        raise SoqlError("INVALID_FIELD", reason, position(name))
    return expression


def _comparison(expression: FieldExpression, operator: str, value: Token | DateLiteral, now: datetime) -> Sql:
    if operator == "LIKE":
        sql, [like] = _in_any_case(expression, [like_pattern(expression.field, token_of(value))])
        return f"({sql} IS NOT NULL AND {sql} LIKE ? ESCAPE '\\')", [like]
    if isinstance(value, DateLiteral):
        return _compared_with_range(expression, operator, *date_range(expression.field, value, now))
    wanted = stored(expression.field, value)
    if operator in ("=", "!="):
        sql, compared = _in_any_case(expression, [wanted])
        return f"({sql} IS{' NOT' if operator == '!=' else ''} ?)", compared
    if wanted is None or expression.field.type == "boolean":
        raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(value))
    return _ordered(expression, operator, wanted)


def _in_any_case(expression: FieldExpression, values: list[StoredValue]) -> Sql:
    """Return what to compare for equality, an expression and values: the database itself ignores the case of ASCII alone."""
    if expression.field.caseSensitive or all(not isinstance(value, str) or value.isascii() for value in values):
        return expression.sql, values
    return f"folded({expression.sql})", [value.lower() if isinstance(value, str) else value for value in values]


def _ordered(expression: FieldExpression, operator: str, value: StoredValue) -> Sql:
    return f"({expression.sql} IS NOT NULL AND {expression.sql} {operator} ?)", [value]


def _compared_with_range(expression: FieldExpression, operator: str, first: str, after: str) -> Sql:
    """Return a comparison with the times from `first` until before `after`."""
    match operator:
        case "<" | ">=":
            return _ordered(expression, operator, first)
        case "<=":
            return _ordered(expression, "<", after)
        case ">":
            return _ordered(expression, ">=", after)
    sql = f"({expression.sql} IS NOT NULL AND {expression.sql} >= ? AND {expression.sql} < ?)"
    return f"NOT {sql}" if operator == "!=" else sql, [first, after]


def _membership(
    expression: FieldExpression, negated: bool, values: Sequence[Token | DateLiteral], now: datetime
) -> Sql:
    ranges = [_comparison(expression, "=", value, now) for value in values if isinstance(value, DateLiteral)]
    wanted = [stored(expression.field, value) for value in values if not isinstance(value, DateLiteral)]
    null = "IS NULL OR" if None in wanted else "IS NOT NULL AND"
    present: list[StoredValue] = [value for value in wanted if value is not None]
    compared_sql, compared = _in_any_case(expression, present)
    listed = f"({expression.sql} {null} {compared_sql} IN ({', '.join('?' * len(compared))}))"
    sql, bound = _joined("OR", [*ranges, (listed, compared)])
    return f"NOT {sql}" if negated else sql, bound


def _includes(expression: FieldExpression, negated: bool, values: Sequence[Token | DateLiteral]) -> Sql:
    """Return INCLUDES or EXCLUDES in SQL; a value such as `a;b` finds the records with both selected (documented)."""
    null = any(token_of(value).type == "NULL" for value in values)
    if expression.field.type != "multipicklist" or null:
        raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(token_of(values[0])))
    alternatives = [str(stored(expression.field, token_of(value))).split(";") for value in values]
    test = f"({expression.sql} IS NOT NULL AND instr(folded(';' || {expression.sql} || ';'), folded(?)) > 0)"
    terms = [_joined("AND", [(test, [f";{part};"]) for part in selection]) for selection in alternatives]
    sql, bound = _joined("OR", terms)
    return f"NOT {sql}" if negated else sql, bound


def _joined(operator: str, terms: Sequence[Sql]) -> Sql:
    """Return the terms joined by the operator, as a balanced tree of chains."""
    parts = [sql for sql, _ in terms]
    while len(parts) > 1:
        chains = [parts[start : start + MAX_CHAIN_TERMS] for start in range(0, len(parts), MAX_CHAIN_TERMS)]
        parts = [f"({f' {operator} '.join(chain)})" for chain in chains]
    return parts[0], [value for _, values in terms for value in values]
