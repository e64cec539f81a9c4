"""CSV as Bulk API 2.0 reads it: record by record, in constant memory, with the byte offset after each record.

Python's csv module parses the records. This module checks what it accepts and Salesforce refuses: quotes that are not
around a whole value, and line endings other than the job's.

Seen in a real job: the error of an unescaped quote, and an unknown name that is a value of the file. The other texts
are those of the parser in Salesforce's own client library (forcedotcom/wsc, CSVReader), which has the seen text in the
same words; assumed: that the server uses them too.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import BinaryIO

from salesforce_emulator.config import Assumptions
from salesforce_emulator.errors import JobFailure

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
BOM = b"\xef\xbb\xbf"

MAX_HEADER_CHARACTERS = 32_000
"""The largest length of a header (Bulk API 2.0 guide, Prepare CSV Files)."""

# Limits quick reference, Bulk API and Bulk API 2.0.
MAX_FIELDS = 5_000
MAX_RECORD_CHARACTERS = 400_000
MAX_FIELD_CHARACTERS = 131_072

# The longest line that is read, with room for delimiters, quotes and the line ending. A longer line is cut there, and what
# remains is still too large a record.
MAX_LINE_BYTES = 4 * (MAX_RECORD_CHARACTERS + 3 * MAX_FIELDS) + 2
BLOCK_BYTES = 1 << 16

# Words of the csv module's errors, which have one class and no code. Tests hold the outcome of each error, and so notice a
# version of Python that words them differently.
AFTER_QUOTE = "expected after"
LINE_END = "new-line character"
TOO_LARGE = "field larger"
OPEN_QUOTE = "unexpected end"

UNESCAPED_QUOTE = "Found unescaped quote. A value with quote should be within a quote"

Record = list[str]


class MisquotedRecord(Record):
    """A record with a space next to a quote, which fails this record alone (Bulk API 2.0 guide, Prepare CSV Files)."""


class CsvReader:
    """Reads the records of an upload from the present position of the file.

    Args:
        file: the upload.
        delimiter: the columnDelimiter of the job.
        line_ending: the lineEnding of the job.
        width: the number of columns of the header, for a reader that begins after the header.
        assumptions: the behaviours that no source settles.

    Attributes:
        offset: the position after the last record that was returned, in bytes.

    Raises:
        JobFailure: while reading: the upload is not CSV with the job's delimiter and line ending.
    """

    def __init__(
        self, file: BinaryIO, *, delimiter: str, line_ending: str, width: int = 0, assumptions: Assumptions
    ) -> None:
        self.offset = file.tell()
        self._file = file
        self._delimiter = DELIMITERS[delimiter]
        self._line_ending = line_ending
        self._end = LINE_ENDINGS[line_ending]
        self._same_in_values = assumptions.embedded_line_endings == "same"
        self._drops_bom = assumptions.bom == "dropped"
        self._width = width

    def header(self) -> Record | None:
        """Return the first record of the upload; None if there is none. The reader must be at the start of the file."""
        if self._drops_bom and self._file.read(len(BOM)) == BOM:
            self.offset = len(BOM)
        self._file.seek(self.offset)
        header = next(self.records(), None)
        if isinstance(header, MisquotedRecord):
            raise _unparsable(UNESCAPED_QUOTE)
        if header and sum(map(len, header)) + len(header) - 1 > MAX_HEADER_CHARACTERS:
            # assumed: the text
            raise _unparsable(f"The header row is longer than {MAX_HEADER_CHARACTERS} characters")
        self._width = len(header or ())
        return header

    def check(self) -> bool:
        """Check about BLOCK_BYTES of the following records, and return whether there were any."""
        began = self.offset
        self.offset += self._plain_bytes()
        if self.offset == began:
            self._file.seek(began)
            for _ in self.records():
                if self.offset - began >= BLOCK_BYTES:
                    break
        return self.offset > began

    def _plain_bytes(self) -> int:
        """Return the length of the next lines if none can be wrong (no quotes, short, right endings), or else 0."""
        block = self._file.read(BLOCK_BYTES)
        size = block.rfind(b"\n") + 1
        self._file.seek(self.offset + size)
        lines = block[:size]
        ends = lines.count(self._end.encode())
        if b'"' in lines or ends != lines.count(b"\n") or lines.count(b"\r") != (ends if self._end == "\r\n" else 0):
            return 0
        return size if max(map(len, lines.split(b"\n"))) < MAX_FIELDS else 0

    def records(self) -> Iterator[Record]:
        """Yield the following records, each checked against the lines that it was read from; blank lines are skipped."""
        lines: list[str] = []
        reader = csv.reader(self._read_lines(lines), delimiter=self._delimiter, strict=True)
        while True:
            try:
                record = next(reader, None)
            except csv.Error as error:
                record = _misquoted("".join(lines), self._delimiter) if AFTER_QUOTE in str(error) else None
                if record is None:
                    raise self._failure(lines, error) from None
            if record is None:
                return
            record = self._checked(record, lines)
            lines.clear()
            if record:
                yield record

    def _checked(self, record: Record, lines: Sequence[str]) -> Record:
        """Return the record, after a check of the lines that it was read from."""
        text = lines[0] if len(lines) == 1 else "".join(lines)
        if not self._has_right_endings(text):
            raise self._wrong_line_ending()
        if '"' in text and '"' in "".join(record) and not _is_well_quoted(text, self._delimiter):
            misquoted = _misquoted(text, self._delimiter)
            if misquoted is None:
                raise _unparsable(UNESCAPED_QUOTE)
            record = misquoted
        if len(record) > MAX_FIELDS or len(text) > MAX_FIELD_CHARACTERS:
            self._check_size(record, lines)
        return record

    def _read_lines(self, lines: list[str]) -> Iterator[str]:
        """Yield the following lines, and append each to `lines`, which the caller clears after each record."""
        characters = 0
        while raw := self._file.readline(MAX_LINE_BYTES):
            self.offset += len(raw)
            # assumed: bytes that are not UTF-8 become U+FFFD, as Java's decoder makes them
            line = raw.decode("utf-8", "replace")
            characters = len(line) + (characters if lines else 0)
            if characters > MAX_LINE_BYTES:
                raise csv.Error(TOO_LARGE)  # as the csv module does beyond its own limit
            lines.append(line)
            yield line

    def _has_right_endings(self, text: str) -> bool:
        end = self._end
        if self._same_in_values:
            rest = text.replace(end, "")
            return "\r" not in rest and "\n" not in rest
        if not text.endswith(end):
            return not text.endswith(("\r", "\n"))
        return text[-len(end) - 1 : -len(end)] != "\r"

    def _wrong_line_ending(self) -> JobFailure:
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {self._line_ending}"
        return JobFailure("ClientInputError", message)

    def _failure(self, lines: Sequence[str], error: csv.Error) -> JobFailure:
        """Return the failure of the job for an error of the csv module."""
        if LINE_END in str(error):
            return self._wrong_line_ending()
        if TOO_LARGE in str(error):
            longest = max(map(len, "".join(lines).strip("\r\n").split(self._delimiter)))
            return self._too_large(lines, longest)
        swallowed = self._swallowed_value(lines)
        if swallowed is not None:
            return field_not_found(swallowed)
        if OPEN_QUOTE in str(error):
            return _unparsable("EOF reached before closing an opened quote")
        return _unparsable("Not expecting more text after end quote")

    def _too_large(self, lines: Sequence[str], characters: int) -> JobFailure:
        swallowed = self._swallowed_value(lines)
        return (
            field_not_found(swallowed)
            if swallowed is not None
            else _unparsable(f"Exceeded max field size: {characters}")
        )

    def _check_size(self, record: Record, lines: Sequence[str]) -> None:
        if len(record) > MAX_FIELDS:
            raise _unparsable(f"Exceeded max number of columns per record : {MAX_FIELDS}")
        sizes = [len(value) for value in record]
        if max(sizes, default=0) > MAX_FIELD_CHARACTERS:
            raise self._too_large(lines, max(sizes))
        if sum(sizes) > MAX_RECORD_CHARACTERS:
            raise _unparsable(
                f"Exceeded max length for one record: {sum(sizes)}."
                f" Max length for one record should be less than or equal to {MAX_RECORD_CHARACTERS}"
            )

    def _swallowed_value(self, lines: Sequence[str]) -> str | None:
        """Return the first value of the row that an open quote has made part of a value; None if there is no such row.

        Seen: the error of the job then names some value of the file as an unknown field. Assumed: which value.
        """
        if len(lines) < 2:
            return None
        cells = lines[1].rstrip("\r\n").split(self._delimiter)
        return cells[0].strip('"') if len(cells) == self._width else None


def field_not_found(name: str) -> JobFailure:
    """Return the failure of a job with an unknown column; the message has only the first (seen)."""
    return JobFailure("InvalidBatch", f"Field name not found : {name}")


def _unparsable(message: str) -> JobFailure:
    return JobFailure("InvalidBatch", f"Failed to parse CSV. {message}")


@lru_cache
def _record_pattern(delimiter: str, space: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a whole record and of one value, with the pattern `space` outside of the quotes."""
    separator = re.escape(delimiter)
    # No possessive group: in Python 3.11.0 to 3.11.4 such groups match wrongly (CPython issues 100061 and 106052).
    cell = rf'(?:{space}"[^"]*+(?:""[^"]*+)*"{space}|[^"\r\n{separator}]*+)'
    return re.compile(rf"{cell}(?:{separator}{cell})*\r?\n?"), re.compile(cell)


def _is_well_quoted(text: str, delimiter: str) -> bool:
    whole, _ = _record_pattern(delimiter, "")
    return whole.fullmatch(text) is not None


def _misquoted(text: str, delimiter: str) -> MisquotedRecord | None:
    """Return a record with spaces around quotes, misquoted values as they are; None if its quotes have other mistakes."""
    whole, cell = _record_pattern(delimiter, " *+")
    if not whole.fullmatch(text):
        return None
    record, position = MisquotedRecord(), 0
    text = text.rstrip("\r\n")
    while position <= len(text):
        match = cell.match(text, position)
        value = match[0] if match else ""
        record.append(value[1:-1].replace('""', '"') if value[:1] == value[-1:] == '"' else value)
        position += len(value) + 1
    return record
