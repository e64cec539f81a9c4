"""Literals of a query, as the values that the columns of the records hold."""

import re
from datetime import UTC, date, datetime, timedelta

from lark import Token

from .. import ids
from ..clock import rest_time
from ..schema.model import Field, Stored
from .syntax import Days, Refusal, Value, malformed, position

NUMERIC = {"int", "double", "currency", "percent"}
UNQUOTED = NUMERIC | {"boolean", "date", "datetime"}
KINDS = {"boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"} | dict.fromkeys(NUMERIC, "NUMBER")

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ITSELF = "'\"\\"
_WILDCARDS = "%_"  # documented: escaped, they are characters like any other to LIKE


def stored(field: Field, literal: Token) -> Stored:
    """The value that a record holds whose field equals this literal.

    Raises:
        Refusal: the field can't hold it, or it is no such value.
    """
    if literal.type == "NULL":
        return None
    if literal.type != KINDS.get(field.type, "STRING"):
        raise _wrong_type(field, literal)
    match literal.type:
        case "BOOLEAN":
            return int(literal.lower() == "true")
        case "NUMBER":
            return float(literal)
        case "DATE":
            return _day(literal).isoformat()
        case "DATETIME":
            return _moment(literal)
    text = _unescaped(literal, wildcards=False)
    return _record_id(text, literal) if field.type in ("id", "reference") else text


def pattern(field: Field, literal: Token) -> str:
    """The pattern of LIKE, with a backslash before what is no wildcard.

    Raises:
        Refusal: the field or the literal is not text.
    """
    if field.type in UNQUOTED or field.type in ("id", "reference"):
        raise Refusal("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(literal))
    if literal.type != "STRING":
        raise _wrong_type(field, literal)
    return _unescaped(literal, wildcards=True)


def token_of(value: Value) -> Token:
    """The token that shows where the value is."""
    return value.token if isinstance(value, Days) else value


def bounds(field: Field, days: Days, now: datetime) -> tuple[str, str]:
    """The first moment of a date literal and the first one after it, as this field holds them (SOQL reference).

    assumed: days begin at midnight UTC, for the org's one user lives there.

    Raises:
        Refusal: the field holds no dates, or the calendar does not reach so far.
    """
    if field.type not in ("date", "datetime"):
        raise _wrong_type(field, days.token)
    try:
        first, after = _span(days.token.upper(), days.count, now.date())
    except OverflowError:
        raise malformed(f"unexpected token: '{days.count}'", position(days.token)) from None
    if field.type == "date":
        return first.isoformat(), after.isoformat()
    return _midnight(first), _midnight(after)


def _span(name: str, count: int, today: date) -> tuple[date, date]:
    day = timedelta(days=1)
    match name.split("_"):
        case ["TODAY"]:
            return today, today + day
        case ["YESTERDAY"]:
            return today - day, today
        case ["TOMORROW"]:
            return today + day, today + 2 * day
        case ["LAST", "N", "DAYS"]:
            return today - count * day, today + day
        case ["NEXT", "N", "DAYS"]:
            return today + day, today + (count + 1) * day
        case ["N", "DAYS", "AGO"]:
            return today - count * day, today - (count - 1) * day
        case [which, unit]:
            months = 12 if unit == "YEAR" else 1
            first = today.replace(day=1, month=1 if unit == "YEAR" else today.month)
            begin = {"LAST": -1, "THIS": 0, "NEXT": 1}[which] * months
            return _months_later(first, begin), _months_later(first, begin + months)
    raise AssertionError(name)  # the grammar knows no others


def _months_later(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _midnight(day: date) -> str:
    return rest_time(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _day(literal: Token) -> date:
    try:
        return date.fromisoformat(literal)
    except ValueError:
        raise malformed(f"Invalid date: {literal}", position(literal)) from None


def _moment(literal: Token) -> str:
    try:
        return rest_time(datetime.fromisoformat(literal.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        raise malformed(f"Invalid datetime: {literal}", position(literal)) from None


def _record_id(text: str, literal: Token) -> str:
    record_id = ids.normal(text)
    if record_id is None:
        raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}", position(literal))
    return record_id


def _unescaped(literal: Token, *, wildcards: bool) -> str:
    """The text between the quotes; for LIKE a backslash stays before wildcards and itself.

    Documented: the escape sequences; assumed: the text for others, which is that of Apex.
    """

    def replaced(match: re.Match[str]) -> str:
        sequence = match[1]
        if sequence[0] == "u" and len(sequence) == 5:
            return chr(int(sequence[1:], 16))
        if sequence in _WILDCARDS or (sequence == "\\" and wildcards):
            return f"\\{sequence}" if wildcards else sequence
        if sequence in _ITSELF:
            return sequence
        try:
            return _ESCAPES[sequence.lower()]
        except KeyError:
            reason = f"Illegal character sequence '\\{sequence}' in string literal"
            raise malformed(reason, position(literal) + 1 + match.start()) from None

    text = _ESCAPE.sub(replaced, literal[1:-1])
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")  # one character of each pair of surrogates
    except UnicodeDecodeError:  # assumed: text
        raise malformed("Half a surrogate pair in string literal", position(literal)) from None


def _wrong_type(field: Field, literal: Token) -> Refusal:
    kind = {"datetime": "dateTime", "id": "ID", "reference": "ID"}.get(field.type, field.type)
    quoting = "should not be" if field.type in UNQUOTED else "should be"
    reason = (
        f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoting} enclosed in quotes"
    )
    return Refusal("INVALID_FIELD", reason, position(literal))
