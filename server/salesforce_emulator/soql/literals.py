"""The literals of a query, as the values that the database holds."""

import re
from datetime import UTC, date, datetime, time, timedelta

from lark import Token

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.schema.model import Field, StoredValue
from salesforce_emulator.soql.syntax import DateLiteral, SoqlError, Value, malformed, position

QUOTED = {"text", "id"}
"""The classes of values whose literals stand in quotes."""

DAYS_PER_UNIT = {"DAY": 1, "WEEK": 7}
MONTHS_PER_UNIT = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_SELF_ESCAPES = "'\"\\"
_WILDCARDS = "%_"  # documented: after a backslash they are plain characters in LIKE


def stored(field: Field, literal: Token) -> StoredValue:
    """Return the value that the database holds in records whose field equals this literal.

    Raises:
        SoqlError: the literal is of another type than the field, or is no valid date, time or id.
    """
    if literal.type == "NULL":
        return None
    if literal.type != ("STRING" if field.field_type.holds in QUOTED else field.field_type.holds.upper()):
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
        case "TIME":
            return _time(literal)
    text = _unescaped(literal, wildcards=False)
    return _record_id(text, literal) if field.field_type.holds == "id" else text


def _time(literal: Token) -> str:
    """Return a time of day as the database holds it; assumed: the form of the literal."""
    clock, _, fraction = str(literal).upper().removesuffix("Z").partition(".")
    try:
        time.fromisoformat(clock)
    except ValueError:
        raise malformed(f"Invalid time: {literal}", position(literal)) from None
    return f"{clock}.{fraction:0<3}Z"


def like_pattern(field: Field, literal: Token) -> str:
    """Return the pattern of LIKE for SQLite, with a backslash before each plain %, _ and backslash.

    Raises:
        SoqlError: the field or the literal is not text.
    """
    if field.field_type.holds != "text":
        raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", position(literal))
    if literal.type != "STRING":
        raise _wrong_type(field, literal)
    return _unescaped(literal, wildcards=True)


def token_of(value: Value) -> Token:
    """Return the token of a value, which has its position in the query."""
    return value.token if isinstance(value, DateLiteral) else value


def date_range(field: Field, literal: DateLiteral, now: datetime) -> tuple[str, str]:
    """Return the range of a date literal: its first time, and the first time after it (SOQL reference).

    Assumed: days begin at midnight UTC, the time zone of the org's one user.

    Returns:
        Both times as the database holds values of this field.

    Raises:
        SoqlError: the field is neither a date nor a dateTime, or the range lies outside of the calendar.
    """
    if field.type not in ("date", "datetime"):
        raise _wrong_type(field, literal.token)
    try:
        first, after = _days_of(literal.token.upper(), literal.count, now.date())
    except (OverflowError, ValueError):
        raise malformed(f"unexpected token: '{literal.count}'", position(literal.token)) from None
    if field.type == "date":
        return first.isoformat(), after.isoformat()
    return _midnight(first), _midnight(after)


def _days_of(name: str, count: int, today: date) -> tuple[date, date]:
    """Return the first day of a date literal, and the first day after it."""
    unit, first, after = _units(name, count)
    return _first_day(today, unit, first), _first_day(today, unit, after)


def _units(name: str, count: int) -> tuple[str, int, int]:
    """Return the unit of a date literal, and how many units after the current one its range begins and ends."""
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
        case ["LAST", "N", "DAYS"]:  # documented: unlike other units, days include the current day
            return "DAY", -count, 1
        case ["LAST", "N", units]:
            return units.removesuffix("S"), -count, 0
        case ["NEXT", "N", units]:
            return units.removesuffix("S"), 1, count + 1
        case ["N", units, "AGO"]:
            return units.removesuffix("S"), -count, 1 - count
        case [which, unit]:
            first = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
            return unit, first, first + 1
    raise AssertionError(name)  # the grammar has no other literals


def _first_day(today: date, unit: str, count: int) -> date:
    """Return the first day of the unit that is `count` units after today's; assumed: weeks begin on Sunday."""
    if unit in DAYS_PER_UNIT:
        days_into_unit = today.isoweekday() % 7 if unit == "WEEK" else 0
        return today + timedelta(days=count * DAYS_PER_UNIT[unit] - days_into_unit)
    months = today.year * 12 + today.month - 1
    year, month = divmod((months // MONTHS_PER_UNIT[unit] + count) * MONTHS_PER_UNIT[unit], 12)
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
        raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}", position(literal))
    return record_id


def _unescaped(literal: Token, *, wildcards: bool) -> str:
    """Return the text between the quotes of a literal, with its escape sequences replaced.

    Documented: the escape sequences; assumed: the error for other sequences, which is Apex's.

    Args:
        literal: the literal with its quotes.
        wildcards: whether % and _ are wildcards; an escaped %, _ or backslash then keeps its backslash.
    """

    def replaced(match: re.Match[str]) -> str:
        sequence = match[1]
        if sequence[0] == "u" and len(sequence) == 5:
            return chr(int(sequence[1:], 16))
        if sequence in _WILDCARDS or (sequence == "\\" and wildcards):
            return f"\\{sequence}" if wildcards else sequence
        if sequence in _SELF_ESCAPES:
            return sequence
        try:
            return _ESCAPES[sequence.lower()]
        except KeyError:
            reason = f"Illegal character sequence '\\{sequence}' in string literal"
            raise malformed(reason, position(literal) + 1 + match.start()) from None

    text = _ESCAPE.sub(replaced, literal[1:-1])
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")  # makes one character of each pair of surrogates
    except UnicodeDecodeError:  # assumed: text
        raise malformed("Half a surrogate pair in string literal", position(literal)) from None


def _wrong_type(field: Field, literal: Token) -> SoqlError:
    type_name = {"datetime": "dateTime", "id": "ID", "reference": "ID"}.get(field.type, field.type)
    quoting = "should be" if field.field_type.holds in QUOTED else "should not be"
    reason = (
        f"value of filter criterion for field '{field.name}' must be of type {type_name}"
        f" and {quoting} enclosed in quotes"
    )
    return SoqlError("INVALID_FIELD", reason, position(literal))
