"""The `sf__Error` of a row, taken apart."""

import re
from dataclasses import dataclass

ERROR_COLUMN = "sf__Error"
UNKNOWN_CODE = "UNKNOWN"

_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class RowError:
    """One `sf__Error`, taken apart. The message is text from the org: data, not advice."""

    code: str
    message: str
    fields: tuple[str, ...]


def parse_row_error(text: str) -> RowError:
    """Take an `sf__Error` apart; text of another form keeps its message whole under the code UNKNOWN.

    The form is `CODE:message:Field1,Field2 --` or `CODE:message:--` (seen in live tests of jsforce and the Salesforce
    CLI). The message may hold anything, row data included.
    """
    code, colon, rest = text.rstrip().partition(":")
    if not colon or not _CODE.fullmatch(code):
        return RowError(UNKNOWN_CODE, text, ())
    message, colon, names = rest.removesuffix("--").rpartition(":") if rest.endswith("--") else (rest, "", "")
    if not colon:
        return RowError(code, rest, ())
    return RowError(code, message, tuple(name.strip() for name in names.split(",") if name.strip()))
