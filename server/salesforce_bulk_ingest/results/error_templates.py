"""Error templates: what texts of errors have in common that differ in values alone, so that one of them is read for all.

Rows that failed by one rule are often all different, since each quotes a cell or an id of its own. To compare a text with a
template takes a tenth of the time of reading it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.results.fingerprints import (
    has_forms,
    is_written_in_the_org,
    messages_with,
    quoted_in,
    split_at,
)
from salesforce_bulk_ingest.results.row_errors import split_row_error


@dataclass(frozen=True, slots=True)
class QuotingTemplate:
    """The texts of errors in which Salesforce quotes a value in a known place.

    Attributes:
        start: the text before the value.
        end: the text after the value.
    """

    start: str
    end: str

    @classmethod
    def of(cls, text: str) -> Self | None:
        """Return the template of an error; None where Salesforce quotes nothing."""
        code, message, fields = split_row_error(text)
        found = quoted_in(message)
        if found is None or is_written_in_the_org(code.removesuffix(":")):
            return None
        place, _ = found
        return cls(f"{code}{message[: place.start]}", f"{message[place.stop :]}{fields}")

    def fits(self, text: str, _cells: Sequence[str]) -> bool:
        """Return whether the error of a row has this form."""
        is_framed = text.startswith(self.start) and text.endswith(self.end)
        return is_framed and len(text) >= len(self.start) + len(self.end)


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """The texts of errors that differ in ids, numbers and dates.

    Attributes:
        start: the code, with its colon.
        message: the regular expression of the messages.
        end: the fields, with their colon.
        fault_indexes: the indexes of the columns at fault, whose cells are no part of the message.
    """

    start: str
    message: re.Pattern[str]
    end: str
    fault_indexes: tuple[int, ...]

    @classmethod
    def of(cls, text: str, fingerprint: str, fault_indexes: Sequence[int]) -> Self | None:
        """Return the template of an error with a fingerprint; None where it has no value that is known by its form."""
        code, _, fields = split_row_error(text)
        message = messages_with(code.removesuffix(":"), fingerprint)
        return None if message is None else cls(code, message, fields, tuple(fault_indexes))

    def fits(self, text: str, cells: Sequence[str]) -> bool:
        """Return whether the error of a row has this form."""
        if not (text.startswith(self.start) and text.endswith(self.end)):
            return False
        if not self.message.fullmatch(text, len(self.start), len(text) - len(self.end)):
            return False
        return not any(len(cell) > 1 and cell in text for cell in cells_at(self.fault_indexes, cells))


@dataclass(frozen=True, slots=True)
class CellTemplate:
    """The texts of errors that quote cells of their rows.

    Attributes:
        start: the text before the first cell.
        parts: the whole text: pieces of it, and between these the indexes of the cells.
        indexes: the indexes of the cells.
    """

    start: str
    parts: tuple[str | int, ...]
    indexes: frozenset[int]

    @classmethod
    def of(cls, text: str, cells: Sequence[str], values: Iterable[str], fault_indexes: Iterable[int]) -> Self | None:
        """Return the template of an error; None where other rows with this template may belong to other groups.

        Args:
            text: the error.
            cells: the cells of its row; that of the error is empty.
            values: those that its message has, the longest first; see `values_in`.
            fault_indexes: the indexes of the columns at fault.
        """
        start, message, end = split_row_error(text)
        code = start.removesuffix(":")
        parts: list[str | int] = [message]
        for value in values:
            index = cells.index(value)
            parts = [each for part in parts for each in _with_index(part, value, index)]
        indexes = frozenset(part for part in parts if isinstance(part, int))
        decide = indexes and (is_written_in_the_org(code) or indexes.issubset(fault_indexes))
        if not decide or any(isinstance(part, str) and has_forms(code, part) for part in parts):
            return None
        return cls(f"{start}{parts[0]}", (start, *parts, end), indexes)

    def fits(self, text: str, cells: Sequence[str]) -> bool:
        """Return whether the error of a row has this form, with cells of its own."""
        if not text.startswith(self.start) or max(self.indexes) >= len(cells):
            return False
        return text == "".join([part if isinstance(part, str) else cells[part] for part in self.parts])


ErrorTemplate = QuotingTemplate | FormTemplate | CellTemplate


def cells_at(indexes: Iterable[int], cells: Sequence[str]) -> list[str]:
    """Return the cells of the columns with these indexes, as far as the row has them."""
    return [cells[index] for index in indexes if index < len(cells)]


def _with_index(part: str | int, value: str, index: int) -> Iterable[str | int]:
    """Return a part with the index in place of the value."""
    if isinstance(part, int):
        return [part]
    first, *others = split_at(part, value)
    return [first, *(each for piece in others for each in (index, piece))]
