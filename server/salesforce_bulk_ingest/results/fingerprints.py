"""Fingerprints of error messages: the message with placeholders for the values of the row that failed.

Salesforce's own messages quote a value in a known place, or quote nothing. Messages that people of the org wrote
(validation rules, triggers, flows) are fixed texts in which a number or a quoted word can be all that tells two rules apart,
so in these messages only ids, and cells of the row itself, become placeholders.
"""

import re
from collections.abc import Iterable

from salesforce_bulk_ingest.base.hidden_fields import MASK, MASK_START

LONGEST_PATTERN = 1_000
"""The longest fingerprint, in characters; validation rules have at most 255 (Salesforce help, Validation Rule Fields)."""

_LONGEST_MESSAGE = 8_000
"""How many characters of a message are read: a list of 200 record ids has 3,800."""

_MOST_OCCURRENCES = 100
"""How often one value is replaced in a message: enough for any text that people read."""

_WRITTEN_IN_THE_ORG = frozenset(
    {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
    }
)

# Messages of Salesforce: the text before a value, its placeholder, and the text after it (API reference, 5.3).
_QUOTING = (
    ("data value too large: ", "{value}", " (max length="),
    ("value not of required type: ", "{value}", ""),
    ("Due to, '", "{value}", "' is not a valid value for the type "),
    ("invalid email address: ", "{value}", ""),
    ("bad value for restricted picklist field: ", "{value}", ""),
    ("value outside of valid range on numeric field: ", "{value}", ""),
    ("invalid date: ", "{value}", ""),
    ("id value of incorrect type: ", "{value}", ""),
    ("bad id ", "{value}", ""),
    ("Foreign key external ID: ", "{value}", " not found for field "),
    ("Duplicate external id specified: ", "{value}", ""),
    ("duplicates value on record with id: ", "{id}", ""),
    ("more than one record found for external id field: [", "{id}", "]"),
)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_DATE = re.compile(
    r"(?<!\w)(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{4})"
    r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?(?!\w)"
)
# An id has a letter and two digits: words and API names of this length have no second digit, and numbers no letter.
_ID = re.compile(r"(?<!\w)(?=[0-9]{0,17}[A-Za-z])(?=(?:[A-Za-z]{0,17}[0-9]){2})[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?(?!\w)")
_IDS = re.compile(r"\{id\}(?:[,;] ?\{id\})*[,;]?(?:…|\.\.\.)?")
_IDS_OF_A_MESSAGE = _IDS.pattern.replace(r"\{id\}", _ID.pattern)
_PLACEHOLDERS = re.compile(r"(\{(?:id|number|date)\})")
_QUOTED = re.compile(r"""(?<!\w)(['"])([^\n]{1,200}?)\1(?!\w)""")
_NUMBER = re.compile(r"(?<![\w=])[-+]?[0-9]+(?:[.,:][0-9]+)*%?(?!\w)")
_PLACEHOLDER = re.compile(r"^\W*(?:id|value|number|date)\W*$")
_BLANK = re.compile(r"\s")
_DIGIT = re.compile(r"[0-9]")
_ROW = re.compile(r"(?<=\brow )[0-9]+")
_CUT_WORD = re.compile(r"\w+\Z")


def without_values(code: str, message: str, fault_cells: Iterable[str], names: frozenset[str]) -> str:
    """Return the message with placeholders for what has the form of a value, and for the cells of the fields at fault.

    Args:
        code: status code of the error.
        message: message of the error.
        fault_cells: cells of the fields that the error names.
        names: names of columns and fields in lower case, which are never replaced.
    """
    unquoted = without_quoted(code, message)
    return without_quoted_and_values(code, unquoted, cells_replaced_in(code, unquoted, fault_cells), names)


def without_quoted(code: str, message: str) -> str:
    """Return the message with placeholders for what Salesforce quotes in a known place, and for what is hidden.

    Most rows that failed alike have this in common, whatever their cells are.
    """
    if MASK_START in message:
        message = MASK.sub("{value}", message)
    if code in _WRITTEN_IN_THE_ORG:
        return message
    return "{value}" if code == "MALFORMED_ID" and not _BLANK.search(message) else _without_quoted_value(message)


def cells_replaced_in(code: str, unquoted: str, fault_cells: Iterable[str]) -> list[str]:
    """Return the cells of the fields at fault that may be replaced in what `without_quoted` returns."""
    if code in _WRITTEN_IN_THE_ORG:
        return []
    return [cell for cell in fault_cells if len(cell) > 1 and cell in unquoted]


def without_quoted_and_values(code: str, unquoted: str, fault_cells: Iterable[str], names: frozenset[str]) -> str:
    """Return the message as `without_values` does, from what `without_quoted` and `cells_replaced_in` return."""
    if code in _WRITTEN_IN_THE_ORG:
        return _without_ids(_beginning(unquoted))
    return _without_forms(_replaced(unquoted, fault_cells, names), names)


def without_cells(code: str, message: str, cells: Iterable[str], names: frozenset[str]) -> str:
    """Return the message with placeholders for what has the form of a value, and for any cell of the row in it.

    Args:
        code: status code of the error.
        message: message of the error.
        cells: cells of the whole row; cells that may be common words are not replaced.
        names: names of columns and fields in lower case, which are never replaced.
    """
    return without_quoted_and_cells(code, without_quoted(code, message), cells, names)


def without_quoted_and_cells(code: str, unquoted: str, cells: Iterable[str], names: frozenset[str]) -> str:
    """Return the message as `without_cells` does, from what `without_quoted` returns."""
    found = _that_can_be_values(code, unquoted, cells)
    if code in _WRITTEN_IN_THE_ORG:
        return _without_ids(_replaced(_beginning(unquoted), found, names))
    return _without_forms(_replaced(unquoted, found, names), names)


def has_forms(code: str, text: str) -> bool:
    """Return whether something in a part of a message has the form of a value."""
    return text != (_without_ids(text) if code in _WRITTEN_IN_THE_ORG else _without_forms(text, frozenset()))


def values_in(code: str, unquoted: str, cells: Iterable[str], names: frozenset[str]) -> list[str]:
    """Return the cells that `without_quoted_and_cells` replaces where they are whole words, the longest first."""
    return _values_in(unquoted, _that_can_be_values(code, unquoted, cells), names)


def messages_with(code: str, fingerprint: str) -> re.Pattern[str] | None:
    """Return the regular expression of the messages with a fingerprint, no cell of whose row was replaced.

    None where all of these are equal, or where what was replaced is not known by its form alone.
    """
    parts = _PLACEHOLDERS.split(fingerprint)
    if len(parts) == 1 or "{value}" in fingerprint or len(fingerprint) >= LONGEST_PATTERN:
        return None
    number = "[0-9]+" if code in _WRITTEN_IN_THE_ORG else _NUMBER.pattern
    forms = {"{id}": _IDS_OF_A_MESSAGE, "{number}": number, "{date}": _DATE.pattern}
    return re.compile("".join(forms.get(part) or re.escape(part) for part in parts))


def is_written_in_the_org(code: str) -> bool:
    """Return whether people of the org write the messages of a status code."""
    return code in _WRITTEN_IN_THE_ORG


def _that_can_be_values(code: str, unquoted: str, cells: Iterable[str]) -> list[str]:
    """Return the cells in a message that are no common words."""
    found = [cell for cell in cells if len(cell) > 2 and cell in unquoted]
    return list(filter(_holds_digit_or_at, found)) if code in _WRITTEN_IN_THE_ORG else found


def _without_ids(message: str) -> str:
    message = _IDS.sub("{id}", _ID.sub("{id}", message))
    return _cut(_ROW.sub("{number}", message) if "row " in message else message)


def _without_forms(message: str, names: frozenset[str]) -> str:
    """Return the beginning of a message with placeholders for what has the form of a value."""
    message = _beginning(message)
    if "@" in message:
        message = _EMAIL.sub("{value}", message)
    if _DIGIT.search(message):
        message = _NUMBER.sub("{number}", _IDS.sub("{id}", _ID.sub("{id}", _DATE.sub("{date}", message))))
    if "'" in message or '"' in message:
        message = _QUOTED.sub(lambda match: match[0] if _is_name(match[2], names) else "{value}", message)
    return _cut(message)


def place_of_value(message: str) -> slice | None:
    """Return the place in a message of Salesforce's that quotes a cell, or None where the message quotes none."""
    found = quoted_in(message)
    return None if found is None or found[1] != "{value}" else found[0]


def _without_quoted_value(message: str) -> str:
    found = quoted_in(message)
    if found is None:
        return message
    place, placeholder = found
    return f"{message[: place.start]}{placeholder}{message[place.stop :]}"


def quoted_in(message: str) -> tuple[slice, str] | None:
    """Return the place of what a message of Salesforce's quotes, with its placeholder."""
    for before, placeholder, after in _QUOTING:
        if before in message:
            start = message.index(before) + len(before)
            end = message.rfind(after, start) if after else len(message)
            if end >= 0:
                return slice(start, end), placeholder
    return None


def _beginning(message: str) -> str:
    """Return the beginning of a message that is read, without a word that is cut at its end."""
    return message if len(message) <= _LONGEST_MESSAGE else _CUT_WORD.sub("", message[:_LONGEST_MESSAGE])


def _cut(pattern: str) -> str:
    return pattern[:LONGEST_PATTERN]


def _replaced(text: str, cells: Iterable[str], names: frozenset[str]) -> str:
    """Return the text with a placeholder for each cell that is in it as a whole word, the longest cells first."""
    pieces = [text]
    for value in _values_in(text, cells, names):
        pieces = [part for piece in pieces for part in split_at(piece, value)]
    return "{value}".join(pieces)


def _values_in(text: str, cells: Iterable[str], names: frozenset[str]) -> list[str]:
    """Return the cells in a text that are values, the longest first."""
    values = {cell for cell in cells if cell in text and cell.lower() not in names and not _PLACEHOLDER.search(cell)}
    return sorted(values, key=lambda value: (-len(value), value))


def split_at(text: str, value: str) -> list[str]:
    """Split the text at each occurrence of the value that is not part of a longer word."""
    parts, start, at = [], 0, text.find(value)
    for _ in range(_MOST_OCCURRENCES):
        if at < 0:
            break
        end = at + len(value)
        is_whole = not (_are_one_word(text[at - 1 : at], value[0]) or _are_one_word(value[-1], text[end : end + 1]))
        if is_whole:
            parts.append(text[start:at])
            start = end
        at = text.find(value, end if is_whole else at + 1)
    return [*parts, text[start:]]


def _are_one_word(left: str, right: str) -> bool:
    return _is_of_word(left) and _is_of_word(right)


def _is_of_word(character: str) -> bool:
    """Return what the regular expression `\\w` says of a character, in less time; no character is of no word."""
    return character.isalnum() or character == "_"


def _is_name(text: str, names: frozenset[str]) -> bool:
    return text.lower() in names or text.endswith(("__c", "__r"))


def _holds_digit_or_at(cell: str) -> bool:
    return len(cell) > 3 and ("@" in cell or any(map(str.isdigit, cell)))
