"""Checks for cells that a field can't hold, for a whole column of a block at a time.

Most columns have no wrong cell, and these have to be checked fast: the screen of a check looks at all cells of a column in
few calls of the interpreter, and single cells are judged only where the screen does not pass them. An empty cell and `#N/A`
are right in any field.

What is right is written down in a table with its sources, `tests/agreement/cells.py`: Bulk API 2.0 guide, Valid Date Format
in Records and Prepare CSV Files; Object reference, Primitive Data Types; W3C XML Schema, whose types the errors of bulk jobs
name; Salesforce Help on emails and picklists. A cell of a form that no source settles may fail, and its complaint says so.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from salesforce_bulk_ingest.base.findings import FindingKind
from salesforce_bulk_ingest.base.text import as_json, as_name, quoted
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, NULL_CELL, FieldDescribe
from salesforce_bulk_ingest.validation.record_ids import are_record_ids, in_its_case

Cells = Sequence[str]

BLANK_CELLS = frozenset({"", NULL_CELL})
"""The cells that are no value, once spaces at their ends are taken away."""

SPACES = "".join(map(chr, range(0x21)))
"""The characters that are no part of a text at its ends: those that Java's `String.trim` takes away (assumed)."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
"""A number as Salesforce takes it."""

MOST_REMEMBERED = 40_000
"""The maximum number of right values that a screen remembers: more than the days of a century."""

LONGEST_CHECKED = 100_000
"""The length of a field from which on its cells are not measured: the field takes any text that a cell can hold."""

PICKLIST_VALUES_SHOWN = 8

SHORTEN = "Shorten them with values, or name a longer field in columns."
CORRECT_NUMBERS = "Correct them with values, or name a field for larger numbers in columns."
CORRECT_OR_BLANK = "Correct them, or make them blank, with values."

TEXT_TYPES = frozenset({"string", "textarea", "phone", "url", "encryptedstring", "combobox", "picklist"})
NUMBER_TYPES = frozenset({"double", "currency", "percent"})
LIMITS_OF_WHOLE_NUMBERS = {"int": 2**31, "long": 2**63}
EXACT_DIGITS = 15
"""The number of decimal digits that a double always keeps."""
MOST_DIGITS = 400
"""More digits than any number has."""

FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
"""The first and the last day that Salesforce knows (SOQL and SOSL reference, Date Formats and Date Literals)."""
_FIRST_MOMENT, _LAST_MOMENT = datetime(1700, 1, 1, tzinfo=UTC), datetime(4000, 12, 31, tzinfo=UTC)

_WHOLE_NUMBER = re.compile("[+-]?[0-9]+")
_DATE = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2})Z?")
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = re.compile(r"(?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-3]):?[0-5][0-9]|[+-]14:?00)")
_TIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})T{_CLOCK}(?:{_ZONE.pattern}|(?:\.[0-9]+)?)")
_TIME_OF_DAY = re.compile(rf"{_CLOCK}(?:\.[0-9]+)?Z?")
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*+"
_LABEL = "[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+"
_EMAIL = re.compile(rf"{_LOCAL_PART}@(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9]|-++[A-Za-z0-9])++")
_EMAILS = re.compile(rf"(?:(?:{NULL_CELL}|{_LOCAL_PART}@(?:[A-Za-z0-9]++[.-])++(?<=\.)[A-Za-z]{{2,}}+)?+\n)*+")
"""A column of emails of the usual form."""
_YEAR = "(?:1[89]|2[0-9])[0-9]{2}"
_LEAP_YEAR = "(?:1[89]|2[0-9])(?:0[48]|[2468][048]|[13579][26])"
_DAY_OF_ANY_YEAR = (
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13578]|1[02])-(?:29|3[01])|(?:0[469]|11)-(?:29|30))"
)
_SURE_ZONE = r"(?:Z|\.[0-9]++(?:Z|[+-](?:0[0-9]|1[0-3]):?[0-5][0-9])|[+-](?:0[0-9]|1[0-3]):?[0-5][0-9])"
_SURE_DAY = rf"(?:{_YEAR}-{_DAY_OF_ANY_YEAR}|{_LEAP_YEAR}-02-29)"
_TIMES = re.compile(rf"(?:(?:{NULL_CELL}|{_SURE_DAY}T{_CLOCK}{_SURE_ZONE})?+\n)*+")
"""A column of times of the centuries around ours."""

_UNSETTLED_EMAIL = re.compile(
    r"""(?:"[^"\r\n]+"|[^\s@,;<>"\[\]:\\.][^\s@,;<>"\[\]:\\]*)@(?:(?:[^\W_]|-)+\.)+(?:[^\W_]|-)+"""
)
_ZEROS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with cells of a column.

    Attributes:
        kind: the kind of the finding.
        what: what is wrong, a sentence without the wrong values and its full stop.
        do: what to do about it, a sentence.
        shows_values: whether the finding names the first few wrong values.
        fails: whether rows with such a cell are known to fail.
    """

    kind: FindingKind
    what: str
    do: str
    shows_values: bool = True
    fails: bool = True


Judge = Callable[[str], Complaint | None]
"""Returns what is wrong with a cell that is neither empty nor `#N/A`; None if nothing is."""

Screen = Callable[[Cells], bool]
"""Returns whether all cells of a column are surely right; only then their judge has nothing to say."""


class CellCheck(Protocol):
    """A check of the cells of one column.

    Attributes:
        right_bytes: the number of bytes of UTF-8 up to which any cell is right; -1 if there is none.
    """

    @property
    def right_bytes(self) -> int: ...

    def complaints(self, cells: Cells) -> Mapping[Complaint, Set[str]]:
        """Return the wrong cells by what is wrong with them."""
        ...


class ValueCheck:
    """A check of what a field can hold.

    Args:
        judge: judges single cells.
        screen: passes columns without wrong cells at once.
        right_bytes: see `CellCheck`.
    """

    def __init__(self, judge: Judge, screen: Screen, right_bytes: int = -1) -> None:
        self._judge, self._screen = judge, screen
        self.right_bytes = right_bytes

    def complaints(self, cells: Cells) -> Mapping[Complaint, Set[str]]:
        found: dict[Complaint, set[str]] = {}
        if not self._screen(cells):
            for cell in dict.fromkeys(cells):  # in their order, which is then that of the findings
                if cell not in BLANK_CELLS and (complaint := self._judge(cell)):
                    found.setdefault(complaint, set()).add(cell)
        return found


def leave_out_blank(name: str) -> str:
    """Return the argument that leaves out the rows whose cell in a column is blank, or says that the field is cleared."""
    return f"leaveOut {as_json({'cells': {name: sorted(BLANK_CELLS)}})}"


class BlankCheck:
    """A check for blank cells of a field that an insert has to fill."""

    right_bytes = -1

    def __init__(self, field: FieldDescribe) -> None:
        what = f"{as_name(field.name)} is required, and rows without it fail"
        do = f"Fill it in, or leave these rows out: {leave_out_blank(field.name)}."
        self._complaint = Complaint("blank", what, do, shows_values=False)

    def complaints(self, cells: Cells) -> Mapping[Complaint, Set[str]]:
        if min(cells, default="x")[:1] > " " and NULL_CELL not in cells:  # no cell is empty, or begins with a space
            return {}
        blank = {cell for cell in set(cells) if cell == NULL_CELL or not cell.strip(SPACES)}
        return {self._complaint: blank} if blank else {}


class Known:
    """A memory of texts that are right, since texts of a column repeat: each is looked at once."""

    def __init__(self, is_right: Callable[[str], object]) -> None:
        self._is_right = is_right
        self._right = set(BLANK_CELLS)

    def all_right(self, texts: Set[str]) -> bool:
        new = texts - self._right
        are_right = all(map(self._is_right, new))
        if are_right and len(self._right) < MOST_REMEMBERED:
            self._right |= new
        return are_right


def check_of(field: FieldDescribe, key_prefix: str | None = None) -> CellCheck | None:
    """Return the check for the cells of a field; None if the type of the field takes any cell.

    Args:
        field: the field that the cells fill.
        key_prefix: the key prefix of the object, with which its record ids begin.
    """
    if field.restricted_picklist:
        return _picklist_check(field)
    if field.type in ("id", "reference"):
        return _id_check(field, (key_prefix or "") if field.name == ID_FIELD else "")
    if field.type in TEXT_TYPES:
        return _text_check(field) if 0 < field.length < LONGEST_CHECKED else None
    if field.type in NUMBER_TYPES:
        return _number_check(field)
    if field.type in LIMITS_OF_WHOLE_NUMBERS:
        return _whole_number_check(field)
    check = _CHECKS.get(field.type)
    return None if check is None else check(field)


def _others_fail(field: FieldDescribe, kind: FindingKind, takes: str, do: str) -> Complaint:
    return Complaint(kind, f"{as_name(field.name)} takes {takes}, and rows with others fail", do)


def _may_fail(field: FieldDescribe, why: str, do: str, *, shows_values: bool = True) -> Complaint:
    """Return the complaint about cells of a form that no source settles.

    Args:
        field: the field.
        why: what is not settled, as the end of a sentence.
        do: the form that is sure.
        shows_values: see `Complaint`.
    """
    what = f"Rows with these cells of {as_name(field.name)} may fail, since Salesforce does not say {why}"
    return Complaint("may fail", what, do, shows_values, fails=False)


def _untrimmed(field: FieldDescribe, judge: Judge) -> Judge:
    """Return a judge of what is no text.

    The guide says that field values aren't trimmed, XML Schema that spaces around a number or a time are no part of it;
    those around an external id are no part of it.
    """
    if (field.id_lookup or field.external_id) and field.type != "id":
        return lambda cell: judge(trimmed) if (trimmed := cell.strip(SPACES)) else None
    with_spaces = _may_fail(field, "whether it takes spaces around them", "Take the spaces away.")

    def judge_trimmed(cell: str) -> Complaint | None:
        trimmed = cell.strip(SPACES)
        complaint = judge(trimmed) if trimmed else None
        return complaint or (None if trimmed == cell else with_spaces)

    return judge_trimmed


def _text_judge(field: FieldDescribe) -> Judge:
    """Return a judge of the length of texts.

    Spaces at either end are not stored (Apex developer guide, Primitive Data Types).
    """
    most = field.length
    what = f"{as_name(field.name)} takes {most:,} characters, and rows with more fail"
    too_long = Complaint("too long", what, SHORTEN, shows_values=False)
    why = "how it counts spaces at their ends, and characters such as emoji, to its length"
    as_counted = _may_fail(field, why, SHORTEN, shows_values=False)

    def judge(cell: str) -> Complaint | None:
        trimmed = cell.strip(SPACES)
        if len(trimmed) > most:
            return too_long
        units = len(cell) + sum(character > "\uffff" for character in cell)
        return as_counted if trimmed and units > most else None

    return judge


def _text_check(field: FieldDescribe) -> CellCheck:
    most = field.length

    def are_short(cells: Cells) -> bool:
        longest = max(map(len, cells), default=0)
        return 2 * longest <= most or (longest <= most and "".join(cells).isascii())

    # No character has more UTF-16 units than bytes of UTF-8.
    return ValueCheck(_text_judge(field), are_short, right_bytes=most)


def _email_check(field: FieldDescribe) -> CellCheck:
    most, judge_length = field.length or LONGEST_CHECKED, _text_judge(field)
    wrong = _others_fail(field, "not an email", "email addresses", CORRECT_OR_BLANK)
    unsettled = _may_fail(field, "whether it takes such addresses", "Correct them, if they are wrong.")

    def judge(cell: str) -> Complaint | None:
        trimmed = cell.strip(SPACES)
        if not trimmed or _EMAIL.fullmatch(trimmed):
            return judge_length(cell) if field.length else None
        return unsettled if _UNSETTLED_EMAIL.fullmatch(trimmed) and len(trimmed) <= most else wrong

    def are_emails(cells: Cells) -> bool:
        if max(map(len, cells), default=0) > most:
            return False
        return _is_column(_EMAILS, cells)

    return ValueCheck(judge, are_emails)


def _is_column(pattern: re.Pattern[str], cells: Cells) -> bool:
    """Return whether the pattern matches the cells as one text, with a line break after each, and none has one itself."""
    column = "\n".join((*cells, ""))
    return pattern.fullmatch(column) is not None and column.count("\n") == len(cells)


def _forms_screen(form: str) -> Screen:
    """Return a screen for columns with many different values of few forms."""
    pattern = re.compile(form)
    known = Known(lambda form: pattern.fullmatch(form))

    def are_of_form(cells: Cells) -> bool:
        forms = "\n".join(cells).translate(_ZEROS).split("\n")
        return len(forms) == len(cells) and known.all_right(set(forms))

    return are_of_form


def _number_check(field: FieldDescribe) -> CellCheck:
    whole_digits = field.precision - field.scale if field.precision else MOST_DIGITS
    limit = 10**whole_digits
    wrong = _others_fail(field, "not a number", "numbers", "Write 1234.5.")
    takes = f"numbers of {whole_digits} digits before the point"
    too_large = _others_fail(field, "out of range", takes, CORRECT_NUMBERS)

    def judge(cell: str) -> Complaint | None:
        if not NUMBER.fullmatch(cell):
            return wrong
        return None if -limit < float(cell) < limit else too_large

    return ValueCheck(_untrimmed(field, judge), _forms_screen(_numbers_below(whole_digits)))


def _numbers_below(whole_digits: int) -> str:
    """Return a pattern of the forms of numbers that are surely in range: no exponents, no rounding that matters."""
    forms = [rf"0{{0,{whole_digits - 1}}}(?:\.0*)?"] if whole_digits else []
    if whole_digits <= EXACT_DIGITS:
        forms.append(rf"0{{{whole_digits}}}(?:\.0{{0,{EXACT_DIGITS - whole_digits}}})?")
    return rf"[+-]?(?=\.?0)(?:{'|'.join(forms)})"


def _whole_number_check(field: FieldDescribe) -> CellCheck:
    of_type = LIMITS_OF_WHOLE_NUMBERS[field.type]
    limit = min(10**field.digits, of_type) if field.digits else of_type
    most_digits = len(str(limit - 1))
    wrong = _others_fail(field, "not a number", "whole numbers", "Write 25, without decimals.")
    takes = f"whole numbers up to {limit - 1:,}"
    too_large = _others_fail(field, "out of range", takes, CORRECT_NUMBERS)

    def judge(cell: str) -> Complaint | None:
        if not _WHOLE_NUMBER.fullmatch(cell):
            return wrong
        digits = cell.lstrip("+-0")
        return too_large if len(digits) > most_digits or int(digits or "0") >= limit else None

    surely_in_range = len(str(limit)) - 1
    return ValueCheck(_untrimmed(field, judge), _forms_screen(f"[+-]?0{{1,{surely_in_range}}}"))


def _boolean_check(field: FieldDescribe) -> CellCheck:
    wrong = _others_fail(field, "not a boolean", "true and false", "Map the values to true and false with values.")
    why = "whether it takes them in upper case"
    unsettled = _may_fail(field, why, 'Read them in the format "true/false" with formats.')

    def judge(cell: str) -> Complaint | None:
        if cell in ("true", "false", "1", "0"):
            return None
        return unsettled if cell.lower() in ("true", "false") else wrong

    return _check_of_values(_untrimmed(field, judge))


def _check_of_values(judge: Judge) -> CellCheck:
    """Return a check for columns with few different values."""
    known = Known(lambda cell: judge(cell) is None)
    return ValueCheck(judge, lambda cells: known.all_right(set(cells)))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _date_check(field: FieldDescribe) -> CellCheck:
    wrong = _others_fail(field, "not a date", "dates", "Write dates as 2026-01-31.")
    takes = f"days from {FIRST_DAY} to {LAST_DAY}"
    out_of_range = _others_fail(field, "out of range", takes, CORRECT_OR_BLANK)
    with_time = _may_fail(field, "whether it takes a time after the day", "Write dates as 2026-01-31.")

    def judge(cell: str) -> Complaint | None:
        has_time = not (match := _DATE.fullmatch(cell))
        match = match or _TIME.fullmatch(cell)
        day = _day(match[1]) if match else None
        if day is None:
            return wrong
        if not FIRST_DAY <= day <= LAST_DAY:
            return out_of_range
        return with_time if has_time else None

    return _check_of_values(_untrimmed(field, judge))


def _time_check(field: FieldDescribe) -> CellCheck:
    wrong = _others_fail(field, "not a time", "times", "Write times as 2026-01-31T09:30:00Z.")
    takes = f"times from {FIRST_DAY} to {LAST_DAY}"
    out_of_range = _others_fail(field, "out of range", takes, CORRECT_OR_BLANK)
    why = "whether it takes times without a zone, and which zone they have"
    without_zone = _may_fail(field, why, "Write times as 2026-01-31T09:30:00Z.")

    def judge(cell: str) -> Complaint | None:
        match = _TIME.fullmatch(cell)
        if match is None or _day(match[1]) is None:
            return wrong
        has_zone = _ZONE.fullmatch(cell, 19) is not None
        moment = datetime.fromisoformat(cell if has_zone else f"{cell}Z")
        if not _FIRST_MOMENT <= moment <= _LAST_MOMENT:
            return out_of_range
        return None if has_zone else without_zone

    return ValueCheck(_untrimmed(field, judge), lambda cells: _is_column(_TIMES, cells))


def _time_of_day_check(field: FieldDescribe) -> CellCheck:
    do = "Write times of day as 09:30:00.000Z, or map them with values."
    wrong = _others_fail(field, "not a time of day", "times of day", do)
    without_zone = _may_fail(field, "whether it takes times of day without Z", do)

    def judge(cell: str) -> Complaint | None:
        if not _TIME_OF_DAY.fullmatch(cell):
            return wrong
        return None if cell.endswith("Z") else without_zone

    return _check_of_values(_untrimmed(field, judge))


def _id_check(field: FieldDescribe, prefix: str) -> CellCheck:
    do = "Write the 15 or 18 letters and digits of an id"
    do += f", which begins with {as_name(prefix)} here." if prefix else "."
    wrong = _others_fail(field, "not an id", "record ids", do)
    other_case = _may_fail(field, "whether it takes ids in another case", "Write each id in its own case.")

    def judge(cell: str) -> Complaint | None:
        record_id = in_its_case(cell)
        if record_id is None or not record_id.startswith(prefix):
            return wrong
        return None if record_id == cell else other_case

    return ValueCheck(_untrimmed(field, judge), lambda cells: are_record_ids(cells, prefix))


def _picklist_check(field: FieldDescribe) -> CellCheck:
    values = [value.value for value in field.picklist_values if value.active]
    taken = {value.lower() for value in values}
    listed = ", ".join(map(quoted, values[:PICKLIST_VALUES_SHOWN]))
    listed += ", …" if len(values) > PICKLIST_VALUES_SHOWN else ""
    do = f"Map them with values: it takes {listed}." if values else "It has no active values: leave it out."
    wrong = _others_fail(field, "picklist", "only the active values of its picklist", do)

    def judge(cell: str) -> Complaint | None:
        return None if cell.lower() in taken else wrong

    if field.type != "multipicklist":
        return _check_of_values(_untrimmed(field, judge))
    why = "whether it takes spaces, blank and repeated values between the semicolons"
    loose = _may_fail(field, why, "Write each value once, with one semicolon between two.")

    def judge_each(cell: str) -> Complaint | None:
        selected = cell.lower().split(";")
        if taken.issuperset(selected) and len(set(selected)) == len(selected):
            return None
        return loose if all(value in taken for each in selected if (value := each.strip(SPACES))) else wrong

    return _check_of_values(_untrimmed(field, judge_each))


_CHECKS: dict[str, Callable[[FieldDescribe], CellCheck]] = {
    "boolean": _boolean_check,
    "date": _date_check,
    "datetime": _time_check,
    "email": _email_check,
    "time": _time_of_day_check,
}
