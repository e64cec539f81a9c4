"""The bytes that are uploaded for a source: its own bytes, or its rows written anew where columns are mapped."""

import io
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, Self

from salesforce_bulk_ingest.base.errors import InvalidArgument, OutOfBounds
from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.cells import ParsedBlock, parse_block
from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import Header, read_header
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES, Block, blocks, count_rows
from salesforce_bulk_ingest.csvio.writer import block_bytes, csv_bytes
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, ColumnMapping, apply_mapping, check_hidden
from salesforce_bulk_ingest.loading.row_filter import (
    KEEPS_ALL,
    NO_LINES,
    CountedLines,
    LeftOut,
    RowFilter,
    check_no_guessing,
    conditions_of,
)
from salesforce_bulk_ingest.loading.sources import Records, RowSource, encoding_of, opened, read_errors
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.file import has_undecoded, undecoded
from salesforce_bulk_ingest.validation.misfits import Misfit
from salesforce_bulk_ingest.validation.not_rows import FIRST_ROW, Kind, NotRowFinder, NotRows, RowState


@dataclass(frozen=True, slots=True)
class RowPosition:
    """The position from which a source is read, so that the upload begins at a certain row.

    Attributes:
        block_offset: the number of bytes between the header of the source and the block that holds the row.
        output_offset: the number of bytes that are uploaded for the rows of this block before the row.
        block_line: the line of the source on which the block begins; the header is on line 1.
        state: what the rows before the block tell about its first rows.
    """

    block_offset: int = 0
    output_offset: int = 0
    block_line: int = 1
    state: RowState = FIRST_ROW


@dataclass(frozen=True, slots=True)
class MappedBlock:
    """The rows of one block, before and after the mapping.

    Attributes:
        position: the position of the block in the source.
        source_text: the text of the block, with blank lines in place of the rows that are left out.
        row_count: the number of rows of the block.
        uploaded: the index of each row that is uploaded, among all rows.
        source_rows: the rows that are uploaded, as the source has them.
        output_rows: the rows to upload, one for each of these.
        output: the bytes to upload for these rows.
        left_out: which rows are left out.
        all_text: the text of the block, with the rows that are left out.
        all_rows: its rows, with those that are left out, but without what is no row.
        used_ranges: the ranges of lines on which rows begin, as the caller writes them.
        not_rows: the kind of what is no row and is not left out, by its line.
    """

    position: RowPosition
    source_text: str
    row_count: int
    uploaded: Sequence[int]
    source_rows: ParsedBlock
    output_rows: ParsedBlock
    output: Block
    left_out: LeftOut
    all_text: str
    all_rows: ParsedBlock
    used_ranges: frozenset[str]
    not_rows: Mapping[int, Kind]

    def without_not_rows(self) -> Self:
        """Return the block without the rows that were found to be none, in its rows alone."""
        if not self.not_rows:
            return self
        kept = [row for row, line in enumerate(self.source_rows.lines) if line not in self.not_rows]
        source_rows, output_rows = self.source_rows.select(kept), self.output_rows.select(kept)
        return replace(self, not_rows={}, source_rows=source_rows, output_rows=output_rows)

    def source_from(self, row: int) -> tuple[bytes, int]:
        """Return the bytes of `source_text` from a row on, and the line of the source on which they begin.

        Args:
            row: the index of the row among those that are uploaded; 0 for the whole block.
        """
        first_line = self.position.block_line
        line = self.source_rows.line_of(row) if row else first_line
        text = self.source_text.split("\n", line - first_line)[-1]
        return text.encode(errors="surrogateescape"), line


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
        mapping: the mapping of the columns; None if the bytes of the source are uploaded unchanged. Rows in another dialect
            than the job's have one that changes nothing, for they are written anew.
        dialect: the dialect of the job.
        row_filter: the rows that are left out; none where the bytes of the source are uploaded unchanged.
    """

    source: RowSource
    header: Header
    mapping: AppliedMapping | None
    dialect: Dialect
    row_filter: RowFilter = KEEPS_ALL

    @property
    def output_names(self) -> Sequence[str]:
        """The names of the uploaded columns."""
        return self.header.names if self.mapping is None else self.mapping.header

    @property
    def output_addresses(self) -> Sequence[str | None]:
        """The address in the source of each uploaded column; None for a column that the source lacks."""
        addresses = ColumnAddresses(self.header.names)
        if self.mapping is None:
            return [addresses.of(index) for index in range(len(self.header.names))]
        indexes = [column.index for column in self.mapping.columns]
        return [None if index is None else addresses.of(index) for index in indexes]

    @property
    def unused_columns(self) -> Sequence[int]:
        """The index of each column of the source that is not uploaded."""
        used = range(len(self.header.names)) if self.mapping is None else [each.index for each in self.mapping.columns]
        return sorted(set(range(len(self.header.names))).difference(used))

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

    def read_blocks(
        self, file: BinaryIO, position: RowPosition | None = None, *, finds_not_rows: bool = False
    ) -> Iterator[MappedBlock]:
        """Yield the rows of the source in blocks.

        Args:
            file: the open file of the source; it stands at the position.
            position: the position of the first block to read; None for the first row.
            finds_not_rows: whether to find what is no row where nothing is said about it.

        Raises:
            EndlessRecord: a record has no end.
        """
        position = position or self.first_row
        width, offset, state = len(self.header.names), position.block_offset, position.state
        finder = self._finder(finds_not_rows)
        for block in blocks(file, position.block_line):
            # With surrogateescape, bytes that are not UTF-8 are uploaded unchanged.
            text = block.data.decode(errors="surrogateescape")
            rows = parse_block(text, self.header.dialect, width, block.first_line, block.quotes)
            found = NotRows({}, state) if finder is None else finder.find(rows, text, block.first_line, state)
            yield self._mapped_block(
                RowPosition(offset, block_line=block.first_line, state=state), block, text, rows, found.kinds
            )
            offset, state = offset + len(block.data), found.state

    def rows_on(
        self,
        lines: Iterable[int],
        blocks_at: Sequence[RowPosition],
        check_cancelled: Callable[[], None] = lambda: None,
    ) -> Mapping[int, Sequence[str]]:
        """Open the source anew, and return the rows to upload that begin on certain lines, by line.

        Args:
            lines: the lines.
            blocks_at: the positions of all blocks, of which those with these lines are read.
            check_cancelled: called for each of these blocks; what it raises ends the work.

        Raises:
            EndlessRecord, InvalidArgument: the source can no longer be read.
            StorageFailure: the machine keeps this server from the source.
        """
        first_lines = [position.block_line for position in blocks_at]
        numbers = {bisect_right(first_lines, line) - 1 for line in lines} - {-1}
        found, wanted = dict[int, Sequence[str]](), set(lines)
        with opened(self.source, self.dialect) as file:
            for number in sorted(numbers):
                check_cancelled()
                file.seek(self.header.size + blocks_at[number].block_offset)
                for block in islice(self.read_blocks(file, blocks_at[number]), 1):
                    rows = block.output_rows
                    found |= {line: rows.row(index) for index, line in enumerate(rows.lines) if line in wanted}
        return found

    def _finder(self, finds_not_rows: bool) -> NotRowFinder | None:
        not_rows = self.row_filter.not_rows
        return NotRowFinder(self.header) if not_rows or (finds_not_rows and not_rows is None) else None

    def _mapped_block(
        self, position: RowPosition, block: Block, text: str, rows: ParsedBlock, kinds: Mapping[int, Kind]
    ) -> MappedBlock:
        on_lines, used = self.row_filter.lines.rows(rows)
        none = kinds.keys() - on_lines if self.row_filter.not_rows else set[int]()
        unmatched, unchanged = self.row_filter.by_record.rows(rows)
        uploaded, kept = _without(range(len(rows)), on_lines | none | unmatched | unchanged, rows)
        output = kept if self.mapping is None else self.mapping.apply(kept)
        with_cells = self.row_filter.rows_with_cells(kept, output)
        left_out = LeftOut(
            cells=_on_lines(kept, with_cells),
            lines=_on_lines(rows, on_lines),
            not_rows=_on_lines(rows, none),
            match=_on_lines(rows, unmatched),
            changed_only=_on_lines(rows, unchanged),
        )
        if with_cells:
            _, output = _without(uploaded, with_cells, output)
            uploaded, kept = _without(uploaded, with_cells, kept)
        sent = set(uploaded) if kinds else set[int]()
        return MappedBlock(
            position=position,
            source_text=text if len(uploaded) == len(rows) else self._blanked(text, rows, uploaded, block.first_line),
            row_count=len(rows),
            uploaded=uploaded,
            source_rows=kept,
            output_rows=output,
            output=block if self.mapping is None else Block(block_bytes(output, self.dialect), block.first_line),
            left_out=left_out,
            all_text=text,
            all_rows=_without(range(len(rows)), kinds.keys(), rows)[1],
            used_ranges=frozenset(used),
            not_rows={rows.line_of(row): kind for row, kind in kinds.items() if row in sent},
        )

    def _blanked(self, text: str, rows: ParsedBlock, uploaded: Sequence[int], first_line: int) -> str:
        """Return the text of a block with blank lines in place of the rows that are not uploaded."""
        lines, newline = list(io.StringIO(text, newline="\n")), self.header.dialect.newline
        starts = [line - first_line for line in rows.lines]
        ends = [*starts[1:], len(lines)]
        for index in set(range(len(rows))).difference(uploaded):
            for number in range(starts[index], ends[index]):
                lines[number] = newline
        return "".join(lines)

    def uploaded_rows(self) -> "array[int]":
        """Open the source anew, and return the numbers of the rows that are uploaded among all its rows, from 0.

        Raises:
            InvalidArgument: the source can no longer be read.
            EndlessRecord: a record has no end.
        """
        numbers, before = array("Q"), 0
        with opened(self.source, self.dialect) as file:
            file.seek(self.header.size)
            for block in self.read_blocks(file):
                numbers.extend(before + index for index in block.uploaded)
                before += block.row_count
        return numbers

    def misfits(self, block: MappedBlock) -> Iterator[tuple[str, Misfit]]:
        """Yield each cell of a block that does not fit the format of its column, see `AppliedMapping.misfits`."""
        if self.mapping is not None:
            yield from self.mapping.misfits(block.source_rows)

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
        skipped, sources, first_line = start.output_offset, list[bytes](), 0
        for block in self.read_blocks(file, start):
            output = block.output.data
            size = len(output)
            if skipped < size or not skipped:
                source, line = block.source_from(count_rows(output[:skipped]))
                # A block of which all rows are left out has no bytes; what it adds to the count of lines goes with the next.
                sources.append(source)
                first_line = first_line or line
                if data := output[skipped:]:
                    yield OutputChunk(data, b"".join(sources), first_line)
                    sources, first_line = [], 0
            skipped = max(skipped - size, 0)


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
        OutOfBounds: the source has not the header that the mapping is for.
        TooLarge: see `RowSource.open`.
    """
    version = source.version()
    with read_errors():
        file = source.open(destination.dialect())
        try:
            leave_out = mapping.leave_out
            header = read_header(
                file,
                destination.delimiter,
                destination.line_ending,
                leave_out.lines.ranges.__contains__,
                is_first=leave_out.not_rows is False or isinstance(source, Records),
            )
            mapped_source = _mapped_source(source, header, mapping, destination)
        except Unreadable as error:
            # A copy without traceback and context, which would keep the bytes that were read in memory.
            unreadable = Unreadable(error.what, error.do, error.line, error.encodings)
            return UploadSource(file, unread(source, destination), mapping, version, unreadable)
        except BaseException:
            file.close()
            raise
    return UploadSource(file, mapped_source, mapping, version)


def _mapped_source(source: RowSource, header: Header, mapping: ColumnMapping, destination: Destination) -> MappedSource:
    """Return a source with the mapping that the caller asks for.

    Raises:
        Unreadable: the mapping does not fit the header, which is not in the encoding that it is read in.
        InvalidArgument, RefusedByPolicy, OutOfBounds: see `open_upload_source`.
    """
    dialect, leave_out, hidden = destination.dialect(header.dialect), mapping.leave_out, destination.hidden
    try:
        mapping = mapping.fitted_to(header.names)
        applied = apply_mapping(mapping, header.names) if mapping.changes_rows else None
        if applied is None and header.dialect != dialect:
            applied = AppliedMapping.of_all(header.names)
        names = header.names if applied is None else applied.header
        conditions = conditions_of(leave_out.cells, header.names, names)
    except (InvalidArgument, OutOfBounds):
        if not any(map(has_undecoded, header.names)):
            raise
        what, do, likely = undecoded(header.record, encoding_of(source), shows_words=not hidden)
        raise Unreadable(what, do, header.line, likely) from None
    check_no_guessing(conditions, header.names, names, hidden)
    if applied is not None:
        check_hidden(applied, header.names, hidden)
    row_filter = RowFilter(leave_out.lines, leave_out.not_rows, conditions, leave_out.by_record)
    return MappedSource(source, header, applied, dialect, row_filter)


def _on_lines(rows: ParsedBlock, indexes: Set[int]) -> CountedLines:
    """Return rows of a block with the lines on which they begin."""
    # Finding the lines of rows takes time, and hardly any file has such rows.
    return CountedLines.on([rows.line_of(index) for index in sorted(indexes)]) if indexes else NO_LINES


def _without(numbers: Sequence[int], left_out: Set[int], rows: ParsedBlock) -> tuple[Sequence[int], ParsedBlock]:
    """Return numbers of rows, and the rows, without those with these indexes."""
    if not left_out:
        return numbers, rows
    kept = [index for index in range(len(rows)) if index not in left_out]
    return [numbers[index] for index in kept], rows.select(kept)


def unread(source: RowSource, destination: Destination) -> MappedSource:
    """Return the source without header and mapping, so that all of its bytes are uploaded unchanged."""
    dialect = destination.dialect()
    return MappedSource(source, Header(b"", b"", (), dialect), None, dialect)
