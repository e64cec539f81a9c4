"""CSV as Bulk API 2.0 reads it: by record, in constant memory, with a byte offset after each record.

The standard parser does the work. What it lets pass and Salesforce does not is checked here: quotes that are not
around a whole value, and records that end otherwise than the job says.

Seen of a real job: the text about an unescaped quote, and a name that is a value of the file. The other texts are
those of the parser in Salesforce's own client library (forcedotcom/wsc, CSVReader), which says the seen one in the
same words; assumed: that the server says them too.
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

MAX_HEADER_CHARACTERS = 32_000  # Bulk API 2.0 guide, Prepare CSV Files
MAX_FIELDS = 5_000  # this and the next two: limits quick reference, Bulk API and Bulk API 2.0
MAX_RECORD_CHARACTERS = 400_000
MAX_FIELD_CHARACTERS = 131_072
# Room for delimiters, quotes and line ending, so that what is left of a line that is cut there is too long, too.
MAX_LINE_BYTES = 4 * (MAX_RECORD_CHARACTERS + 3 * MAX_FIELDS) + 2
BLOCK_BYTES = 1 << 16

# By these words alone can the errors of CPython's parser be told apart: all are of one class, without a code. Tests hold
# what becomes of each, so that a version of Python which words them otherwise is noticed.
AFTER_QUOTE = "expected after"
LINE_END = "new-line character"
TOO_LARGE = "field larger"
OPEN_QUOTE = "unexpected end"

UNESCAPED_QUOTE = "Found unescaped quote. A value with quote should be within a quote"

Record = list[str]


class Misquoted(Record):
    """A record with a space next to a quote: an error of this record alone (Bulk API 2.0 guide, Prepare CSV Files)."""


class CsvReader:
    """Reads records from where the file stands; `offset` is the byte after the last record that was handed out.

    Args:
        file: the upload.
        delimiter, line_ending: as the job names them.
        width: how many columns its header has, where it stands further on than that.
        assumptions: how to take what no source settles.

    Raises, while it reads:
        JobFailure: the file is not the CSV that the job says.
    """

    def __init__(
        self, file: BinaryIO, *, delimiter: str, line_ending: str, width: int = 0, assumptions: Assumptions
    ) -> None:
        self.offset = file.tell()
        self._file = file
        self._delimiter = DELIMITERS[delimiter]
        self._line_ending = line_ending
        self._end = LINE_ENDINGS[line_ending]
        self._all_alike = assumptions.embedded_line_endings == "same"
        self._drops_bom = assumptions.bom == "dropped"
        self._width = width

    def header(self) -> Record | None:
        """The first record of the file, which must stand at its start; None if there is none."""
        if self._drops_bom and self._file.read(len(BOM)) == BOM:
            self.offset = len(BOM)
        self._file.seek(self.offset)
        header = next(self.records(), None)
        if isinstance(header, Misquoted):
            raise _unparsable(UNESCAPED_QUOTE)
        if header and sum(map(len, header)) + len(header) - 1 > MAX_HEADER_CHARACTERS:
            # assumed: the text
            raise _unparsable(f"The header row is longer than {MAX_HEADER_CHARACTERS} characters")
        self._width = len(header or ())
        return header

    def check(self) -> bool:
        """Read about a block of what follows without handing it out; False at the end."""
        began = self.offset
        self.offset += self._plain_bytes()
        if self.offset == began:
            self._file.seek(began)
            for _ in self.records():
                if self.offset - began >= BLOCK_BYTES:
                    break
        return self.offset > began

    def _plain_bytes(self) -> int:
        """The length of the lines ahead in which nothing can be wrong: of no quotes, short, and with the right ends."""
        block = self._file.read(BLOCK_BYTES)
        size = block.rfind(b"\n") + 1
        self._file.seek(self.offset + size)
        lines = block[:size]
        ends = lines.count(self._end.encode())
        if b'"' in lines or ends != lines.count(b"\n") or lines.count(b"\r") != (ends if self._end == "\r\n" else 0):
            return 0
        return size if max(map(len, lines.split(b"\n"))) < MAX_FIELDS else 0

    def records(self) -> Iterator[Record]:
        """The records that follow, each compared with the lines that it was read from; blank lines are no records."""
        lines: list[str] = []
        reader = csv.reader(self._kept(lines), delimiter=self._delimiter, strict=True)
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
        """The record, if the lines that it was read from are as they must be."""
        text = lines[0] if len(lines) == 1 else "".join(lines)
        if not self._ends_as_promised(text):
            raise self._wrong_line_ending()
        if '"' in text and '"' in "".join(record) and not _is_well_quoted(text, self._delimiter):
            misquoted = _misquoted(text, self._delimiter)
            if misquoted is None:
                raise _unparsable(UNESCAPED_QUOTE)
            record = misquoted
        if len(record) > MAX_FIELDS or len(text) > MAX_FIELD_CHARACTERS:
            self._check_size(record, lines)
        return record

    def _kept(self, lines: list[str]) -> Iterator[str]:
        """The lines, kept in the list until the record that they make is done with; bounded in memory."""
        characters = 0
        while raw := self._file.readline(MAX_LINE_BYTES):
            self.offset += len(raw)
            # assumed: bytes that are not UTF-8 become U+FFFD, as Java's decoder makes them
            line = raw.decode("utf-8", "replace")
            characters = len(line) + (characters if lines else 0)
            if characters > MAX_LINE_BYTES:
                raise csv.Error(TOO_LARGE)  # as the parser does beyond its own limit
            lines.append(line)
            yield line

    def _ends_as_promised(self, text: str) -> bool:
        end = self._end
        if self._all_alike:
            rest = text.replace(end, "")
            return "\r" not in rest and "\n" not in rest
        if not text.endswith(end):
            return not text.endswith(("\r", "\n"))
        return text[-len(end) - 1 : -len(end)] != "\r"

    def _wrong_line_ending(self) -> JobFailure:
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {self._line_ending}"
        return JobFailure("ClientInputError", message)

    def _failure(self, lines: Sequence[str], error: csv.Error) -> JobFailure:
        """What the owner of the job is told where the standard parser stops."""
        if LINE_END in str(error):
            return self._wrong_line_ending()
        if TOO_LARGE in str(error):
            longest = max(map(len, "".join(lines).strip("\r\n").split(self._delimiter)))
            return self._too_large(lines, longest)
        swallowed = self._swallowed(lines)
        if swallowed is not None:
            return field_not_found(swallowed)
        if OPEN_QUOTE in str(error):
            return _unparsable("EOF reached before closing an opened quote")
        return _unparsable("Not expecting more text after end quote")

    def _too_large(self, lines: Sequence[str], characters: int) -> JobFailure:
        swallowed = self._swallowed(lines)
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

    def _swallowed(self, lines: Sequence[str]) -> str | None:
        """The first value of a row that became part of a value, because the quote before it was left open.

        Seen: then the job says that a field of the name of some value of the file is not found. Assumed: which value.
        """
        if len(lines) < 2:
            return None
        cells = lines[1].rstrip("\r\n").split(self._delimiter)
        return cells[0].strip('"') if len(cells) == self._width else None


def field_not_found(name: str) -> JobFailure:
    """A column that is no field; only the first of them is told (seen)."""
    return JobFailure("InvalidBatch", f"Field name not found : {name}")


def _unparsable(message: str) -> JobFailure:
    return JobFailure("InvalidBatch", f"Failed to parse CSV. {message}")


@lru_cache
def _record_pattern(delimiter: str, space: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a whole record and of one of its values, with this around quotes."""
    mark = re.escape(delimiter)
    # No possessive group: in Python 3.11.0 to 3.11.4 such match what they must not (CPython issues 100061 and 106052).
    cell = rf'(?:{space}"[^"]*+(?:""[^"]*+)*"{space}|[^"\r\n{mark}]*+)'
    return re.compile(rf"{cell}(?:{mark}{cell})*\r?\n?"), re.compile(cell)


def _is_well_quoted(text: str, delimiter: str) -> bool:
    whole, _ = _record_pattern(delimiter, "")
    return whole.fullmatch(text) is not None


def _misquoted(text: str, delimiter: str) -> Misquoted | None:
    """The values of a record, of which those with spaces around their quotes are as they came; None if it is worse."""
    whole, cell = _record_pattern(delimiter, " *+")
    if not whole.fullmatch(text):
        return None
    record, position = Misquoted(), 0
    text = text.rstrip("\r\n")
    while position <= len(text):
        match = cell.match(text, position)
        value = match[0] if match else ""
        record.append(value[1:-1].replace('""', '"') if value[:1] == value[-1:] == '"' else value)
        position += len(value) + 1
    return record
