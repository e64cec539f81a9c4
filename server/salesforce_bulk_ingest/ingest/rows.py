"""Rows on their way in: CSV text or records, as the bytes that go up."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from salesforce_bulk_ingest.ingest.csv_records import RecordSplitter
from salesforce_bulk_ingest.ingest.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.salesforce.models import Job

MAX_TEXT_BYTES = 4_000_000
"""Rows inside a tool call pass through the model and through one message; more than this belongs on another way in."""

TOO_LARGE = f"These rows are over {MAX_TEXT_BYTES:,} bytes, the most that a tool call takes. Nothing was sent."

NULL_CELL = "#N/A"
"""What Salesforce reads as null; an empty cell means no change (Bulk API 2.0 guide, Prepare CSV Files)."""

Cell = str | int | float | bool | None


class RowSource(Protocol):
    """Something that can be written as a job's CSV."""

    def encode(self, job: Job) -> bytes:
        """The upload's bytes, in the job's delimiter and line ending where this source has a say in them.

        Raises:
            InvalidArgument: there is nothing to send.
            TooLarge: it is more than `MAX_TEXT_BYTES`.
        """
        ...

    def count_rows(self, job: Job) -> int:
        """Data rows, the header not counted."""
        ...


@dataclass(frozen=True, slots=True)
class CsvText:
    """CSV as the caller wrote it; it goes up unchanged."""

    text: str

    def encode(self, job: Job) -> bytes:
        if not self.text.strip():
            raise InvalidArgument(
                "body.csv is empty: give a header row with field names, then one row for each record."
            )
        if self.count_rows(job) == 0:
            raise InvalidArgument(
                "body.csv has one line and no rows: give the CSV's text itself (not a file's name), a header row with "
                "field names and then one row for each record."
            )
        return _within_limit(self.text)

    def count_rows(self, job: Job) -> int:
        splitter = RecordSplitter()
        records = len(splitter.feed(self.text.encode("utf-8", "replace"))) + len(splitter.flush())
        return max(records - 1, 0)


@dataclass(frozen=True, slots=True)
class Records:
    """Records as objects; their keys, in the order in which they are first seen, become the columns."""

    records: Sequence[Mapping[str, Cell]]

    def encode(self, job: Job) -> bytes:
        columns = tuple(dict.fromkeys(name for record in self.records for name in record))
        if not columns:
            raise InvalidArgument(
                "body.records has no fields: give one object for each record, with field names as keys."
            )
        out = io.StringIO(newline="")
        # Everything quoted: a lone carriage return in a cell would otherwise go out bare.
        writer = csv.writer(out, delimiter=job.delimiter, lineterminator=job.newline, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for record in self.records:
            # Checked on the way: columns times records can be far more than what came in.
            if out.tell() > MAX_TEXT_BYTES:
                raise TooLarge(TOO_LARGE)
            writer.writerow(_cells(record, columns))
        return _within_limit(out.getvalue())

    def count_rows(self, job: Job) -> int:
        return len(self.records)


def _cells(record: Mapping[str, Cell], columns: Iterable[str]) -> list[str]:
    return [_cell(record[name]) if name in record else "" for name in columns]


def _cell(value: Cell) -> str:
    if value is None:
        return NULL_CELL
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _within_limit(text: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"The rows hold {text[error.start]!a}, half of a character, which can't be sent: remove or replace it."
        ) from None
    if len(content) > MAX_TEXT_BYTES:
        raise TooLarge(TOO_LARGE)
    return content
