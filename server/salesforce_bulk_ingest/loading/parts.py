"""The cutting of an upload into parts that are small enough for a job: between records, each part with the header."""

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES, Block, EndlessRecord, count_rows, last_record_end, records
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, OutputChunk, RowPosition
from salesforce_bulk_ingest.loading.row_sketch import RowSketch, RowSketcher


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload, for a job of its own.

    Attributes:
        number: the number of the part, from 1.
        start: the position of the part's first row in the source.
        rows: the number of rows.
        size: the number of bytes on the wire, including the header.
        sha256: SHA-256 of the bytes on the wire.
        sketch: the sketch of the rows; None where none was asked for.
    """

    number: int
    start: RowPosition
    rows: int
    size: int
    sha256: str
    sketch: RowSketch | None = field(default=None, repr=False)


class PartCutter:
    """The cutter of rows into parts: it gets the bytes of all rows, block by block, and finds where each part ends.

    Args:
        header: the record that begins each part, with its line end.
        limit: the maximum number of bytes of a part.
        first: the position of the first row in the source.
        new_sketcher: returns what makes the sketch of the rows of one part; None for parts without a sketch.
    """

    def __init__(
        self,
        header: bytes,
        limit: int,
        first: RowPosition,
        new_sketcher: Callable[[], RowSketcher] | None = None,
    ) -> None:
        self._header = header
        self._limit = limit
        self._whole = hashlib.sha256(header)
        self._part = self._whole
        self._parts: list[Part] = []
        self._start = first
        self._new_sketcher = new_sketcher
        self._sketcher = new_sketcher and new_sketcher()
        self._in_parts = self._in_part = self._rows = 0

    def add(self, block: Block, rows: int, position: RowPosition) -> list[int]:
        """Add the rows of one block.

        Args:
            block: the bytes of whole records, including blank lines.
            rows: the number of rows in the block.
            position: the position of the block that the rows were made from.

        Returns:
            The indexes, within the block, of the rows that are too long for a part.
        """
        too_long: list[int] = []
        done, left = 0, block
        while len(left.data) > self._room:
            end = last_record_end(left.data[: self._room])
            if not end and self._in_part:
                self._close(replace(position, output_offset=len(block.data) - len(left.data)))
                continue
            if not end:
                end = len(next(records(left.data)))
                too_long.append(done)
            fitting = count_rows(left.data[:end])
            self._append(Block(left.data[:end]), fitting)
            done += fitting
            left = Block(left.data[end:])
        self._append(left, rows - done)
        return too_long

    def finish(self) -> tuple[Part, ...]:
        """Return all parts after the last row was added; there is at least one part."""
        if self._in_part or not self._parts:
            self._close(self._start)
        return tuple(self._parts)

    @property
    def size(self) -> int:
        """The number of bytes of all rows together with one header."""
        return len(self._header) + self._in_parts + self._in_part

    @property
    def sha256(self) -> str:
        """The SHA-256 of all rows together with one header."""
        return self._whole.hexdigest()

    @property
    def _room(self) -> int:
        return max(self._limit - len(self._header) - self._in_part, 0)

    def _append(self, block: Block, rows: int) -> None:
        self._whole.update(block.data)
        if self._part is not self._whole:
            self._part.update(block.data)
        if self._sketcher is not None:
            self._sketcher.add(block, rows)
        self._in_part += len(block.data)
        self._rows += rows

    def _close(self, next_start: RowPosition) -> None:
        size = len(self._header) + self._in_part
        sketch = None if self._sketcher is None else self._sketcher.finish()
        self._parts.append(Part(len(self._parts) + 1, self._start, self._rows, size, self._part.hexdigest(), sketch))
        self._sketcher = self._new_sketcher and self._new_sketcher()
        self._part = hashlib.sha256(self._header)
        self._start = next_start
        self._in_parts += self._in_part
        self._in_part = self._rows = 0


@dataclass(frozen=True, slots=True)
class PartContent:
    """The content of one part, which is read anew from the source by each iteration over its bytes.

    Attributes:
        part: the part as it was planned.
        mapped_source: the source that the bytes are made from.
        version: the version of the source for which the part was planned.
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
        """The number of rows of the part."""
        return self.part.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the part."""
        return tuple(self.mapped_source.output_names)

    def __iter__(self) -> Generator[bytes, None, None]:
        for chunk in self.chunks():
            yield chunk.data

    def chunks(self) -> Generator[OutputChunk, None, None]:
        """Yield the part in chunks of at most 256 KiB, each with the bytes of the source that the chunk was made from.

        The source bytes of the last chunk may include rows of the next part. The source bytes are empty for the header,
        and for a chunk whose source bytes are already in the chunk before.

        The last chunk is yielded only if the SHA-256 of the part and the version of the source are the planned ones:
        an upload of changed rows breaks off, and never ends as if it were complete.

        Raises:
            SourceChanged: the rows of the source are no longer the planned ones.
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
        """Return whether the source has another version than the planned one: rows may have been appended to it."""
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
