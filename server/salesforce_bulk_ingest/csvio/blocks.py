"""A file of CSV in blocks of whole records, in constant memory.

A line feed is the end of a record where the quotes before it are even in number; so counting quotes, which is fast, is
all that is needed to cut between records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK_BYTES = 1 << 18
"""Small enough that the cells of a block stay in the processor's cache: 1 MB takes twice as long for each byte."""

LONGEST_RECORD_BYTES = 8 << 20
"""Five times what the API's 400,000 characters can take: past that, a quote is never closed."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records, as they stand in the file.

    Attributes:
        data: their bytes; the last record of a file may lack its line end.
        first_line: of the file, the header's being 1.
    """

    data: bytes
    first_line: int


class EndlessRecord(Exception):
    """A record has no end that can be found: a quote is opened and never closed.

    Args:
        start: what the record, or records before it, begin with.
        first_line: of that.
    """

    def __init__(self, start: bytes, first_line: int) -> None:
        super().__init__(f"a record after line {first_line} has no end")
        self.start = start
        self.first_line = first_line


def blocks(file: BinaryIO, first_line: int = 1, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """What is left of the file, in blocks of about so many bytes.

    While no record is complete, blocks come empty: whoever takes them can tell how far it is, and end it.

    Raises:
        EndlessRecord: what follows is no CSV.
    """
    rest, quotes = bytearray(), 0
    while chunk := file.read(size):
        # Nothing in the rest ends a record, so only what is new is looked at.
        end = last_record_end(chunk, quotes)
        if end:
            data = bytes(rest) + chunk[:end]
            yield Block(data, first_line)
            first_line += data.count(b"\n")
            rest, quotes = bytearray(chunk[end:]), chunk.count(b'"', end)
            continue
        rest += chunk
        quotes += chunk.count(b'"')
        if len(rest) > LONGEST_RECORD_BYTES:
            raise EndlessRecord(bytes(rest), first_line)
        yield Block(b"", first_line)
    if quotes % 2:
        raise EndlessRecord(bytes(rest), first_line)
    if rest:
        yield Block(bytes(rest), first_line)


def last_record_end(data: bytes, quotes_before: int = 0) -> int:
    """Where the last whole record ends; 0 if none does.

    Args:
        data: a record from its start, or from some byte within it on.
        quotes_before: how many there are in what the record has before that.
    """
    end, quotes = len(data), quotes_before + data.count(b'"')
    while end:
        quote = data.rfind(b'"', 0, end)
        if quotes % 2 == 0 and (feed := data.rfind(b"\n", quote + 1, end)) >= 0:
            return feed + 1
        end, quotes = max(quote, 0), quotes - 1
    return 0


def first_record(file: BinaryIO, most: int) -> bytes:
    """The first record of a file that stands at its start; the file then stands after it.

    Args:
        file: that is read.
        most: bytes of the record.

    Raises:
        EndlessRecord: it is longer, or there is no end to it.
    """
    record, quotes = bytearray(), 0
    while line := file.readline(most + 1):
        record += line
        quotes += line.count(b'"')
        is_complete = quotes % 2 == 0 and line.endswith(b"\n")
        if is_complete or len(record) > most:
            break
    if quotes % 2 or len(record) > most:
        raise EndlessRecord(bytes(record), 1)
    return bytes(record)


def records(block: bytes) -> Iterator[bytes]:
    """The records of a block, one by one, blank lines among them."""
    start = quotes = position = 0
    while (feed := block.find(b"\n", position)) >= 0:
        quotes += block.count(b'"', position, feed)
        position = feed + 1
        if quotes % 2 == 0:
            yield block[start:position]
            start, quotes = position, 0
    if start < len(block):
        yield block[start:]


def is_blank(record: bytes) -> bool:
    """Whether a record is a blank line, which is no row."""
    return not record.strip(b"\r\n")


def count_rows(block: bytes) -> int:
    """How many of its records are rows."""
    return sum(not is_blank(record) for record in records(block))


def after_rows(block: bytes, count: int) -> bytes:
    """What a block has from the row on that comes after so many."""
    start = 0
    for record in records(block):
        if not is_blank(record):
            if not count:
                break
            count -= 1
        start += len(record)
    return block[start:]
