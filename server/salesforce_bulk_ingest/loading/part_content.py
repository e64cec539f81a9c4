"""The bytes of one part, read anew from the source for its upload."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, OutputChunk
from salesforce_bulk_ingest.loading.parts import Part
from salesforce_bulk_ingest.loading.plan import Plan


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


def part_content(plan: Plan, number: int) -> PartContent:
    """Return the content of one part of a plan.

    Args:
        plan: the plan.
        number: the number of the part, from 1.

    Raises:
        InvalidArgument: there is no part with this number.
    """
    if not 1 <= number <= len(plan.parts):
        raise InvalidArgument(f"There is no part {number}: there are {len(plan.parts)}.")
    return PartContent(plan.parts[number - 1], plan.mapped_source, plan.version)
