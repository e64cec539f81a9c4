"""Reading archived uploads: the source of an upload, compressed, from which its rows are made again.

The archive has what Salesforce does not give back: results come in no order, with numbers and times written anew, and with
blanks where the header differs in case from a field.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, ClassVar, Self, cast

from pydantic import BaseModel

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.cache.file_use import FileUse
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import read_header
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.cell_reader import CellReader
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, RowPosition
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, MappedColumn
from salesforce_bulk_ingest.salesforce.models import Delimiter, LineEnding
from salesforce_bulk_ingest.validation.formats import format_of


@dataclass(frozen=True, slots=True)
class UploadOrigin:
    """How the rows of an upload were made from its source.

    Attributes:
        sha256: SHA-256 of the bytes on the wire.
        source_columns: header of the source.
        rows: number of rows in the upload; the archived source may have more.
        first_line: line of the source on which the first row of the upload begins.
        source_dialect: dialect of the source.
        upload_dialect: dialect of the upload.
        mapping: the changes of columns and cells between source and upload; None if there were none.
    """

    sha256: str
    source_columns: tuple[str, ...]
    rows: int
    first_line: int
    source_dialect: Dialect
    upload_dialect: Dialect
    mapping: AppliedMapping | None

    def as_json(self) -> bytes:
        """Return the JSON that `from_json` takes."""
        stored = _StoredOrigin(
            sha256=self.sha256,
            columns=self.source_columns,
            rows=self.rows,
            line=self.first_line,
            read_as=_StoredDialect.of(self.source_dialect),
            sent_as=_StoredDialect.of(self.upload_dialect),
            shaped=None if self.mapping is None else _StoredMapping.of(self.mapping),
        )
        # Not by pydantic: a header may have bytes that are not UTF-8. Keys with a default are those of later versions.
        return json.dumps(stored.model_dump(exclude_defaults=True)).encode()

    @classmethod
    def from_json(cls, stored: bytes) -> Self:
        """Read the origin of an upload.

        Raises:
            ValueError: this is not the JSON of an origin.
        """
        found = _StoredOrigin.model_validate(json.loads(stored))
        return cls(
            sha256=found.sha256,
            source_columns=found.columns,
            rows=found.rows,
            first_line=found.line,
            source_dialect=found.read_as.dialect(),
            upload_dialect=found.sent_as.dialect(),
            mapping=None if found.shaped is None else found.shaped.mapping(),
        )


class _StoredDialect(BaseModel):
    delimiter: Delimiter
    line_ending: LineEnding

    @classmethod
    def of(cls, dialect: Dialect) -> Self:
        return cls(delimiter=dialect.delimiter, line_ending=dialect.line_ending)

    def dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.line_ending)


class _StoredColumn(BaseModel):
    name: str
    place: int | None
    constant: str
    values: Mapping[str, str]
    format: str | None = None

    @classmethod
    def of(cls, column: MappedColumn) -> Self:
        return cls(
            name=column.name,
            place=column.index,
            constant=column.constant,
            values=column.values,
            format=None if column.reader is None else column.reader.format.text,
        )

    def column(self) -> MappedColumn:
        """Return the column, or raise ValueError where this version of the program does not know its format."""
        try:
            reader = None if self.format is None else CellReader(format_of(self.format))
        except InvalidArgument as error:
            raise ValueError(f"{error}") from None
        return MappedColumn(self.name, self.place, self.constant, self.values, reader)


class _StoredMapping(BaseModel):
    columns: tuple[_StoredColumn, ...]
    width: int

    @classmethod
    def of(cls, mapping: AppliedMapping) -> Self:
        return cls(columns=tuple(map(_StoredColumn.of, mapping.columns)), width=mapping.width)

    def mapping(self) -> AppliedMapping:
        return AppliedMapping(tuple(column.column() for column in self.columns), self.width)


class _StoredOrigin(BaseModel):
    """The JSON of an origin; earlier versions chose its keys, and those of its parts."""

    sha256: str
    columns: tuple[str, ...]
    rows: int
    line: int
    read_as: _StoredDialect
    sent_as: _StoredDialect
    shaped: _StoredMapping | None


class DamagedUpload(Exception):
    """An archived upload is not as it was written."""


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """Consecutive rows of an upload, each with the row of the source that it was made from.

    Attributes:
        first_row: number of rows in the upload before this block.
        row_count: number of rows of the upload in this block; the parsed blocks may have more, of the next upload.
        source: the rows of the source.
        uploaded: the rows that were made from the source.
    """

    first_row: int
    row_count: int
    source: ParsedBlock
    uploaded: ParsedBlock

    @property
    def lines(self) -> Sequence[int]:
        """The line of the source on which each row begins."""
        return self.source.lines[: self.row_count]

    def uploaded_column(self, index: int) -> Sequence[str]:
        """Return the cells of the uploaded rows in one column."""
        return self.uploaded.column(index)[: self.row_count]

    def uploaded_columns(self, width: int) -> Sequence[Sequence[str]]:
        """Return the cells of the uploaded rows by column."""
        return list(map(self.uploaded_column, range(width)))


@dataclass(frozen=True, slots=True)
class ArchivedUpload:
    """An upload that is archived whole; a `RowSource` of the rows that it was made from.

    Attributes:
        path: path of the gzip file with header and rows of the source.
        origin: how the rows of the upload were made from the source.
        use: keeps the file in the cache.
    """

    path: Path
    origin: UploadOrigin
    use: FileUse | None = field(default=None, compare=False, repr=False)
    has_lines: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    def open(self, dialect: Dialect) -> BinaryIO:
        """Open header and rows of the source, uncompressed."""
        return cast(BinaryIO, gzip.open(self.path))

    def version(self) -> object:
        """Return the path: an archived upload never changes."""
        return self.path

    def uploaded_header(self) -> Sequence[str]:
        """Return the header of the upload."""
        mapping = self.origin.mapping
        return self.origin.source_columns if mapping is None else mapping.header

    def blocks(self) -> Iterator[ArchivedBlock]:
        """Return the rows of the upload, in the order in which they were sent.

        Raises:
            DamagedUpload: the file is not as it was written.
            OSError: the file was removed, or can't be read.
        """
        try:
            with self.open(self.origin.source_dialect) as file:
                first_row = 0
                for block in self._mapped_source(file).read_blocks(
                    file, RowPosition(block_line=self.origin.first_line)
                ):
                    row_count = min(len(block.source_rows), self.origin.rows - first_row)
                    if row_count > 0:
                        yield ArchivedBlock(first_row, row_count, block.source_rows, block.output_rows)
                    first_row += row_count
        except (EOFError, zlib.error, gzip.BadGzipFile, Unreadable, EndlessRecord) as error:
            raise DamagedUpload(f"{self.path} can't be read: {error}") from error
        if first_row < self.origin.rows:
            raise DamagedUpload(f"{self.path} has {first_row} of {self.origin.rows} rows")

    def lines(self) -> Iterator[int]:
        """Return the line of the source on which each row of the upload begins.

        Raises:
            DamagedUpload, OSError: see `blocks`.
        """
        return (line for block in self.blocks() for line in block.lines)

    def _mapped_source(self, file: BinaryIO) -> MappedSource:
        origin = self.origin
        header = read_header(file, origin.source_dialect.delimiter, origin.source_dialect.line_ending)
        header = replace(header, dialect=origin.source_dialect)
        return MappedSource(self, header, origin.mapping, origin.upload_dialect)
