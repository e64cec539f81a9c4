"""An index of the rows of a CSV file, with which a page of rows is read without the rows before it."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat
from operator import itemgetter
from typing import BinaryIO, Self

from pydantic import BaseModel, NonNegativeInt

from salesforce_bulk_ingest.csvio.records import RecordSplitter, is_blank

STEP = 64
"""The number of rows for each entry of the index: few enough to be skipped in no time, many enough to keep the index
small."""

CHUNK_BYTES = 1 << 16
"""The number of bytes that are read at once: few reads for a page of many rows, and little waste for a short page."""


class _StoredIndex(BaseModel):
    """The first line of a stored index: the size of the file, and the sizes of the index's parts after this line."""

    size: NonNegativeInt
    rows: NonNegativeInt
    header: NonNegativeInt


@dataclass(frozen=True, slots=True)
class RowIndex:
    """The positions of the rows of one file.

    Attributes:
        size: the number of bytes of the file.
        rows: the number of records after the header.
        header: the bytes of the first record; empty for an empty file.
        starts: the number of bytes before every STEP-th row, beginning with the first row.
    """

    size: int
    rows: int
    header: bytes
    starts: "array[int]"

    def write(self, file: BinaryIO) -> None:
        """Write the index to a file: a line of JSON, the header, the positions."""
        stored = _StoredIndex(size=self.size, rows=self.rows, header=len(self.header))
        file.write(stored.model_dump_json().encode() + b"\n" + self.header)
        self.starts.tofile(file)

    @classmethod
    def read(cls, file: BinaryIO) -> Self:
        """Return the index that `write` stored in a file.

        Raises:
            ValueError: the file holds no index, or only a part of an index.
        """
        stored = _StoredIndex.model_validate_json(file.readline())
        header, starts = file.read(stored.header), array("Q")
        starts.frombytes(file.read())
        if len(starts) != -(-stored.rows // STEP):
            raise ValueError("the index is not whole")
        return cls(stored.size, stored.rows, header, starts)

    def without_last_row(self, start: int) -> Self:
        """Return the index of the file without its last row, which begins after this many bytes."""
        rows = self.rows - 1
        return replace(self, size=start, rows=rows, starts=self.starts[: -(-rows // STEP)])

    def records(self, file: BinaryIO, row: int) -> Iterator[bytes]:
        """Return the records from a row on, unchanged.

        Args:
            file: the file of this index.
            row: the number of rows to skip.
        """
        return chain.from_iterable(run.records for run in self.runs(file, row))

    def runs(self, file: BinaryIO, row: int) -> Iterator["RecordRun"]:
        """Yield the records that `records` returns in runs, one for each read; no run is empty."""
        first, skipped = divmod(row, STEP)
        for entry in range(first, len(self.starts)):
            for run in self._between(file, entry):
                remaining = run.after(skipped)
                if len(remaining):
                    yield remaining
                skipped = max(skipped - len(run), 0)

    def _between(self, file: BinaryIO, entry: int) -> Iterator["RecordRun"]:
        """Yield the records from an entry of the index to the next entry, in runs."""
        start = self.starts[entry]
        left = (self.starts[entry + 1] if entry + 1 < len(self.starts) else self.size) - start
        file.seek(start)
        if left <= CHUNK_BYTES:
            yield RecordRun(file.read(left), min(STEP, self.rows - entry * STEP))
            return
        splitter = RecordSplitter()
        while chunk := file.read(min(left, CHUNK_BYTES)):
            left -= len(chunk)
            yield RecordRun.of(splitter.feed(chunk))
        yield RecordRun.of(splitter.flush())


class RecordRun:
    """Consecutive records of a file, which are split only where they are needed one by one.

    Args:
        data: the bytes of the records, and of blank lines between them.
        count: the number of records.

    Attributes:
        data: the bytes.
    """

    def __init__(self, data: bytes, count: int) -> None:
        self.data = data
        self._count = count

    @classmethod
    def of(cls, records: list[bytes]) -> Self:
        """Return the run of some records."""
        run = cls(b"".join(records), len(records))
        run.records = records
        return run

    def __len__(self) -> int:
        return self._count

    @cached_property
    def records(self) -> list[bytes]:
        """The records, each with its line end, without blank lines."""
        split = _split(self.data, self._count)
        if split is None:
            splitter = RecordSplitter()
            split = splitter.feed(self.data) + splitter.flush()
        return split

    def after(self, count: int) -> Self:
        """Return the run without its first records."""
        return self.of(self.records[count:]) if count else self


def _split(data: bytes, rows: int) -> list[bytes] | None:
    """Return the records of some bytes, or None where splitting does not prove that it finds these.

    Args:
        data: the bytes of whole records.
        rows: the number of records that are not blank.
    """
    if data.count(b"\n") <= rows:
        lines = data.splitlines(keepends=True)
        if len(lines) == rows:  # no row has a line break in it, and no line is blank
            return lines
    end = b'"\r\n' if data.endswith(b'"\r\n') else b'"\n'
    *parts, rest = data.split(end)
    if rest or len(parts) != rows:
        return None
    # An odd number of quotes before that of each end makes it the end of a record; and of no other are there so many.
    are_odd = map((1).__and__, map(bytes.count, parts, repeat(b'"')))
    if not all(are_odd) or not _LINE_ENDS.isdisjoint(map(itemgetter(0), parts)):
        return None
    return [part + end for part in parts]


_LINE_ENDS = frozenset(b"\r\n")
"""The first bytes of a blank line."""


class IndexBuilder:
    """A builder of the index of a file from chunks of the file's bytes.

    Attributes:
        header: the first record; empty until the whole record has been added.
        last_record_start: the number of bytes before the last record that is not blank.
    """

    def __init__(self) -> None:
        self._splitter = RecordSplitter(keep_blank=True)
        self._last = b""
        self.header = b""
        self._starts = array("Q")
        self._rows = self._size = self.last_record_start = 0

    def add(self, chunk: bytes) -> list[bytes]:
        """Add the next chunk, and return the rows that end in the chunk."""
        return self._indexed_rows(self._splitter.feed(chunk))

    def finish(self) -> tuple[RowIndex, list[bytes]]:
        """Return the finished index, and the last row in a list if the row has no line end."""
        rows = self._indexed_rows(self._splitter.flush())
        return RowIndex(self._size, self._rows, self.header, self._starts), rows

    @property
    def last_record(self) -> bytes:
        """The last record that is not blank; the header, or nothing, where no row has been added."""
        return self._last

    def _indexed_rows(self, records: list[bytes]) -> list[bytes]:
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
                self._last, self.last_record_start = record, self._size
            self._size += len(record)
        return rows
