"""Literals of a query, as the values that the columns of the records hold."""

import re
from datetime import UTC, date, datetime, timedelta

from lark import Token

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.schema.model import Field, Stored
from salesforce_emulator.soql.syntax import Days, Refusal, Value, malformed, position

QUOTED = {"text", "id"}
DAYS = {"DAY": 1, "WEEK": 7}
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

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
    if literal.type != ("STRING" if field.kind.holds in QUOTED else field.kind.holds.upper()):
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
    return _record_id(text, literal) if field.kind.holds == "id" else text


def pattern(field: Field, literal: Token) -> str:
    """The pattern of LIKE, with a backslash before what is no wildcard.

    Raises:
        Refusal: the field or the literal is not text.
    """
    if field.kind.holds != "text":
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
    except (OverflowError, ValueError):
        raise malformed(f"unexpected token: '{days.count}'", position(days.token)) from None
    if field.type == "date":
        return first.isoformat(), after.isoformat()
    return _midnight(first), _midnight(after)


def _span(name: str, count: int, today: date) -> tuple[date, date]:
    unit, first, after = _units(name, count)
    return _later(today, unit, first), _later(today, unit, after)


def _units(name: str, count: int) -> tuple[str, int, int]:
    """The unit of a date literal, and how many of them from now it begins and ends."""
    match name.split("_"):
        case ["TODAY"]:
            return "DAY", 0, 1
        case ["YESTERDAY"]:
            return "DAY", -1, 0
        case ["TOMORROW"]:
            return "DAY", 1, 2
        case ["LAST", "90", "DAYS"]:
            return "DAY", -90, 1
        case ["NEXT", "90", "DAYS"]:
            return "DAY", 1, 91
        case ["LAST", "N", "DAYS"]:  # documented: unlike other units, days include the one that is not over
            return "DAY", -count, 1
        case ["LAST", "N", units]:
            return units.removesuffix("S"), -count, 0
        case ["NEXT", "N", units]:
            return units.removesuffix("S"), 1, count + 1
        case ["N", units, "AGO"]:
            return units.removesuffix("S"), -count, 1 - count
        case [which, unit]:
            place = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
            return unit, place, place + 1
    raise AssertionError(name)  # the grammar knows no others


def _later(today: date, unit: str, count: int) -> date:
    """The first day of the unit that is so many later than today's; assumed: weeks begin on Sunday."""
    if unit in DAYS:
        into = today.isoweekday() % 7 if unit == "WEEK" else 0
        return today + timedelta(days=count * DAYS[unit] - into)
    months = today.year * 12 + today.month - 1
    year, month = divmod((months // MONTHS[unit] + count) * MONTHS[unit], 12)
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
    quoting = "should be" if field.kind.holds in QUOTED else "should not be"
    reason = (
        f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoting} enclosed in quotes"
    )
    return Refusal("INVALID_FIELD", reason, position(literal))
