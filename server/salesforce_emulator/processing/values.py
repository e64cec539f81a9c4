"""The values of CSV cells: from cells to stored values and back, by the type of the field, column by column.

The database stores text as it is, numbers as numbers, booleans as 0 and 1, and dates and times as the REST API prints
them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, TypeVar

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.errors import RowError
from salesforce_emulator.schema.model import Field, Schema, StoredValue


class Empty(Enum):
    """The type of EMPTY."""

    EMPTY = auto()


EMPTY: Final = Empty.EMPTY
"""The value of an empty cell, which changes nothing in an update and stands for the default in an insert."""

CellValue = StoredValue | Empty
Parse = Callable[[str], StoredValue]
Read = Callable[[Sequence[str]], Sequence[CellValue | RowError]]
Print = Callable[[Sequence[CellValue]], Iterable[str]]
Number = TypeVar("Number", int, float)
_Key = TypeVar("_Key")
_Result = TypeVar("_Result")

NULL = "#N/A"
"""The cell that sets a field to null (Bulk API 2.0 guide, Prepare CSV Files); assumed: on insert too."""

NO_VALUES: dict[str, CellValue] = {"": EMPTY, NULL: None}
NO_BOOLEANS: dict[str, CellValue] = {"": EMPTY, NULL: 0}  # a boolean is never null; assumed: #N/A is false
BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}  # assumed: as in Bulk API 1.0; the guide names no values

_INT = re.compile(r"[+-]?[0-9]{1,10}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})Z?")  # the guide's own sample ends a date in Z
_DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,3}))?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# assumed: seconds and Z can be left out; no source shows a time of day in an upload
_TIME = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,3}))?)?Z?")
# Documented (SOQL and SOSL reference, Date Formats and Date Literals).
FIRST_DAY, LAST_DAY = "1700-01-01", "4000-12-31"
FIRST_MOMENT, LAST_MOMENT = datetime(1700, 1, 1, tzinfo=UTC), datetime(4000, 12, 31, tzinfo=UTC)
_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s,;<>()\".]+")


def cell_reader(field: Field, schema: Schema) -> Read:
    """Return a function that reads a column of cells of this field: values, or errors where the field can't hold a cell."""
    if field.type == "id" or field.field_type.holds == "compound":
        return _memoized(str)  # the operation refuses cells that are no ids, and those of compounds
    if field.type == "reference":
        return _memoized(_reference(field, [schema[name].keyPrefix for name in field.referenceTo if name in schema]))
    if field.type == "boolean":
        return _memoized(_boolean(field), NO_BOOLEANS)
    return _memoized(PARSERS[field.type](field)) if field.type in PARSERS else _text_reader(field)


def parent_key_reader(field: Field) -> Read:
    """Return a function that reads a column of cells that name a parent by this field of the parent."""
    if field.type == "id":
        return _memoized(lambda cell: ids.normal(cell) or cell)
    return _memoized(PARSERS[field.type](field) if field.field_type.holds == "number" else str)


def cell_printer(field: Field) -> Print | None:
    """Return a function that prints a column of values for the results; None for a field whose cells are echoed.

    Results are printed from the values, not echoed (Bulk API 2.0 guide, quick start, step 3: 912260031 comes back
    9.12260031E8).
    """
    print_value = PRINTERS.get(field.type)
    if print_value is None:
        return None
    cells: _Memo[CellValue, str] = _Memo(print_value, {value: cell for cell, value in NO_VALUES.items()})
    return cells.results


class _Memo(dict[_Key, _Result]):
    """The results of a function by its argument, since cells repeat; a RowError that the function raises is its result."""

    MAX_ENTRIES = 2_000

    def __init__(self, function: Callable[[Any], _Result], known: Mapping[_Key, _Result]) -> None:
        super().__init__(known)
        self._function = function
        self._known = known

    def __missing__(self, key: _Key) -> _Result | RowError:
        try:
            result = self[key] = self._function(key)
        except RowError as error:
            return error.with_traceback(None)
        return result

    def results(self, keys: Sequence[_Key]) -> list[_Result]:
        if len(self) > self.MAX_ENTRIES:
            self.clear()
            self.update(self._known)
        return list(map(self.__getitem__, keys))


def _memoized(parse: Parse, no_values: Mapping[str, CellValue] = NO_VALUES) -> Read:
    values: _Memo[str, CellValue | RowError] = _Memo(parse, no_values)
    return values.results


def _text_reader(field: Field) -> Read:
    """Return a reader of text; it is not memoized, since texts are long and rarely repeat, but checks a column at once."""
    limit, parse = field.length, _text(field)

    def read(cells: Sequence[str]) -> Sequence[CellValue | RowError]:
        if "" in cells or NULL in cells or max(map(len, cells)) > limit:
            return [NO_VALUES[cell] if cell in NO_VALUES else _value_or_error(parse, cell) for cell in cells]
        return cells

    return read


def _value_or_error(parse: Parse, cell: str) -> StoredValue | RowError:
    try:
        return parse(cell)
    except RowError as error:
        return error.with_traceback(None)


def _wrong_type(field: Field, cell: str) -> RowError:
    """Return the error of a cell of another type, with the platform's code and message; assumed: the text around them."""
    return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {cell}", field.name)


def _text(field: Field) -> Parse:
    limit = field.length

    def parse(cell: str) -> str:
        if len(cell) > limit:  # the code and the message are the platform's; assumed: the text around them
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
    parse_selected, check_length = _picklist(field), _text(field)

    def parse(cell: str) -> StoredValue:
        return check_length(";".join(str(parse_selected(value)) for value in cell.split(";")))

    return parse


def _email(field: Field) -> Parse:
    check_length = _text(field)

    def parse(cell: str) -> StoredValue:
        if not _EMAIL.fullmatch(cell):  # the code and the message are the platform's; assumed: the text around them
            message = f"{field.label}: invalid email address: {cell}"
            raise RowError("INVALID_EMAIL_ADDRESS", message, field.name)
        return check_length(cell)

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
    # The code and the message are the platform's; assumed: the text around them.
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
            raise _invalid_date(field, cell)
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
            raise _invalid_date(field, cell)
        return rest_time(moment.astimezone(UTC))

    return parse


def _time(field: Field) -> Parse:
    def parse(cell: str) -> str:
        match = _TIME.fullmatch(cell)
        if match is None:
            raise _wrong_type(field, cell)
        return f"{match[1]}:{match[2] or '00'}.{(match[3] or '')[:3]:0<3}Z"

    return parse


def _invalid_date(field: Field, cell: str) -> RowError:
    """Return the error of a date outside of the calendar; the code is seen; assumed: the text."""
    return RowError("FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {cell}", field.name)


def _reference(field: Field, prefixes: list[str]) -> Parse:
    def parse(cell: str) -> str:
        record_id = ids.normal(cell)
        # Documented for the REST API; assumed: the text around the message.
        if record_id is None or record_id[:3] not in prefixes:
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
    "time": _time,
}


def java_double(value: StoredValue) -> str:
    """Return the number as Java's Double.toString prints it, which is how results print it (seen: 9.12260031E8)."""
    number = float(value or 0)
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    text = f"{Decimal(repr(number)).normalize():E}".replace("E+", "E")
    return text if "." in text else text.replace("E", ".0E")


PRINTERS: dict[str, Callable[[StoredValue], str]] = {
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
    "time": str,
}
