"""Cutting what goes out into parts that a job takes: between records, each with the header."""

import hashlib
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.csvio.records import count_rows, last_record_end, records


@dataclass(frozen=True, slots=True)
class RowPosition:
    """Where to begin to read a source for what goes out from some row on.

    Attributes:
        source: bytes of the source after its header, up to a block that holds the row.
        skipped: bytes of what goes out from there on that are before the row.
        line: of the source, on which that block begins; the header is line 1.
    """

    source: int = 0
    skipped: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One upload of its own.

    Attributes:
        number: from 1.
        start: where its rows begin.
        rows: how many.
        size: bytes on the wire, the header among them.
        sha256: of those.
    """

    number: int
    start: RowPosition
    rows: int
    size: int
    sha256: str


class PartCutter:
    """Takes rows as bytes and notes where to cut them.

    Args:
        header: the record that begins each part, with its line end.
        limit: bytes of a part.
        first: where the first row begins.
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
        """Whole records.

        Args:
            data: their bytes, blank lines among them.
            rows: how many they are.
            block: where that begins which they were made from.

        Returns:
            Which of the rows are too long for a part, by their number among these.
        """
        too_long: list[int] = []
        done, left = 0, data
        while len(left) > self._room:
            end = last_record_end(left[: self._room])
            if not end and self._in_part:
                self._close(replace(block, skipped=len(data) - len(left)))
                continue
            if not end:
                end = len(next(records(left)))
                too_long.append(done)
            piece_rows = count_rows(left[:end])
            self._take(left[:end], piece_rows)
            done += piece_rows
            left = left[end:]
        self._take(left, rows - done)
        return too_long

    def finish(self) -> tuple[Part, ...]:
        """After the last row: the parts, at least one."""
        if self._in_part or not self._parts:
            self._close(self._start)
        return tuple(self._parts)

    @property
    def size(self) -> int:
        """Bytes of everything with one header."""
        return len(self._header) + self._in_parts + self._in_part

    @property
    def sha256(self) -> str:
        """Of everything with one header."""
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
