"""Where rows begin in a file of CSV, so that any page costs the reading of that page."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Self

from pydantic import BaseModel, NonNegativeInt

from salesforce_bulk_ingest.csvio.records import RecordSplitter, is_blank

STEP = 64
"""Rows between two that the index knows: few enough to be skipped in no time, many enough to keep the index small."""

CHUNK_BYTES = 1 << 16
"""Read at once: few reads for a page of many rows, and little in vain for one of few."""


class _StoredIndex(BaseModel):
    """What an index says of its file before the places."""

    size: NonNegativeInt
    rows: NonNegativeInt
    header: NonNegativeInt


@dataclass(frozen=True, slots=True)
class RowIndex:
    """The places of the rows of one file.

    Attributes:
        size: bytes of the file.
        rows: records after the header.
        header: the first record as it stands; empty in an empty file.
        starts: bytes before every STEP-th row, from the first one on.
    """

    size: int
    rows: int
    header: bytes
    starts: "array[int]"

    def write(self, file: BinaryIO) -> None:
        """Store it: a line of JSON, the header, the places."""
        told = _StoredIndex(size=self.size, rows=self.rows, header=len(self.header))
        file.write(told.model_dump_json().encode() + b"\n" + self.header)
        self.starts.tofile(file)

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """One that was stored.

        Raises:
            ValueError: it is none, or another program's.
        """
        told = _StoredIndex.model_validate_json(file.readline())
        header, starts = file.read(told.header), array("Q")
        starts.frombytes(file.read())
        if len(starts) != -(-told.rows // STEP):
            raise ValueError("the index is not whole")
        return cls(told.size, told.rows, header, starts)

    def records(self, file: BinaryIO, row: int) -> Iterator[bytes]:
        """The records from a row on, as they stand in the file that this is the index of.

        Args:
            file: opened to be read.
            row: how many rows to leave out.
        """
        return chain.from_iterable(self.batches(file, row))

    def batches(self, file: BinaryIO, row: int) -> Iterator[list[bytes]]:
        """The same records, one or more at once: as many as are found together."""
        first, skipped = divmod(row, STEP)
        for place in range(first, len(self.starts)):
            for records in self._between(file, place):
                if batch := records[skipped:]:
                    yield batch
                skipped = max(skipped - len(records), 0)

    def _between(self, file: BinaryIO, place: int) -> Iterator[list[bytes]]:
        """The records between this place and the next."""
        start = self.starts[place]
        left = (self.starts[place + 1] if place + 1 < len(self.starts) else self.size) - start
        file.seek(start)
        if left <= CHUNK_BYTES:
            lines = file.read(left).splitlines(keepends=True)
            if len(lines) == min(STEP, self.rows - place * STEP):
                # As many lines as rows: no row has a line break in it, and no line is blank.
                yield lines
                return
            file.seek(start)
        splitter = RecordSplitter()
        while chunk := file.read(min(left, CHUNK_BYTES)):
            left -= len(chunk)
            yield splitter.feed(chunk)
        yield splitter.flush()


class IndexBuilder:
    """Makes the index of a file from its bytes as they come.

    Attributes:
        header: the first record, once it is there.
    """

    def __init__(self) -> None:
        self._splitter = RecordSplitter(keep_blank=True)
        self.header = b""
        self._starts = array("Q")
        self._rows = self._size = 0

    def add(self, chunk: bytes) -> list[bytes]:
        """More bytes.

        Returns:
            The rows that they complete.
        """
        return self._take(self._splitter.feed(chunk))

    def finish(self) -> tuple[RowIndex, list[bytes]]:
        """After the last byte: the index, and the last row where it has no line end."""
        rows = self._take(self._splitter.flush())
        return RowIndex(self._size, self._rows, self.header, self._starts), rows

    def _take(self, records: list[bytes]) -> list[bytes]:
        rows: list[bytes] = []
        for record in records:
            if not is_blank(record):
                if not self.header:
                    self.header = record
                else:
                    if self._rows % STEP == 0:
                        self._starts.append(self._size)
                    self._rows += 1
                    rows.append(record)
            self._size += len(record)
        return rows
