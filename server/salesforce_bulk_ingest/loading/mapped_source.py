"""What goes out of a source: its very bytes where nothing is changed, rows written anew where a shape is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from salesforce_bulk_ingest.csvio.blocks import BLOCK_BYTES, blocks
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import Header
from salesforce_bulk_ingest.csvio.records import after_rows, count_rows
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.loading.mapping import AppliedMapping
from salesforce_bulk_ingest.loading.parts import RowPosition
from salesforce_bulk_ingest.loading.sources import RowSource, opened


@dataclass(frozen=True, slots=True)
class MappedBlock:
    """Rows of one block, before and after the shape.

    Attributes:
        place: where it begins.
        source: its bytes.
        text: those as text.
        given: the rows that the source has.
        sent: the rows that go out, one for each.
        data: those as bytes.
    """

    place: RowPosition
    source: bytes
    text: str
    given: ParsedBlock
    sent: ParsedBlock
    data: bytes


@dataclass(frozen=True, slots=True)
class SentChunk:
    """Bytes that go out.

    Attributes:
        data: those.
        source: what they are made of.
        line: of the source, on which that begins.
    """

    data: bytes
    source: bytes
    line: int


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A source as it goes out.

    Attributes:
        source: the rows.
        head: of the source.
        shaped: what is changed; None for nothing, and then the bytes are those of the source.
        dialect: that of the job.
    """

    source: RowSource
    head: Header
    shaped: AppliedMapping | None
    dialect: Dialect

    @property
    def names(self) -> Sequence[str]:
        """The columns that go out."""
        return self.head.names if self.shaped is None else self.shaped.header

    @property
    def header(self) -> bytes:
        """The record that begins each part, with its line end."""
        return self.head.record if self.shaped is None else csv_bytes([self.shaped.header], self.dialect)

    @property
    def first_row(self) -> RowPosition:
        """Where the rows begin."""
        return RowPosition(line=1 + self.head.lines)

    def pieces(self, file: BinaryIO, place: RowPosition | None = None) -> Iterator[MappedBlock]:
        """The rows, of a source that stands at this place, or at its first one.

        Raises:
            EndlessRecord: what follows is no CSV.
        """
        place = place or self.first_row
        width, start = len(self.head.names), place.source
        for block in blocks(file, place.line):
            # Bytes that are not UTF-8 go out as they came.
            text = block.data.decode(errors="surrogateescape")
            given = parse_block(text, self.head.dialect, width, block.first_line)
            sent, data = given, block.data
            if self.shaped is not None:
                sent = self.shaped.apply(given)
                data = csv_bytes(sent.rows, self.dialect)
            yield MappedBlock(RowPosition(start, line=block.first_line), block.data, text, given, sent, data)
            start += len(block.data)

    def rows_from(self, start: RowPosition) -> Iterator[SentChunk]:
        """What goes out from some row on, read anew from the source.

        Raises:
            InvalidArgument: it can't be read any more.
            EndlessRecord: it is no CSV any more.
        """
        with opened(self.source, self.dialect) as file:
            file.seek(self.head.size + start.source)
            yield from self._as_they_are(file, start) if self.shaped is None else self._shaped(file, start)

    def _as_they_are(self, file: BinaryIO, start: RowPosition) -> Iterator[SentChunk]:
        line = start.line + file.read(start.skipped).count(b"\n")
        while data := file.read(BLOCK_BYTES):
            yield SentChunk(data, data, line)
            line += data.count(b"\n")

    def _shaped(self, file: BinaryIO, start: RowPosition) -> Iterator[SentChunk]:
        skipped = start.skipped
        for piece in self.pieces(file, start):
            if skipped < len(piece.data):
                row = count_rows(piece.data[:skipped])
                source, line = piece.source, piece.place.line
                if row:
                    source, line = after_rows(source, row), piece.given.line_of(row)
                yield SentChunk(piece.data[skipped:], source, line)
            skipped = max(skipped - len(piece.data), 0)
