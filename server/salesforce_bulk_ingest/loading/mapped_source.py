"""A source as it goes out: its very bytes if nothing is changed, or its rows written anew if columns are mapped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Self

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import Header, read_header
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES, after_rows, blocks, count_rows
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, ColumnMapping, apply_mapping
from salesforce_bulk_ingest.loading.sources import RowSource, opened, read_errors
from salesforce_bulk_ingest.validation.destination import Destination


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
class MappedBlock:
    """The rows of one block, before and after the mapping.

    Attributes:
        position: the position of the block in the source.
        source_bytes: the bytes of the block.
        source_text: the bytes of the block as text.
        source_rows: the rows of the block.
        output_rows: the rows that go out, one for each row of the block.
        output_bytes: the bytes that go out.
    """

    position: RowPosition
    source_bytes: bytes
    source_text: str
    source_rows: ParsedBlock
    output_rows: ParsedBlock
    output_bytes: bytes


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """Bytes that go out.

    Attributes:
        data: the bytes that go out.
        source: the bytes of the source that they were made of.
        line: the line of the source on which these begin.
    """

    data: bytes
    source: bytes
    line: int


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A source as it goes out.

    Attributes:
        source: the source of the rows.
        header: the header of the source.
        mapping: the changes on the way; None for no change, and then the bytes of the source go out.
        dialect: the dialect of the job.
    """

    source: RowSource
    header: Header
    mapping: AppliedMapping | None
    dialect: Dialect

    @property
    def output_names(self) -> Sequence[str]:
        """The names of the columns that go out."""
        return self.header.names if self.mapping is None else self.mapping.header

    @property
    def output_header(self) -> bytes:
        """The record that begins each part, with its line end."""
        return self.header.record if self.mapping is None else csv_bytes([self.mapping.header], self.dialect)

    @property
    def first_row(self) -> RowPosition:
        """The position of the first row."""
        return RowPosition(block_line=1 + self.header.lines)

    def read_blocks(self, file: BinaryIO, position: RowPosition | None = None) -> Iterator[MappedBlock]:
        """Read the rows of the source in blocks.

        Args:
            file: the source; it stands at the position.
            position: the position of a block; None is the first row.

        Raises:
            EndlessRecord: a record has no end.
        """
        position = position or self.first_row
        width, offset = len(self.header.names), position.block_offset
        for block in blocks(file, position.block_line):
            # Bytes that are not UTF-8 go out as they came.
            text = block.data.decode(errors="surrogateescape")
            rows = parse_block(text, self.header.dialect, width, block.first_line)
            output_rows, output = rows, block.data
            if self.mapping is not None:
                output_rows = self.mapping.apply(rows)
                output = csv_bytes(output_rows.rows, self.dialect)
            at = RowPosition(offset, block_line=block.first_line)
            yield MappedBlock(at, block.data, text, rows, output_rows, output)
            offset += len(block.data)

    def output_from(self, start: RowPosition) -> Iterator[OutputChunk]:
        """Read the source anew, and return what goes out from some row on.

        Raises:
            InvalidArgument: the source can't be read any more.
            EndlessRecord: a record has no end.
        """
        with opened(self.source, self.dialect) as file:
            file.seek(self.header.size + start.block_offset)
            yield from self._unchanged(file, start) if self.mapping is None else self._mapped(file, start)

    def _unchanged(self, file: BinaryIO, start: RowPosition) -> Iterator[OutputChunk]:
        line = start.block_line + file.read(start.output_offset).count(b"\n")
        while data := file.read(BLOCK_BYTES):
            yield OutputChunk(data, data, line)
            line += data.count(b"\n")

    def _mapped(self, file: BinaryIO, start: RowPosition) -> Iterator[OutputChunk]:
        skipped = start.output_offset
        for block in self.read_blocks(file, start):
            if skipped < len(block.output_bytes):
                row = count_rows(block.output_bytes[:skipped])
                source, line = block.source_bytes, block.position.block_line
                if row:
                    source, line = after_rows(source, row), block.source_rows.line_of(row)
                yield OutputChunk(block.output_bytes[skipped:], source, line)
            skipped = max(skipped - len(block.output_bytes), 0)


@dataclass(frozen=True, slots=True)
class UploadSource:
    """A source that stands at its first row, so that one plan can read on; a context that closes the source.

    Attributes:
        file: the source.
        mapped_source: the source as it goes out; without a header if that can't be read.
        requested_mapping: the changes that the caller asks for.
        version: the version of the source.
        unreadable: why the header can't be read; None if it can.
    """

    file: BinaryIO
    mapped_source: MappedSource
    requested_mapping: ColumnMapping
    version: object
    unreadable: Unreadable | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def open_upload_source(source: RowSource, mapping: ColumnMapping, destination: Destination) -> UploadSource:
    """Open a source, and read its header.

    Args:
        source: the source of the rows.
        mapping: the changes on the way.
        destination: the job; its describes are not needed.

    Raises:
        InvalidArgument: the source can't be read, or the mapping does not fit its header.
        TooLarge: see `RowSource.open`.
    """
    version = source.version()
    with read_errors():
        file = source.open(destination.dialect())
        try:
            header = read_header(file, destination.delimiter, destination.line_ending)
            applied = apply_mapping(mapping, header.names) if mapping else None
        except Unreadable as error:
            # A copy: the error itself holds the bytes that were read.
            unreadable = Unreadable(error.what, error.do, error.line)
            return UploadSource(file, unread(source, destination), mapping, version, unreadable)
        except BaseException:
            file.close()
            raise
    return UploadSource(
        file, MappedSource(source, header, applied, destination.dialect(header.dialect)), mapping, version
    )


def unread(source: RowSource, destination: Destination) -> MappedSource:
    """Return a source of which nothing is known: all of its bytes go out."""
    dialect = destination.dialect()
    return MappedSource(source, Header(b"", b"", (), dialect), None, dialect)
