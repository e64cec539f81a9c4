"""Why rows failed: the errors of a whole result in a few causes, counted while its rows stream by."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.results.fingerprints import without_cells, without_values
from salesforce_bulk_ingest.results.remedies import remedy_for
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, UNKNOWN_CODE, RowError, parse_row_error

MOST_GROUPS = 1_000
MOST_EXAMPLES = 5
MOST_FIELDS = 20
MOST_VALUES = 5
LONGEST_CODE = 100
LONGEST_FIELD = 80
LONGEST_MESSAGE = 300
LONGEST_VALUE = 100

_MOST_SAYINGS = 5 * MOST_GROUPS


@dataclass(frozen=True, slots=True)
class FailedExample:
    """A row that failed for a cause.

    Attributes:
        offset: rows before it in the failed rows.
        message: of the org, cut: data, not advice.
        values: cells of the fields at fault, cut; none for a field without a column.
    """

    offset: int
    message: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Rows that failed with the same status code, on the same fields, with messages that differ in values only.

    Attributes:
        code: status code; UNKNOWN where the error had none, and for what went beyond the number of causes.
        fields: that the error names, at most 20.
        pattern: the message with `{id}`, `{value}`, `{number}` and `{date}` for values: data, not advice. Empty where it
            stands for several causes.
        count: of rows.
        examples: at most five, the first that were read.
    """

    code: str
    fields: tuple[str, ...]
    pattern: str
    count: int
    examples: tuple[FailedExample, ...]

    @property
    def is_retryable(self) -> bool:
        """Whether the same rows may succeed unchanged."""
        return remedy_for(self.code, self.pattern).is_retryable

    @property
    def advice(self) -> str:
        """What to do, in one sentence, of ours."""
        return remedy_for(self.code, self.pattern).advice

    def as_json(self) -> dict[str, Any]:
        """What `from_json` takes: JSON's own types only."""
        examples = [{"offset": e.offset, "message": e.message, "values": dict(e.values)} for e in self.examples]
        return {
            "code": self.code,
            "fields": list(self.fields),
            "pattern": self.pattern,
            "count": self.count,
            "examples": examples,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The cause of which this is `as_json`.

        Raises:
            KeyError, TypeError: it is none.
        """
        examples = tuple(FailedExample(e["offset"], e["message"], e["values"]) for e in stored["examples"])
        return cls(stored["code"], tuple(stored["fields"]), stored["pattern"], stored["count"], examples)


# Words of a sentence that can be nothing else: CamelCase, __c, and Id.
_API_NAME = re.compile(r"\b(?:[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|\w{1,80}__c|Id)\b")

_Key = tuple[str, tuple[str, ...], str]
_OTHER: _Key = (UNKNOWN_CODE, (), "")


@dataclass(slots=True)
class _Tally:
    """A cause that is being counted; `saying` is the message without values, as long as all rows have the same."""

    saying: str | None
    count: int = 0
    examples: list[FailedExample] = field(default_factory=list)


class ErrorGrouper:
    """Counts the causes of failed rows in constant memory: `add` each row, then ask for `causes`.

    Args:
        columns: of the result; without `sf__Error` nothing is counted.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._error_index = columns.index(ERROR_COLUMN) if ERROR_COLUMN in columns else None
        self._columns = tuple(columns)
        self._places: dict[str, list[int]] = {}
        for index, name in enumerate(columns):
            for field_name in _fields_of(name):
                self._places.setdefault(field_name.lower(), []).append(index)
        self._names = frozenset(self._places)
        self._tallies: dict[_Key, _Tally] = {}
        self._sayings: dict[_Key, _Key] = {}

    def add(self, cells: Sequence[str], row_number: int) -> None:
        """Count a row.

        Args:
            cells: of the row; one that is too short to have an error is passed over.
            row_number: rows before it in the result.
        """
        if self._error_index is None or self._error_index >= len(cells):
            return
        error = parse_row_error(cells[self._error_index])
        code = cut(error.code, LONGEST_CODE)
        fields = tuple(cut(name, LONGEST_FIELD) for name in error.fields[:MOST_FIELDS])
        saying = without_values(code, error.message, self._fault_cells(error, cells), self._names)
        key = self._key((code, fields, saying), error.message, cells)
        tally = self._tallies.setdefault(key, _Tally(saying if key != _OTHER else ""))
        if key != _OTHER and tally.saying != saying:
            tally.saying = None
        tally.count += 1
        if len(tally.examples) < MOST_EXAMPLES:
            message = cut(error.message, LONGEST_MESSAGE)
            tally.examples.append(FailedExample(row_number, message, dict(self._values(error, cells))))

    def causes(self) -> tuple[ErrorGroup, ...]:
        """The most frequent first; ties in the order of code, fields and pattern."""
        causes = (
            ErrorGroup(
                code, fields, pattern if tally.saying is None else tally.saying, tally.count, tuple(tally.examples)
            )
            for (code, fields, pattern), tally in self._tallies.items()
        )
        # Salesforce gives rows in no promised order, so that a tie needs an order of its own.
        return tuple(sorted(causes, key=lambda cause: (-cause.count, cause.code, cause.fields, cause.pattern)))

    def _key(self, said: _Key, message: str, cells: Sequence[str]) -> _Key:
        """The cause of what was said.

        A message that was said of another row in the same words belongs to the same cause, whichever words of it happen
        to stand in a cell of this row.
        """
        if said in self._sayings:
            return self._sayings[said]
        code, fields, _ = said
        key = (code, fields, without_cells(code, message, self._own_cells(cells), self._names))
        if key not in self._tallies and len(self._tallies) - (_OTHER in self._tallies) >= MOST_GROUPS:
            return _OTHER
        if len(self._sayings) < _MOST_SAYINGS:
            self._sayings[said] = key
        return key

    def _own_cells(self, cells: Sequence[str]) -> Iterator[str]:
        return (cell for index, cell in enumerate(cells) if index != self._error_index and cell)

    def _fault_cells(self, error: RowError, cells: Sequence[str]) -> list[str]:
        return [cells[index] for index in self._indexes(error.fields[:MOST_FIELDS]) if index < len(cells)]

    def _values(self, error: RowError, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Columns and cells of the fields that the error names, or, where it names none, that its message does."""
        named = error.fields[:MOST_FIELDS] or _API_NAME.findall(error.message[:LONGEST_MESSAGE])
        for index in self._indexes(named)[:MOST_VALUES]:
            if index != self._error_index and index < len(cells):
                yield cut(self._columns[index], LONGEST_FIELD), cut(cells[index], LONGEST_VALUE)

    def _indexes(self, fields: Sequence[str]) -> list[int]:
        """Of the columns that write these fields."""
        return list(dict.fromkeys(index for name in fields for index in self._places.get(name.lower(), ())))


def _fields_of(column: str) -> Iterator[str]:
    """The names under which an error may speak of a column: its own, or the lookup and the key of a relationship column."""
    yield column
    relationship, dot, key = column.rpartition(":")[2].partition(".")
    if dot:
        yield key
        yield f"{relationship[:-1]}c" if relationship.endswith("__r") else f"{relationship}Id"
