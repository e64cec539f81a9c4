"""The values of CSV cells: from cells to stored values and back, by the type of the field, column by column.

The database stores text as it is, numbers as numbers, booleans as 0 and 1, and dates and times as the REST API prints
them.

Cells of a form that no source settles are taken or refused as the assumption `unsettled_cells` says: spaces around what is
no text, booleans in another case, days with a time in a field for days, times without a zone, times of day without Z, ids in
another case, blank and repeated parts of a restricted multi-select picklist, emails beyond letters, digits and the usual
signs, and texts whose length depends on how it is measured.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, TypeVar

from salesforce_emulator import ids
from salesforce_emulator.clock import rest_time
from salesforce_emulator.config import Assumptions
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
BOOLEANS = {"true": 1, "1": 1, "false": 0, "0": 0}  # documented (Object reference, Primitive Data Types)

SPACES = "".join(map(chr, range(0x21)))
"""The characters that Java's `String.trim` takes away; one that does not break stays (seen: salesforcedan.com)."""

_INT = re.compile(r"[+-]?0*([0-9]{1,10})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})Z?")  # the guide's own sample ends a date in Z
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_OFFSET = "[+-](?:0[0-9]|1[0-3]):?[0-5][0-9]|[+-]14:?00"  # XML Schema: at most 14 hours
_DATETIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})T({_CLOCK})(?:\.([0-9]+))?(Z|{_OFFSET})?")
_TIME = re.compile(rf"({_CLOCK})(?:\.([0-9]+))?(Z)?")  # Salesforce Help 000381727
# Documented (SOQL and SOSL reference, Date Formats and Date Literals).
FIRST_DAY, LAST_DAY = "1700-01-01", "4000-12-31"
FIRST_MOMENT, LAST_MOMENT = datetime(1700, 1, 1, tzinfo=UTC), datetime(4000, 12, 31, tzinfo=UTC)
# Documented (Salesforce Help 000384328 and 000001145); assumed: that a domain has a dot.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])")
_UNSETTLED_EMAIL = re.compile(
    r"""(?:"[^"\r\n]+"|[^\s@,;<>"\[\]:\\.][^\s@,;<>"\[\]:\\]*)@(?:(?:[^\W_]|-)+\.)+(?:[^\W_]|-)+"""
)


@dataclass(frozen=True, slots=True)
class ColumnRules:
    """How the cells of a column are read.

    Attributes:
        index: the place of the column in the header, from 0, which errors name (seen: amp-labs/connectors,
            partial-failure.csv, and SFDO-Tooling/Snowfakery issue 793).
        assumptions: the behaviours that no source settles.
    """

    index: int
    assumptions: Assumptions

    @property
    def takes_unsettled(self) -> bool:
        """Whether cells of a form that no source settles are taken."""
        return self.assumptions.unsettled_cells == "taken"


def cell_reader(field: Field, schema: Schema, rules: ColumnRules) -> Read:
    """Return a function that reads a column of cells of this field: values, or errors where the field can't hold a cell."""
    if field.type == "id":
        return _memoized(_record_id(rules))
    if field.field_type.holds == "compound":
        return _memoized(str)  # the operation refuses them
    if field.type == "reference":
        prefixes = [schema[name].keyPrefix for name in field.referenceTo if name in schema]
        return _memoized(_untrimmed(_reference(field, prefixes, rules), rules))
    if field.type == "boolean":
        return _memoized(_untrimmed(_boolean(field, rules), rules, blank=0), NO_BOOLEANS)
    read = _memoized(PARSERS[field.type](field, rules)) if field.type in PARSERS else _text_reader(field, rules)
    return _trimming(read) if field.idLookup else read


def parent_key_reader(field: Field, rules: ColumnRules) -> Read:
    """Return a function that reads a column of cells that name a parent by this field of the parent."""
    if field.type == "id":
        return _memoized(_record_id(rules))
    return _trimming(_memoized(PARSERS[field.type](field, rules) if field.field_type.holds == "number" else str))


def _trimming(read: Read) -> Read:
    """Return a function that reads a column of keys, of which spaces at either end are no part.

    Seen in forcedotcom/dataloader, pull request 1453: the server ignores them, but not those of full width; assumed: that
    these are the characters that Java's `trim` takes away.
    """
    return lambda cells: read([cell.strip(SPACES) for cell in cells])


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


def _text_reader(field: Field, rules: ColumnRules) -> Read:
    """Return a reader of text; it is not memoized, since texts are long and rarely repeat, but checks a column at once."""
    parse = _text(field, rules)
    surely_short = field.length // 2  # a character is at most two units of UTF-16

    def read(cells: Sequence[str]) -> Sequence[CellValue | RowError]:
        trimmed = [cell.strip(SPACES) for cell in cells]
        if NULL not in cells and all(trimmed) and max(map(len, cells)) <= surely_short:
            return trimmed
        return [NO_VALUES[cell] if cell in NO_VALUES else _value_or_error(parse, cell) for cell in cells]

    return read


def _value_or_error(parse: Parse, cell: str) -> StoredValue | RowError:
    try:
        return parse(cell)
    except RowError as error:
        return error.with_traceback(None)


def _untrimmed(parse: Parse, rules: ColumnRules, blank: StoredValue = None) -> Parse:
    """Return a parser of what is no text: whether spaces around it are a part of it is not settled.

    The guide says that field values aren't trimmed, XML Schema that spaces around a number or a time are no part of it.
    """
    if not rules.takes_unsettled:
        return parse

    def parse_trimmed(cell: str) -> StoredValue:
        trimmed = cell.strip(SPACES)
        return parse(trimmed) if trimmed else blank

    return parse_trimmed


def _wrong_type(field: Field, cell: str, rules: ColumnRules) -> RowError:
    """Return the error of a cell of another type.

    Seen for xsd:date and xsd:dateTime (amp-labs/connectors, partial-failure.csv; SFDO-Tooling/Snowfakery issue 793) and for
    xsd:double in logs; the other text is the platform's (Salesforce Help 000381727).
    """
    if rules.assumptions.wrong_type_text == "required-type":
        return RowError(
            "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {cell}", field.name
        )
    reason = f"'{cell}' is not a valid value for the type {field.field_type.soap}"
    return RowError("INVALID_FIELD", f"Failed to deserialize field at col {rules.index}. Due to, {reason}", field.name)


def _text(field: Field, rules: ColumnRules) -> Parse:
    """Return a parser of text: text is never empty, and has no spaces at either end (Apex guide, Primitive Data Types)."""

    def parse(cell: str) -> str | None:
        trimmed = cell.strip(SPACES)
        length = len(trimmed) if rules.takes_unsettled else _utf_16_units(cell)
        # The code and the message are the platform's; assumed: the text around them.
        if trimmed and length > field.length:
            message = f"{field.label}: data value too large: {cell} (max length={field.length})"
            raise RowError("STRING_TOO_LONG", message, field.name)
        return trimmed or None

    return parse


def _utf_16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _picklist(field: Field, rules: ColumnRules) -> Parse:
    return _untrimmed(_restricted(field), rules) if field.restricted else _text(field, rules)


def _restricted(field: Field) -> Callable[[str], str]:
    """Return a parser of a value of a restricted picklist, in any case (Salesforce Help 000386557)."""
    canonical = {value.lower(): value for value in field.picklist}

    def parse(cell: str) -> str:
        if cell.lower() not in canonical:  # seen: DanielCadengue/API-PROCESSING_LOGS, in Portuguese
            message = f"{field.label}: bad value for restricted picklist field: {cell}"
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)
        return canonical[cell.lower()]

    return parse


def _multipicklist(field: Field, rules: ColumnRules) -> Parse:
    check_length = _text(field, rules)
    if not field.restricted:
        return check_length
    parse_value = _restricted(field)

    def parse(cell: str) -> StoredValue:
        values = cell.split(";")
        if rules.takes_unsettled:
            values = [trimmed for value in values if (trimmed := value.strip(SPACES))]
        selected = list(map(parse_value, values))
        if len(set(selected)) < len(selected) and not rules.takes_unsettled:
            raise RowError(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{field.label}: duplicate value: {cell}", field.name
            )
        return check_length(";".join(dict.fromkeys(selected))) if selected else None

    return parse


def _email(field: Field, rules: ColumnRules) -> Parse:
    check_length = _text(field, rules)

    def parse(cell: str) -> StoredValue:
        trimmed = cell.strip(SPACES)
        is_right = _EMAIL.fullmatch(trimmed) or (rules.takes_unsettled and _UNSETTLED_EMAIL.fullmatch(trimmed))
        if trimmed and not is_right:  # the code and the message are the platform's; assumed: the text around them
            message = f"{field.label}: invalid email address: {cell}"
            raise RowError("INVALID_EMAIL_ADDRESS", message, field.name)
        address = check_length(cell)
        return address.lower() if isinstance(address, str) else address  # documented (Salesforce Help 000384328)

    return parse


def _int(field: Field, rules: ColumnRules) -> Parse:
    limit = 10**field.digits if field.digits else 2**31

    def parse(cell: str) -> int:
        match = _INT.fullmatch(cell)
        if match is None or int(match[1]) >= 2**31:  # the range of xsd:int; that of the field is narrower
            raise _wrong_type(field, cell, rules)
        return _within(field, int(cell), limit, cell)

    return _untrimmed(parse, rules)


def _number(field: Field, rules: ColumnRules) -> Parse:
    limit = 10 ** (field.precision - field.scale)

    def parse(cell: str) -> float:
        if not _NUMBER.fullmatch(cell):
            raise _wrong_type(field, cell, rules)
        return _within(field, float(cell), limit, cell)

    return _untrimmed(parse, rules)


def _within(field: Field, number: Number, limit: int, cell: str) -> Number:
    if -limit < number < limit:
        return number
    # The code and the message are the platform's; assumed: the text around them.
    message = f"{field.label}: value outside of valid range on numeric field: {cell}"
    raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)


def _boolean(field: Field, rules: ColumnRules) -> Parse:
    def parse(cell: str) -> int:
        try:
            return BOOLEANS[cell.lower() if rules.takes_unsettled else cell]
        except KeyError:
            raise _wrong_type(field, cell, rules) from None

    return parse


def _date(field: Field, rules: ColumnRules) -> Parse:
    def parse(cell: str) -> str:
        match = _DATE.fullmatch(cell) or (rules.takes_unsettled and _DATETIME.fullmatch(cell))
        try:
            day = date.fromisoformat(match[1] if match else "").isoformat()
        except ValueError:
            raise _wrong_type(field, cell, rules) from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise _invalid_date(field, cell)
        return day

    return _untrimmed(parse, rules)


def _datetime(field: Field, rules: ColumnRules) -> Parse:
    def parse(cell: str) -> str:
        match = _DATETIME.fullmatch(cell)
        if match is None or not (match[4] or rules.takes_unsettled):
            raise _wrong_type(field, cell, rules)
        day, time, fraction, zone = match.groups()
        iso = f"{day}T{time}.{_thousandths(fraction)}{zone or 'Z'}"  # assumed: a time without a zone is UTC
        try:
            moment = datetime.fromisoformat(iso)
        except ValueError:
            raise _wrong_type(field, cell, rules) from None
        if not FIRST_MOMENT <= moment <= LAST_MOMENT:
            raise _invalid_date(field, cell)
        return rest_time(moment.astimezone(UTC))

    return _untrimmed(parse, rules)


def _thousandths(fraction: str | None) -> str:
    """Return the digits of a fraction that are kept (assumed)."""
    return f"{(fraction or '')[:3]:0<3}"


def _time(field: Field, rules: ColumnRules) -> Parse:
    def parse(cell: str) -> str:
        match = _TIME.fullmatch(cell)
        if match is None or not (match[3] or rules.takes_unsettled):
            raise _wrong_type(field, cell, rules)
        return f"{match[1]}.{_thousandths(match[2])}Z"

    return _untrimmed(parse, rules)


def _invalid_date(field: Field, cell: str) -> RowError:
    """Return the error of a date outside of the calendar; the code is seen; assumed: the text."""
    return RowError("FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {cell}", field.name)


def _record_id(rules: ColumnRules) -> Parse:
    """Return a parser of ids of records; what is no id stays as it is, and the operation refuses it."""
    return lambda cell: _id_in(cell, rules) or cell


def _id_in(cell: str, rules: ColumnRules) -> str | None:
    return ids.in_its_case(cell.strip(SPACES)) if rules.takes_unsettled else ids.normal(cell)


def _reference(field: Field, prefixes: list[str], rules: ColumnRules) -> Parse:
    def parse(cell: str) -> str:
        record_id = _id_in(cell, rules)
        # Documented for the REST API; assumed: the text around the message.
        if record_id is None or record_id[:3] not in prefixes:
            raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {cell}", field.name)
        return record_id

    return parse


PARSERS: dict[str, Callable[[Field, ColumnRules], Parse]] = {
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
