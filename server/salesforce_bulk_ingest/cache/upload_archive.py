"""Reading archived uploads: the source of an upload, compressed, from which its rows are made again.

The archive has what Salesforce does not give back: results come in no order, with numbers and times written anew, and with
blanks where the header differs in case from a field.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.cache.upload_origin import UploadOrigin
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import read_header
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource
from salesforce_bulk_ingest.loading.parts import RowPosition


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

    def uploaded_columns(self, width: int) -> Sequence[Sequence[str]]:
        """Return the cells of the uploaded rows by column."""
        return [self.uploaded.column(index)[: self.row_count] for index in range(width)]


@dataclass(frozen=True, slots=True)
class ArchivedUpload:
    """An upload that is archived whole; a `RowSource` of the rows that it was made from.

    Attributes:
        path: path of the gzip file with header and rows of the source.
        origin: how the rows of the upload were made from the source.
    """

    path: Path
    origin: UploadOrigin

    @property
    def is_costly(self) -> bool:
        """Whether reading it again takes long."""
        return True

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

    def _mapped_source(self, file: BinaryIO) -> MappedSource:
        origin = self.origin
        header = read_header(file, origin.source_dialect.delimiter, origin.source_dialect.line_ending)
        header = replace(header, dialect=origin.source_dialect)
        return MappedSource(self, header, origin.mapping, origin.upload_dialect)
