"""What goes out is cut into parts that a job takes: between records, each part with the header."""

import hashlib
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.csvio.records import count_rows, last_record_end, records


@dataclass(frozen=True, slots=True)
class RowPosition:
    """Where to begin to read a source to get what goes out from some row on.

    Attributes:
        block_offset: the number of bytes between the header of the source and a block that holds the row.
        output_offset: the number of bytes that go out for the rows of this block that stand before the row.
        block_line: the line of the source on which the block begins; the header is on line 1.
    """

    block_offset: int = 0
    output_offset: int = 0
    block_line: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One upload.

    Attributes:
        number: the number of the part, from 1.
        start: the position of its first row.
        rows: the number of its rows.
        size: bytes on the wire, the header among them.
        sha256: SHA-256 of the bytes on the wire.
    """

    number: int
    start: RowPosition
    rows: int
    size: int
    sha256: str


class PartCutter:
    """Takes rows as bytes, and notes where to cut them.

    Args:
        header: the record that begins each part, with its line end.
        limit: the most bytes of a part.
        first: the position of the first row.
    """

    def __init__(self, header: bytes, limit: int, first: RowPosition) -> None:
        self._header = header
        self._limit = limit
        self._whole = hashlib.sha256(header)
        self._part = self._whole
        self._parts: list[Part] = []
        self._start = first
        self._in_parts = self._in_part = self._rows = 0

    def add(self, data: bytes, rows: int, block: RowPosition) -> list[int]:
        """Take the rows of one block.

        Args:
            data: whole records, blank lines among them.
            rows: the number of rows in the data.
            block: the position of the block that the rows were made of.

        Returns:
            The indexes of the rows that are too long for a part.
        """
        too_long: list[int] = []
        done, left = 0, data
        while len(left) > self._room:
            end = last_record_end(left[: self._room])
            if not end and self._in_part:
                self._close(replace(block, output_offset=len(data) - len(left)))
                continue
            if not end:
                end = len(next(records(left)))
                too_long.append(done)
            fitting = count_rows(left[:end])
            self._take(left[:end], fitting)
            done += fitting
            left = left[end:]
        self._take(left, rows - done)
        return too_long

    def finish(self) -> tuple[Part, ...]:
        """Return the parts after the last row; there is at least one."""
        if self._in_part or not self._parts:
            self._close(self._start)
        return tuple(self._parts)

    @property
    def size(self) -> int:
        """The number of bytes of all rows with one header."""
        return len(self._header) + self._in_parts + self._in_part

    @property
    def sha256(self) -> str:
        """The SHA-256 of all rows with one header."""
        return self._whole.hexdigest()

    @property
    def _room(self) -> int:
        return max(self._limit - len(self._header) - self._in_part, 0)

    def _take(self, data: bytes, rows: int) -> None:
        self._whole.update(data)
        if self._part is not self._whole:
            self._part.update(data)
        self._in_part += len(data)
        self._rows += rows

    def _close(self, next_start: RowPosition) -> None:
        size = len(self._header) + self._in_part
        self._parts.append(Part(len(self._parts) + 1, self._start, self._rows, size, self._part.hexdigest()))
        self._part = hashlib.sha256(self._header)
        self._start = next_start
        self._in_parts += self._in_part
        self._in_part = self._rows = 0
