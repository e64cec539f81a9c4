"""Checks for cells that a field can't hold, for a whole column of a block at a time.

Most columns have no wrong cell, and these have to be checked fast: each check looks at all cells of a column in one call of
the interpreter, and at single cells only where this call finds something. An empty cell and `#N/A` are right in any field.

Literals: Bulk API 2.0 guide, Valid Date Format in Records and Prepare CSV Files; literals of booleans: Bulk API 1.0 guide.
"""

import re
from collections.abc import Callable, Sequence, Set
from typing import Protocol

from salesforce_bulk_ingest.base.text import as_name, quoted
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, NULL_CELL, FieldDescribe

Cells = Sequence[str]

BLANK_CELLS = ("", NULL_CELL)
MOST_REMEMBERED = 20_000
"""The maximum number of right values that a check remembers."""

LONGEST_CHECKED = 100_000
"""The length of a field from which on its cells are not measured: the field takes any text that a cell can hold."""

VALUES_SHOWN = 8
ID_LENGTHS = frozenset({0, 15, 18})
TEXT_TYPES = frozenset({"string", "textarea", "phone", "url", "email", "encryptedstring", "combobox"})
NUMBER_TYPES = frozenset({"int", "long", "double", "currency", "percent"})

_DATE = re.compile(rb"0000-00-00(?:Z|T.*)?")
_TIME = re.compile(rb"0000-00-00(?:T00:00:00(?:\.0{1,3})?(?:Z|[+-]00:?00)?)?")
_NUMBER = re.compile(rb"[+-]?(?:0+\.?0*|\.0+)(?:[eE][+-]?0{1,4})?")
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")


class CellCheck(Protocol):
    """A check of the cells of one column.

    Attributes:
        kind: the kind of the finding.
        what: what is wrong, a sentence without the wrong values.
        do: what to do about it, a sentence.
        shows_values: whether the finding names the first few wrong values.
    """

    kind: str
    what: str
    do: str
    shows_values: bool

    def wrong(self, cells: Cells) -> Set[str]:
        """Return the set of wrong cells."""
        ...


class ValueCheck:
    """A check for columns with few different values, each of which is checked only once."""

    shows_values = True

    def __init__(self, kind: str, what: str, do: str, takes: Callable[[str], bool]) -> None:
        self.kind, self.what, self.do = kind, what, do
        self._takes = takes
        self._good = set(BLANK_CELLS)

    def wrong(self, cells: Cells) -> Set[str]:
        new = set(cells) - self._good
        bad = {cell for cell in new if not self._takes(cell)}
        if len(self._good) < MOST_REMEMBERED:
            self._good |= new - bad
        return bad


class FormCheck:
    """A check for columns with many different values of few forms; the form of a value has 0 in place of each digit."""

    shows_values = True

    def __init__(self, kind: str, what: str, do: str, form: re.Pattern[bytes]) -> None:
        self.kind, self.what, self.do = kind, what, do
        self._form = form
        self._good = set(map(str.encode, BLANK_CELLS))

    def wrong(self, cells: Cells) -> Set[str]:
        new = set(_zeros("\n".join(cells)).split(b"\n")) - self._good
        bad = {form for form in new if not self._form.fullmatch(form)}
        if len(self._good) < MOST_REMEMBERED:
            self._good |= new - bad
        return {cell for cell in set(cells) if self._is_wrong(_zeros(cell))} if bad else frozenset()

    def _is_wrong(self, form: bytes) -> bool:
        return form not in self._good and not self._form.fullmatch(form)


class IdCheck:
    """A check for columns of record ids, which all differ."""

    kind = "not an id"
    shows_values = True

    def __init__(self, field: FieldDescribe, prefix: str) -> None:
        self.what = f"{as_name(field.name)} takes record ids, and rows with others fail"
        self.do = "Write the 15 or 18 letters and digits of an id"
        self.do += f", which begins with {as_name(prefix)} here." if prefix else "."
        self._prefix = prefix

    def wrong(self, cells: Cells) -> Set[str]:
        if set(map(len, cells)) <= ID_LENGTHS and _is_alphanumeric("".join(cells)) and self._all_prefixed(cells):
            return frozenset()
        return {cell for cell in set(cells) if self._is_wrong(cell)}

    def _all_prefixed(self, cells: Cells) -> bool:
        if not self._prefix:
            return True
        return "\n".join(("", *cells)).count(f"\n{self._prefix}") == len(cells) - cells.count("")

    def _is_wrong(self, cell: str) -> bool:
        fits = len(cell) in ID_LENGTHS and _is_alphanumeric(cell) and cell.startswith(self._prefix)
        return not fits and cell not in BLANK_CELLS


class LengthCheck:
    """A check for text that is longer than the field allows."""

    kind = "too long"
    do = "Shorten it, or choose a longer field."
    shows_values = False

    def __init__(self, field: FieldDescribe) -> None:
        self._most = field.length
        self.what = f"{as_name(field.name)} takes {field.length:,} characters, and rows with more fail"

    def wrong(self, cells: Cells) -> Set[str]:
        if max(map(len, cells), default=0) <= self._most:
            return frozenset()
        return {cell for cell in set(cells) if len(cell) > self._most}


class BlankCheck:
    """A check for blank cells of a field that an insert has to fill."""

    kind = "blank"
    shows_values = False

    def __init__(self, field: FieldDescribe) -> None:
        self.what = f"{as_name(field.name)} is required, and rows without it fail"
        self.do = "Fill it in, or leave these rows out."

    def wrong(self, cells: Cells) -> Set[str]:
        if all(cells) and NULL_CELL not in cells:
            return frozenset()
        return set(BLANK_CELLS)


def check_of(field: FieldDescribe, key_prefix: str | None = None) -> CellCheck | None:
    """Return the check for the cells of a field; None if the type of the field takes any cell.

    Args:
        field: the field that the cells fill.
        key_prefix: the key prefix of the object, with which its record ids begin.
    """
    name = as_name(field.name)
    if field.restricted_picklist:
        return _picklist_check(field)
    if field.type in TEXT_TYPES and 0 < field.length < LONGEST_CHECKED:
        return LengthCheck(field)
    if field.type in NUMBER_TYPES:
        return FormCheck("not a number", f"{name} takes numbers, and rows with others fail", "Write 1234.5.", _NUMBER)
    if field.type == "boolean":
        what = f"{name} takes true and false, and rows with others fail"
        return ValueCheck("not a boolean", what, "Map the values to true and false with values.", _is_boolean)
    if field.type == "date":
        what = f"{name} takes dates, and rows with others fail"
        return FormCheck("not a date", what, "Write dates as 2026-01-31.", _DATE)
    if field.type == "datetime":
        what = f"{name} takes times, and rows with others fail"
        return FormCheck("not a time", what, "Write times as 2026-01-31T09:30:00Z.", _TIME)
    if field.type in ("id", "reference"):
        return IdCheck(field, (key_prefix or "") if field.name == ID_FIELD else "")
    return None


def _is_boolean(cell: str) -> bool:
    return cell.lower() in ("true", "false", "1", "0")


def _is_alphanumeric(text: str) -> bool:
    return not text or text.encode(errors="replace").isalnum()  # `isalnum` of bytes is true for ASCII alone


def _zeros(text: str) -> bytes:
    return text.encode(errors="replace").translate(_DIGITS_TO_ZEROS)


def _picklist_check(field: FieldDescribe) -> CellCheck:
    values = [value.value for value in field.picklist_values if value.active]
    taken = {value.lower() for value in values}
    what = f"{as_name(field.name)} takes only the active values of its picklist, and rows with others fail"
    listed = ", ".join(map(quoted, values[:VALUES_SHOWN])) + (", …" if len(values) > VALUES_SHOWN else "")
    do = f"Map them with values: it takes {listed}." if values else "It has no active values: leave it out."

    def takes(cell: str) -> bool:
        return cell.lower() in taken

    def takes_each(cell: str) -> bool:
        return all(value.strip().lower() in taken for value in cell.split(";") if value.strip())

    return ValueCheck("picklist", what, do, takes_each if field.type == "multipicklist" else takes)
