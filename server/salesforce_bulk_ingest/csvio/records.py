"""The splitting of CSV bytes into records.

A record ends at a line feed that has an even number of quotes before it. A line break inside quotes belongs to its cell,
and so do characters that only Python takes for line ends (U+2028, form feed). Counting quotes is fast, and is all
that is needed to cut between records.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

LONGEST_RECORD_BYTES = 8 << 20
"""The maximum size of a record, five times the UTF-8 bytes of the API's 400,000 characters. A longer record has a quote that
is never closed."""


class EndlessRecord(Exception):
    """The end of a record can't be found, since a quote is opened and never closed.

    Args:
        start: the bytes of the record that were read.
        first_line: the line of the source on which these bytes begin; the header is on line 1.
    """

    def __init__(self, start: bytes, first_line: int) -> None:
        super().__init__(f"a record after line {first_line} has no end")
        self.start = start
        self.first_line = first_line


def last_record_end(data: bytes, quotes_before: int = 0) -> int:
    """Return the position after the last whole record of the data; 0 if no record ends in the data.

    Args:
        data: bytes that begin with a record, or within one.
        quotes_before: the number of quotes in the part of the first record that stands before the data.
    """
    return _last_record_end(data, quotes_before + data.count(b'"'))


def _last_record_end(data: bytes, quotes: int) -> int:
    """Return what `last_record_end` returns.

    Args:
        data: see `last_record_end`.
        quotes: the number of quotes up to the end of the data, with those in the part of the first record before the data.
    """
    first_feed = data.find(b"\n")
    if first_feed < 0:
        return 0
    end = len(data)
    while end > first_feed:
        quote = data.rfind(b'"', 0, end)
        if quotes % 2 == 0 and (feed := data.rfind(b"\n", quote + 1, end)) >= 0:
            return feed + 1
        end, quotes = max(quote, 0), quotes - 1
    return 0


def records(data: bytes) -> Iterator[bytes]:
    """Yield each record of the data with its line end, including blank lines; the last record may lack a line end."""
    lines: list[bytes] = []
    in_quotes = False
    for line in io.BytesIO(data):
        if line.count(b'"') % 2:
            in_quotes = not in_quotes
        elif not lines:
            yield line
            continue
        lines.append(line)
        if not in_quotes:
            yield b"".join(lines)
            lines = []
    if lines:
        yield b"".join(lines)


def is_blank(record: bytes) -> bool:
    """Return whether a record is a blank line, which does not count as a row."""
    return not record.strip(b"\r\n")


def count_rows(data: bytes) -> int:
    """Return the number of rows in the data: its records without the blank lines."""
    return sum(not is_blank(record) for record in records(data))


def after_rows(data: bytes, count: int) -> bytes:
    """Return the data without its first rows.

    Args:
        data: the bytes of whole records.
        count: the number of rows to leave out.
    """
    start = 0
    for record in records(data):
        if not is_blank(record):
            if not count:
                break
            count -= 1
        start += len(record)
    return data[start:]


class WholeRecords:
    """A buffer that joins the chunks of a stream to whole records.

    Attributes:
        rest: the bytes of the last record, whose end is not in the buffer yet.
        quotes: the number of quotes in the records that were returned last.
    """

    def __init__(self) -> None:
        self.rest = bytearray()
        self.quotes = self._quotes = 0

    @property
    def is_in_quotes(self) -> bool:
        """Whether a quote is open at the end of the rest."""
        return self._quotes % 2 == 1

    @property
    def is_endless(self) -> bool:
        """Whether the rest is longer than a record can be."""
        return len(self.rest) > LONGEST_RECORD_BYTES

    def add(self, chunk: bytes) -> bytes:
        """Add the next chunk, and return the whole records that end in the chunk; no bytes if no record ends there."""
        # No record ends in the rest, so only the chunk has to be searched.
        quotes = self._quotes + chunk.count(b'"')
        end = _last_record_end(chunk, quotes)
        if not end:
            self.rest += chunk
            self.quotes, self._quotes = 0, quotes
            return b""
        whole = b"".join((self.rest, memoryview(chunk)[:end]))
        self.rest = bytearray(chunk[end:])
        self._quotes = chunk.count(b'"', end)
        self.quotes = quotes - self._quotes
        return whole

    def take_rest(self) -> bytes:
        """Return the rest, and empty the buffer."""
        rest = bytes(self.rest)
        self.rest, self.quotes, self._quotes = bytearray(), self._quotes, 0
        return rest


def first_record(file: BinaryIO, max_bytes: int) -> bytes:
    """Return the first record of a file, with its line end; the file then stands after the record.

    Args:
        file: the file, at its start.
        max_bytes: the maximum size of the record.

    Raises:
        EndlessRecord: the record is larger than `max_bytes`, or has no end.
    """
    whole, record = WholeRecords(), b""
    while not record and len(whole.rest) <= max_bytes and (line := file.readline(max_bytes + 1)):
        record = whole.add(line)
    if not record and not whole.is_in_quotes:
        record = whole.take_rest()
    if len(record) > max_bytes or whole.rest:
        raise EndlessRecord(record or bytes(whole.rest), 1)
    return record


class RecordSplitter:
    """A splitter of a stream into records: `feed` each chunk, then `flush`.

    After a quote that is never closed, about `LONGEST_RECORD_BYTES` of lines become one record, and splitting goes on
    with the next line.

    Args:
        keep_blank: whether to return blank lines, too, so that the returned records together are all bytes of the
            stream.
    """

    def __init__(self, *, keep_blank: bool = False) -> None:
        self._keep_blank = keep_blank
        self._whole = WholeRecords()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the records that end in this chunk, each with its line end."""
        found = self._split(self._whole.add(chunk))
        while self._whole.is_endless and (end := _forced_end(self._whole.rest)):
            rest = self._whole.take_rest()
            found += self._filtered([rest[:end]])
            found += self._split(self._whole.add(rest[end:]))
        return found

    def flush(self) -> list[bytes]:
        """Return the last record of the stream in a list, if the record has no line end; else an empty list."""
        rest = self._whole.take_rest()
        return self._filtered([rest]) if rest else []

    def _split(self, whole: bytes) -> list[bytes]:
        return self._filtered(records(whole) if b'"' in whole else io.BytesIO(whole))

    def _filtered(self, found: Iterable[bytes]) -> list[bytes]:
        return list(found) if self._keep_blank else [record for record in found if not is_blank(record)]


def _forced_end(endless: bytearray) -> int:
    """Return the position at which to cut a record that is too long; 0 to wait for more bytes.

    The cut is after a line, or anywhere in a line that is itself too long.
    """
    feed = endless.find(b"\n", LONGEST_RECORD_BYTES)
    if feed >= 0:
        return feed + 1
    line = endless.rfind(b"\n") + 1
    return len(endless) if len(endless) - line > LONGEST_RECORD_BYTES else 0


BLOCK_BYTES = 1 << 18
"""The size of a block, small enough that its cells stay in the processor's cache: 1 MB takes twice as long for each byte."""


@dataclass(frozen=True)
class Block:
    """A block of whole records of a file, or of what is made of them.

    Attributes:
        data: the bytes of the records; the last record of a file may lack its line end.
        first_line: the line of the file on which the block begins; the header is on line 1.
        quotes: the number of quotes of the data; None if it was not counted.
    """

    data: bytes
    first_line: int = 1
    quotes: int | None = None

    @cached_property
    def lines(self) -> list[bytes]:
        """The bytes between the line feeds of the data; the last are empty if a line feed ends the data."""
        return self.data.split(b"\n")

    @cached_property
    def plain_lines(self) -> list[bytes]:
        """The lines without quotes and carriage returns."""
        if b'"' not in self.data and b"\r" not in self.data:
            return self.lines
        return self.data.translate(None, b'"\r').split(b"\n")


def blocks(file: BinaryIO, first_line: int = 1, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the rest of a file in blocks of whole records.

    A block is empty while no record is complete, so that the caller can report progress, and stop.

    Args:
        file: the file, at the beginning of a record.
        first_line: the line of the file on which this record begins.
        size: the number of bytes that are read at once, which is about the size of a block.

    Raises:
        EndlessRecord: a record has no end.
    """
    whole = WholeRecords()
    while chunk := file.read(size):
        data = whole.add(chunk)
        if whole.is_endless:
            raise EndlessRecord(bytes(whole.rest), first_line)
        yield Block(data, first_line, whole.quotes)
        first_line += data.count(b"\n")
    if whole.is_in_quotes:
        raise EndlessRecord(bytes(whole.rest), first_line)
    if whole.rest:
        yield Block(whole.take_rest(), first_line, whole.quotes)
