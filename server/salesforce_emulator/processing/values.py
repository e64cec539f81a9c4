"""Cells of a CSV file to stored values and back, by the type of the field, a column at a time.

Stored: text as it is, numbers as numbers, booleans as 0 and 1, dates and times as the text that the REST API prints.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any, TypeVar

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.errors import RowError
from salesforce_emulator.schema.model import Field, Schema, Stored


class Cell(Enum):
    """What a cell holds when it holds no value."""

    EMPTY = auto()  # no change on update, the default on insert


Value = Stored | Cell
Parse = Callable[[str], Stored]
Read = Callable[[Sequence[str]], Sequence[Value | RowError]]
Print = Callable[[Sequence[Value]], Iterable[str]]
Number = TypeVar("Number", int, float)
_Known = TypeVar("_Known")
_Found = TypeVar("_Found")

NULL = "#N/A"  # sets a field to null (Bulk API 2.0 guide, Prepare CSV Files); assumed: on insert too
NO_VALUES: dict[str, Value] = {"": Cell.EMPTY, NULL: None}
NO_BOOLEANS: dict[str, Value] = {"": Cell.EMPTY, NULL: 0}  # a boolean is never null; assumed: nothing is false
BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}  # assumed: the guide names no literals; those of Bulk API 1.0

_INT = re.compile(r"[+-]?[0-9]{1,10}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})Z?")  # the guide's own sample ends a date in Z
_DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,3}))?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# Documented (SOQL and SOSL reference, Date Formats and Date Literals).
FIRST_DAY, LAST_DAY = "1700-01-01", "4000-12-31"
FIRST_MOMENT, LAST_MOMENT = datetime(1700, 1, 1, tzinfo=UTC), datetime(4000, 12, 31, tzinfo=UTC)
_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s,;<>()\".]+")


def reader(field: Field, schema: Schema) -> Read:
    """A function that turns cells of this field into what is stored; for a cell that it can't hold, into the error."""
    if field.type == "id":
        return _remembering(str)  # what is no id is told by the operation
    if field.type == "reference":
        return _remembering(_reference(field, [schema[name].keyPrefix for name in field.referenceTo if name in schema]))
    if field.type == "boolean":
        return _remembering(_boolean(field), NO_BOOLEANS)
    return _remembering(PARSERS[field.type](field)) if field.type in PARSERS else _texts(field)


def key_reader(field: Field) -> Read:
    """A function that turns cells that name a parent by this field of it into what that field holds."""
    if field.type == "id":
        return _remembering(lambda cell: ids.normal(cell) or cell)
    return _remembering(PARSERS[field.type](field) if field.kind.holds == "number" else str)


def cells_of(field: Field) -> Print | None:
    """How result files print stored values of this field; None where they print the cells as they came.

    Results are typed again, not echoed (Bulk API 2.0 guide, quick start, step 3: 912260031 comes back 9.12260031E8).
    """
    show = PRINTERS.get(field.type)
    if show is None:
        return None
    shown: _Memory[Value, str] = _Memory(show, {value: cell for cell, value in NO_VALUES.items()})
    return shown.of_all


class _Memory(dict[_Known, _Found]):
    """What a function makes of the cells of a column, each found out once, for cells repeat; its errors are answers."""

    MANY = 2_000

    def __init__(self, find: Callable[[Any], _Found], first: Mapping[_Known, _Found]) -> None:
        super().__init__(first)
        self._find = find
        self._first = first

    def __missing__(self, key: _Known) -> _Found | RowError:
        try:
            found = self[key] = self._find(key)
        except RowError as error:
            return error.with_traceback(None)
        return found

    def of_all(self, keys: Sequence[_Known]) -> list[_Found]:
        if len(self) > self.MANY:
            self.clear()
            self.update(self._first)
        return list(map(self.__getitem__, keys))


def _remembering(parse: Parse, no_values: Mapping[str, Value] = NO_VALUES) -> Read:
    known: _Memory[str, Value | RowError] = _Memory(parse, no_values)
    return known.of_all


def _texts(field: Field) -> Read:
    """Text hardly repeats, and may be too long to remember; but all of a column can be measured at once."""
    limit, parse = field.length, _text(field)

    def read(cells: Sequence[str]) -> Sequence[Value | RowError]:
        if "" in cells or NULL in cells or max(map(len, cells)) > limit:
            return [NO_VALUES[cell] if cell in NO_VALUES else _told(parse, cell) for cell in cells]
        return cells

    return read


def _told(parse: Parse, cell: str) -> Stored | RowError:
    try:
        return parse(cell)
    except RowError as error:
        return error.with_traceback(None)


def _wrong_type(field: Field, cell: str) -> RowError:
    """Assumed: the framing; the code and the message are the platform's."""
    return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {cell}", field.name)


def _text(field: Field) -> Parse:
    limit = field.length

    def parse(cell: str) -> str:
        if len(cell) > limit:  # assumed: the framing; the code and the message are the platform's
            message = f"{field.label}: data value too large: {cell} (max length={limit})"
            raise RowError("STRING_TOO_LONG", message, field.name)
        return cell

    return parse


def _picklist(field: Field) -> Parse:
    if not field.restricted:
        return _text(field)
    canonical = {value.lower(): value for value in field.picklist}

    def parse(cell: str) -> str:
        if cell.lower() not in canonical:
            message = f"bad value for restricted picklist field: {cell}"  # the code is seen; assumed: text
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)
        return canonical[cell.lower()]

    return parse


def _multipicklist(field: Field) -> Parse:
    one, all_ = _picklist(field), _text(field)

    def parse(cell: str) -> Stored:
        return all_(";".join(str(one(value)) for value in cell.split(";")))

    return parse


def _email(field: Field) -> Parse:
    text = _text(field)

    def parse(cell: str) -> Stored:
        if not _EMAIL.fullmatch(cell):  # assumed: the framing; the code and the message are the platform's
            message = f"{field.label}: invalid email address: {cell}"
            raise RowError("INVALID_EMAIL_ADDRESS", message, field.name)
        return text(cell)

    return parse


def _int(field: Field) -> Parse:
    limit = 10**field.digits if field.digits else 2**31

    def parse(cell: str) -> int:
        if not _INT.fullmatch(cell):
            raise _wrong_type(field, cell)
        return _within(field, int(cell), limit, cell)

    return parse


def _number(field: Field) -> Parse:
    limit = 10 ** (field.precision - field.scale)

    def parse(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise _wrong_type(field, cell)
        return _within(field, float(cell), limit, cell)

    return parse


def _within(field: Field, number: Number, limit: int, cell: str) -> Number:
    if -limit < number < limit:
        return number
    # assumed: the framing; the code and the message are the platform's
    message = f"{field.label}: value outside of valid range on numeric field: {cell}"
    raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)


def _boolean(field: Field) -> Parse:
    def parse(cell: str) -> int:
        try:
            return BOOLEANS[cell.lower()]
        except KeyError:
            raise _wrong_type(field, cell) from None

    return parse


def _date(field: Field) -> Parse:
    def parse(cell: str) -> str:
        match = _DATE.fullmatch(cell)
        try:
            day = date.fromisoformat(match[1] if match else "").isoformat()
        except ValueError:
            raise _wrong_type(field, cell) from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise _out_of_time(field, cell)
        return day

    return parse


def _datetime(field: Field) -> Parse:
    def parse(cell: str) -> str:
        match = _DATETIME.fullmatch(cell)
        if match is None:
            raise _wrong_type(field, cell)
        day, time, fraction, zone = match.groups()
        # assumed: a time without a zone is UTC, and a day alone is its midnight
        iso = f"{day}T{time or '00:00:00'}.{(fraction or '').ljust(3, '0')}{zone or 'Z'}"
        try:
            moment = datetime.fromisoformat(iso)
        except ValueError:
            raise _wrong_type(field, cell) from None
        if not FIRST_MOMENT <= moment <= LAST_MOMENT:
            raise _out_of_time(field, cell)
        return rest_time(moment.astimezone(UTC))

    return parse


def _out_of_time(field: Field, cell: str) -> RowError:
    """The code is seen; assumed: the text."""
    return RowError("FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {cell}", field.name)


def _reference(field: Field, prefixes: list[str]) -> Parse:
    def parse(cell: str) -> str:
        record_id = ids.normal(cell)
        if record_id is None or record_id[:3] not in prefixes:  # documented of REST; assumed: the framing
            raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {cell}", field.name)
        return record_id

    return parse


PARSERS: dict[str, Callable[[Field], Parse]] = {
    "currency": _number,
    "date": _date,
    "datetime": _datetime,
    "double": _number,
    "email": _email,
    "int": _int,
    "multipicklist": _multipicklist,
    "percent": _number,
    "picklist": _picklist,
}


def java_double(value: Stored) -> str:
    """The number as Java's Double.toString prints it, which is what results hold (seen: 9.12260031E8)."""
    number = float(value or 0)
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    text = f"{Decimal(repr(number)).normalize():E}".replace("E+", "E")
    return text if "." in text else text.replace("E", ".0E")


PRINTERS: dict[str, Callable[[Stored], str]] = {
    "boolean": lambda value: "true" if value else "false",
    "currency": java_double,
    "date": str,
    "datetime": lambda value: str(value).replace("+0000", "Z"),
    "double": java_double,
    "int": str,
    "multipicklist": str,
    "percent": java_double,
    "picklist": str,
    "reference": str,
}
