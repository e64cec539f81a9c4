"""What goes out is cut into parts that a job takes: between records, each part with the header."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES, EndlessRecord, count_rows, last_record_end, records
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, OutputChunk, RowPosition


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


@dataclass(frozen=True, slots=True)
class PartContent:
    """The bytes of one part.

    Attributes:
        part: the part, as it was planned.
        mapped_source: the source that the bytes are made of.
        version: the version of the source that was planned.
    """

    part: Part
    mapped_source: MappedSource
    version: object

    @property
    def size(self) -> int:
        """The number of bytes on the wire."""
        return self.part.size

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes on the wire."""
        return self.part.sha256

    @property
    def rows(self) -> int:
        """The number of rows that go out."""
        return self.part.rows

    def __iter__(self) -> Generator[bytes, None, None]:
        for chunk in self.chunks():
            yield chunk.data

    def chunks(self) -> Generator[OutputChunk, None, None]:
        """Read the part in chunks of at most 256 KiB, each with the bytes of the source that it was made of.

        The source of the last chunk may go on with rows of the next part. A chunk has no source where it is the header, or
        where the chunk before it has the source of both.

        The last chunk comes only after all bytes are known to be those that were planned, and the source to be the one
        that was planned. An upload of anything else breaks off, and is never ended as if it were whole.

        Raises:
            SourceChanged: the source has other rows by now.
        """
        digest, left, held = hashlib.sha256(), self.size, OutputChunk(b"", b"", 1)
        for chunk in self._source_chunks():
            if len(chunk.data) > left:
                chunk = replace(chunk, data=chunk.data[:left])
            digest.update(chunk.data)
            left -= len(chunk.data)
            if held.data:
                yield held
            held = chunk
            if not left:
                break
        if left or digest.hexdigest() != self.sha256 or self._has_changed():
            raise SourceChanged("The rows have changed since they were checked, so the upload was broken off.")
        yield held

    def _has_changed(self) -> bool:
        """Whether the source has another version: rows may have been added after those that were planned."""
        try:
            return self.mapped_source.source.version() != self.version
        except InvalidArgument:
            return True

    def _source_chunks(self) -> Generator[OutputChunk, None, None]:
        if self.mapped_source.output_header:
            yield OutputChunk(self.mapped_source.output_header, b"", 1)
        try:
            for chunk in self.mapped_source.output_from(self.part.start):
                yield replace(chunk, data=chunk.data[:BLOCK_BYTES])
                for start in range(BLOCK_BYTES, len(chunk.data), BLOCK_BYTES):
                    yield OutputChunk(chunk.data[start : start + BLOCK_BYTES], b"", chunk.line)
        except (EndlessRecord, InvalidArgument) as error:
            raise SourceChanged(f"The rows can't be read any more: {error}") from None
