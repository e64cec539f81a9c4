"""CSV by record, from a stream of bytes.

A line break inside quotes belongs to its cell, and so do characters that only Python takes for line ends (U+2028,
form feed): records are cut at a line feed outside quotes and nowhere else.
"""

import csv
from collections.abc import Iterable, Sequence

LONGEST_RECORD_BYTES = 4 * 1024 * 1024
"""Ten times the API's 400,000 characters a record: past that, a quote is unbalanced and lines are taken singly."""


class RecordSplitter:
    """Cuts chunks into records: `feed` each chunk, then `flush`.

    Args:
        keep_blank: give blank lines, which are no records, all the same, so that nothing of the chunks is left out.
    """

    def __init__(self, *, keep_blank: bool = False) -> None:
        self._keep_blank = keep_blank
        self._open_line: list[bytes] = []
        self._open_line_bytes = 0
        self._open_record: list[bytes] = []
        self._open_bytes = 0
        self._in_quotes = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The records that this chunk completes, each with its line end."""
        first, *others = chunk.split(b"\n")
        self._open_line.append(first)
        self._open_line_bytes += len(first)
        records: list[bytes] = []
        if others:
            self._take(b"".join(self._open_line) + b"\n", records)
            self._take_lines(others[:-1], records)
            self._open_line, self._open_line_bytes = [others[-1]], len(others[-1])
        if self._open_line_bytes > LONGEST_RECORD_BYTES:
            self._take(b"".join(self._open_line), records)
            self._close(records)
            self._open_line, self._open_line_bytes = [], 0
        return records

    def flush(self) -> list[bytes]:
        """What is left at the end of the stream; the last record needs no line end."""
        records: list[bytes] = []
        if self._open_line_bytes:
            self._take(b"".join(self._open_line), records)
        if self._open_bytes:
            self._close(records)
        self._open_line, self._open_line_bytes = [], 0
        return records

    def _take_lines(self, lines: list[bytes], records: list[bytes]) -> None:
        for line in lines:
            # Most lines are records by themselves, and need no more of a look.
            if self._open_record or line.count(b'"') % 2 == 1:
                self._take(line + b"\n", records)
            elif self._keep_blank or not is_blank(line):
                records.append(line + b"\n")

    def _take(self, line: bytes, records: list[bytes]) -> None:
        self._open_record.append(line)
        self._open_bytes += len(line)
        self._in_quotes ^= line.count(b'"') % 2 == 1
        if not self._in_quotes or self._open_bytes > LONGEST_RECORD_BYTES:
            self._close(records)

    def _close(self, records: list[bytes]) -> None:
        record = b"".join(self._open_record)
        if self._keep_blank or not is_blank(record):
            records.append(record)
        self._open_record, self._open_bytes, self._in_quotes = [], 0, False


def is_blank(record: bytes) -> bool:
    """Whether it is a blank line, which is no record."""
    return not record.strip(b"\r\n")


def parse_record(record: bytes, delimiter: str) -> tuple[str, ...]:
    """The cells of one record; a malformed one, as unprocessed rows can be, is a single cell with its text."""
    text = record.decode("utf-8", "replace")
    try:
        # One string, not a file: a file would end the record at a carriage return too.
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return (text.rstrip("\r\n"),)
    return tuple(cells)


def parse_records(records: Sequence[bytes], delimiter: str) -> list[tuple[str, ...]]:
    """The cells of each record as `parse_record` gives them, in less time than one by one."""
    texts = [record.decode("utf-8", "replace") for record in records]
    try:
        rows = list(map(tuple, csv.reader(texts, delimiter=delimiter, strict=True)))
    except csv.Error:
        rows = []
    if len(rows) == len(records):
        return rows
    # A malformed one ended it, or took those that follow for a part of its cell.
    return [parse_record(record, delimiter) for record in records]


def format_records(records: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """Lines of CSV, each ended by a line feed; quoted only where it must be."""
    lines = _Lines()
    # The writer quotes the characters of its line end: a lone carriage return must not go out bare either.
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n").writerows(records)
    return "".join([line[:-2] + "\n" for line in lines])


def format_record(cells: Sequence[str], delimiter: str = ",") -> str:
    """One line of CSV."""
    return format_records([cells], delimiter)


class _Lines(list[str]):
    """What a writer writes, line by line."""

    def write(self, line: str) -> None:
        self.append(line)
