"""CSV as Bulk API 2.0 reads and writes it: by record, in constant memory, with a byte offset after each chunk.

The standard parser does the work. What it lets pass and Salesforce does not is checked here: a quote inside an
unquoted value, and records that end otherwise than the job says.
"""

import csv
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import BinaryIO

from ..errors import JobFailure

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}

MAX_HEADER_CHARACTERS = 32_000  # Bulk API 2.0 guide, Prepare CSV Files
MAX_RECORD_CHARACTERS = 400_000  # Bulk API limits; the 131,072 of a cell are the csv module's own default limit
MAX_LINE_BYTES = 4 * MAX_RECORD_CHARACTERS

Record = list[str]


class CsvReader:
    """Reads records from where the file stands; `offset` is the byte after the last record that was handed out."""

    def __init__(self, file: BinaryIO, *, delimiter: str, line_ending: str) -> None:
        self.offset = file.tell()
        self._file = file
        self._delimiter = DELIMITERS[delimiter]
        self._line_ending = line_ending

    def header(self) -> Record | None:
        """The first record; None if there is none.

        Raises:
            JobFailure: as for `check`, or the header is too long.
        """
        header = next(self._checked(), None)
        if header and sum(map(len, header)) + len(header) > MAX_HEADER_CHARACTERS:
            raise _unparsable(f"The header row is longer than {MAX_HEADER_CHARACTERS} characters")
        return header

    def check(self, size: int) -> Iterator[None]:
        """Read all that follows, in steps of `size` records, without handing it out.

        Raises:
            JobFailure: the file is not the CSV that the job says.
        """
        records = self._checked()
        while list(islice(records, size)):
            yield

    def chunks(self, size: int) -> Iterator[list[Record]]:
        """The records that follow, `size` at a time, of a file that has been checked."""
        records = filter(None, csv.reader(self._lines(), delimiter=self._delimiter, strict=True))
        while chunk := list(islice(records, size)):
            yield chunk

    def _lines(self) -> Iterator[str]:
        while raw := self._file.readline(MAX_LINE_BYTES):
            self.offset += len(raw)
            # assumed: bytes that are not UTF-8 become U+FFFD, as Java's decoder makes them
            yield raw.decode("utf-8", "replace")

    def _checked(self) -> Iterator[Record]:
        """The records, each compared with the lines that it was read from; blank lines are no records (assumed)."""
        lines: list[str] = []
        try:
            for record in csv.reader(self._kept(lines), delimiter=self._delimiter, strict=True):
                if lines[-1].endswith("\n") and lines[-1].endswith("\r\n") != (self._line_ending == "CRLF"):
                    raise self._wrong_line_ending()
                if '"' in "".join(record) and not _well_quoted(self._delimiter).fullmatch("".join(lines)):
                    raise _unescaped_quote()
                lines.clear()
                if record:
                    yield record
        except csv.Error as error:
            raise self._failure(error) from None

    def _kept(self, lines: list[str]) -> Iterator[str]:
        """The lines, kept in the list until the record that they make is done with; bounded in memory."""
        characters = 0
        for line in self._lines():
            characters = len(line) + (characters if lines else 0)
            if characters > MAX_RECORD_CHARACTERS:
                raise _unparsable(f"A record is longer than {MAX_RECORD_CHARACTERS} characters")
            lines.append(line)
            yield line

    def _wrong_line_ending(self) -> JobFailure:
        message = f"LineEnding is invalid on user data. Current LineEnding setting is {self._line_ending}"
        return JobFailure("ClientInputError", message)

    def _failure(self, error: csv.Error) -> JobFailure:
        if "new-line character" in str(error):
            return self._wrong_line_ending()
        if "field larger" in str(error):
            return _unparsable(f"A value is longer than {csv.field_size_limit()} characters")
        return _unescaped_quote()


def _unparsable(message: str) -> JobFailure:
    """Assumed: the text; no source shows what happens beyond the documented limits."""
    return JobFailure("InvalidBatch", f"Failed to parse CSV. {message}")


def _unescaped_quote() -> JobFailure:
    return _unparsable("Found unescaped quote. A value with quote should be within a quote")


@lru_cache
def _well_quoted(delimiter: str) -> re.Pattern[str]:
    cell = rf'(?:"(?:[^"]|"")*+"|[^"\r\n{re.escape(delimiter)}]*+)'
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+\r?\n?")


def header_line(prefix: list[str], header: Record, *, delimiter: str, line_ending: str) -> bytes:
    """The header of a result file: `sf__` names quoted, the user's own names bare unless that would break the CSV."""
    mark = DELIMITERS[delimiter]
    needs_quotes = re.compile(rf'["\r\n{re.escape(mark)}]')
    own = [f'"{_doubled(name)}"' if needs_quotes.search(name) else name for name in header]
    return (mark.join([*(f'"{name}"' for name in prefix), *own]) + LINE_ENDINGS[line_ending]).encode()


def _doubled(text: str) -> str:
    return text.replace('"', '""')


def data_lines(records: list[Record], *, delimiter: str, line_ending: str) -> bytes:
    """Records of a result file: every value quoted (Bulk API 2.0 guide, quick start, step 3)."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=DELIMITERS[delimiter], lineterminator=LINE_ENDINGS[line_ending], quoting=csv.QUOTE_ALL
    )
    writer.writerows(records)
    return text.getvalue().encode()
