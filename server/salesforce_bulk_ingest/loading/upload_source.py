"""A source of rows that is open for the plan of its upload, with its header read."""

from dataclasses import dataclass
from typing import BinaryIO, Self

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.csvio.header import Header, read_header
from salesforce_bulk_ingest.loading.mapped_source import MappedSource
from salesforce_bulk_ingest.loading.mapping import ColumnMapping, apply_mapping
from salesforce_bulk_ingest.loading.sources import RowSource, read_errors
from salesforce_bulk_ingest.validation.destination import Destination


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
