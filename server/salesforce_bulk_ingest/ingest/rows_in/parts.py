"""Cutting what goes out into parts that a job takes: between records, each with the header."""

import hashlib
from dataclasses import dataclass

from salesforce_bulk_ingest.ingest.rows_in.blocks import is_blank, last_record_end, records


@dataclass(frozen=True, slots=True)
class Part:
    """One upload of its own.

    Attributes:
        number: from 1.
        start: where its rows begin in the rows of all parts, in bytes.
        end: where they end.
        rows: how many.
        size: bytes on the wire, the header among them.
        sha256: of those.
    """

    number: int
    start: int
    end: int
    rows: int
    size: int
    sha256: str


class Cutter:
    """Takes rows as bytes and notes where to cut them.

    Args:
        header: the record that begins each part, with its line end.
        limit: bytes of a part.
    """

    def __init__(self, header: bytes, limit: int) -> None:
        self._header = header
        self._limit = limit
        self._whole = hashlib.sha256(header)
        self._part = self._whole
        self._parts: list[Part] = []
        self._start = self._end = self._rows = 0

    def add(self, data: bytes, rows: int) -> list[int]:
        """Whole records: so many rows, and blank lines.

        Returns:
            Which of the rows are too long for a part, by their number among these.
        """
        too_long: list[int] = []
        done = 0
        while len(data) > self._room:
            end = last_record_end(data[: self._room])
            if not end and self._end > self._start:
                self._close()
                continue
            if not end:
                end = len(next(records(data)))
                too_long.append(done)
            piece_rows = _count_rows(data[:end])
            self._take(data[:end], piece_rows)
            done += piece_rows
            data = data[end:]
        self._take(data, rows - done)
        return too_long

    def finish(self) -> tuple[Part, ...]:
        """After the last row: the parts, at least one."""
        if self._end > self._start or not self._parts:
            self._close()
        return tuple(self._parts)

    @property
    def size(self) -> int:
        """Bytes of everything with one header."""
        return len(self._header) + self._end

    @property
    def sha256(self) -> str:
        """Of everything with one header."""
        return self._whole.hexdigest()

    @property
    def _room(self) -> int:
        return max(self._limit - len(self._header) - (self._end - self._start), 0)

    def _take(self, data: bytes, rows: int) -> None:
        self._whole.update(data)
        if self._part is not self._whole:
            self._part.update(data)
        self._end += len(data)
        self._rows += rows

    def _close(self) -> None:
        size = len(self._header) + self._end - self._start
        number = len(self._parts) + 1
        self._parts.append(Part(number, self._start, self._end, self._rows, size, self._part.hexdigest()))
        self._part = hashlib.sha256(self._header)
        self._start, self._rows = self._end, 0


def _count_rows(data: bytes) -> int:
    return sum(not is_blank(record) for record in records(data))
