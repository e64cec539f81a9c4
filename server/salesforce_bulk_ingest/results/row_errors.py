"""Parsing the `sf__Error` of a failed row."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

ERROR_COLUMN = "sf__Error"
UNKNOWN_CODE = "UNKNOWN"

_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


class RowError(NamedTuple):
    """A parsed `sf__Error`.

    Attributes:
        code: status code; UNKNOWN for text that has none.
        message: text from the org: data, not advice.
        fields: API names of the fields at fault.
    """

    code: str
    message: str
    fields: tuple[str, ...]


def parse_row_error(text: str) -> RowError:
    """Parse an `sf__Error`; text of another form is the message of an error with the code UNKNOWN.

    The form is `CODE:message:Field1,Field2 --` or `CODE:message:--` (seen in live tests of jsforce and the Salesforce
    CLI). The message may hold anything, row data included.
    """
    code, message, fields = split_row_error(text.rstrip())
    if not code:
        return RowError(UNKNOWN_CODE, text, ())
    names = map(str.strip, fields.removeprefix(":").removesuffix("--").split(","))
    return RowError(code.removesuffix(":"), message, tuple(filter(None, names)))


def split_row_error(text: str) -> tuple[str, str, str]:
    """Return the code, the message and the fields of an `sf__Error`: one after the other they are the text again.

    Code and fields have their colons; either is empty where there is none.
    """
    code, colon, rest = text.partition(":")
    if not colon or not _CODE.fullmatch(code):
        return "", text, ""
    message, colon, fields = rest.rpartition(":") if rest.rstrip().endswith("--") else (rest, "", "")
    return (f"{code}:", message, f":{fields}") if colon else (f"{code}:", rest, "")


@dataclass(frozen=True)
class ErrorFilter:
    """Chooses failed rows by status code and field; an empty filter chooses every row.

    Attributes:
        codes: status codes, in any case, one of which the error has; none for any.
        fields: API names of fields, in any case, one of which the error names; none for any.
    """

    codes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the filter chooses every row, whatever its error."""
        return not self.codes and not self.fields

    def matches(self, error: str) -> bool:
        """Return whether the filter chooses a row with this `sf__Error`."""
        if self.is_empty:
            return True
        parsed = parse_row_error(error)
        return self.chooses(parsed.code, parsed.fields)

    def chooses(self, code: str, fields: Iterable[str]) -> bool:
        """Return whether the filter chooses errors with a status code that name these fields."""
        if self.codes and code not in self._codes:
            return False
        return not self.fields or not self._fields.isdisjoint(map(str.lower, fields))

    @cached_property
    def _codes(self) -> frozenset[str]:
        return frozenset(map(str.upper, self.codes))

    @cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(map(str.lower, self.fields))
