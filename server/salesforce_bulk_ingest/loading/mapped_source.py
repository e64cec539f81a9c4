"""The bytes that are uploaded for a source: its own bytes, or its rows written anew where columns are mapped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Self

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import Header, read_header
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES, after_rows, blocks, count_rows
from salesforce_bulk_ingest.csvio.writer import block_bytes, csv_bytes
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, ColumnMapping, apply_mapping, check_hidden
from salesforce_bulk_ingest.loading.sources import RowSource, opened, read_errors
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.misfits import Misfit


@dataclass(frozen=True, slots=True)
class RowPosition:
    """The position from which a source is read, so that the upload begins at a certain row.

    Attributes:
        block_offset: the number of bytes between the header of the source and the block that holds the row.
        output_offset: the number of bytes that are uploaded for the rows of this block before the row.
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
        output_rows: the rows to upload, one for each row of the block.
        output_bytes: the bytes to upload for these rows.
    """

    position: RowPosition
    source_bytes: bytes
    source_text: str
    source_rows: ParsedBlock
    output_rows: ParsedBlock
    output_bytes: bytes


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """A chunk of the bytes to upload.

    Attributes:
        data: the bytes to upload.
        source: the bytes of the source that the chunk was made from.
        line: the line of the source on which these source bytes begin.
    """

    data: bytes
    source: bytes
    line: int


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A source of rows with the mapping and the dialect of its upload.

    Attributes:
        source: the source of the rows.
        header: the header of the source.
        mapping: the mapping of the columns; None if the bytes of the source are uploaded unchanged.
        dialect: the dialect of the job.
    """

    source: RowSource
    header: Header
    mapping: AppliedMapping | None
    dialect: Dialect

    @property
    def output_names(self) -> Sequence[str]:
        """The names of the uploaded columns."""
        return self.header.names if self.mapping is None else self.mapping.header

    @property
    def output_dialect(self) -> Dialect:
        """The dialect of the bytes to upload, which is not that of the job where rows go as they are and it is unlike."""
        return self.header.dialect if self.mapping is None else self.dialect

    @property
    def output_header(self) -> bytes:
        """The header record with which each part begins, with its line end."""
        return self.header.record if self.mapping is None else csv_bytes([self.mapping.header], self.dialect)

    @property
    def first_row(self) -> RowPosition:
        """The position of the first row."""
        return RowPosition(block_line=1 + self.header.lines)

    def read_blocks(self, file: BinaryIO, position: RowPosition | None = None) -> Iterator[MappedBlock]:
        """Yield the rows of the source in blocks.

        Args:
            file: the open file of the source; it stands at the position.
            position: the position of the first block to read; None for the first row.

        Raises:
            EndlessRecord: a record has no end.
        """
        position = position or self.first_row
        width, offset = len(self.header.names), position.block_offset
        for block in blocks(file, position.block_line):
            # With surrogateescape, bytes that are not UTF-8 are uploaded unchanged.
            text = block.data.decode(errors="surrogateescape")
            rows = parse_block(text, self.header.dialect, width, block.first_line)
            output_rows, output = rows, block.data
            if self.mapping is not None:
                output_rows = self.mapping.apply(rows)
                output = block_bytes(output_rows, self.dialect)
            at = RowPosition(offset, block_line=block.first_line)
            yield MappedBlock(at, block.data, text, rows, output_rows, output)
            offset += len(block.data)

    def misfits(self, block: MappedBlock) -> Iterator[tuple[str, Misfit]]:
        """Yield each cell of a block that does not fit the format of its column, see `AppliedMapping.misfits`."""
        if self.mapping is not None:
            yield from self.mapping.misfits(block.source_rows, block.output_rows)

    def output_from(self, start: RowPosition) -> Iterator[OutputChunk]:
        """Open the source anew, and yield the bytes to upload from a certain row on.

        Raises:
            InvalidArgument: the source can no longer be read.
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
    """An open source whose header has been read, to make one plan from; a context manager that closes the file.

    Attributes:
        file: the open file of the source; it stands at the first row.
        mapped_source: the source with its mapping; its header is empty if the header can't be read.
        requested_mapping: the mapping that the caller asks for.
        version: the version of the source when it was opened, see `RowSource.version`.
        unreadable: the reason why the header can't be read; None if the header was read.
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
        mapping: the mapping that the caller asks for.
        destination: the job; its describes are not used.

    Raises:
        InvalidArgument: the source can't be read, or the mapping does not fit its header.
        RefusedByPolicy: the mapping would show hidden cells.
        TooLarge: see `RowSource.open`.
    """
    version = source.version()
    with read_errors():
        file = source.open(destination.dialect())
        try:
            header = read_header(file, destination.delimiter, destination.line_ending)
            applied = apply_mapping(mapping, header.names) if mapping else None
            if applied is not None:
                check_hidden(applied, header.names, destination.hidden)
        except Unreadable as error:
            # A copy without traceback and context, which would keep the bytes that were read in memory.
            unreadable = Unreadable(error.what, error.do, error.line, error.encoding)
            return UploadSource(file, unread(source, destination), mapping, version, unreadable)
        except BaseException:
            file.close()
            raise
    return UploadSource(
        file, MappedSource(source, header, applied, destination.dialect(header.dialect)), mapping, version
    )


def unread(source: RowSource, destination: Destination) -> MappedSource:
    """Return the source without header and mapping, so that all of its bytes are uploaded unchanged."""
    dialect = destination.dialect()
    return MappedSource(source, Header(b"", b"", (), dialect), None, dialect)
