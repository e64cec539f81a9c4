"""The sources of rows: text, records, a file. Each source can be opened as a stream of CSV any number of times."""

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, ClassVar, Protocol, cast

from salesforce_bulk_ingest.base.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.encodings import LONGEST_MARK, MARKS, UTF_8, codec_name
from salesforce_bulk_ingest.loading.roots import RootedFile, unreadable
from salesforce_bulk_ingest.loading.transcoding import as_utf_8
from salesforce_bulk_ingest.salesforce.models import NULL_CELL

MAX_TEXT_BYTES = 4_000_000
"""The maximum number of bytes of rows inside a tool call: they pass through the model, and more belongs in a file."""

TOO_LARGE = f"These rows are over {MAX_TEXT_BYTES:,} bytes, the most that a tool call takes. Nothing was sent."

GZIP_MAGIC = b"\x1f\x8b"

Cell = str | int | float | bool | None


class RowSource(Protocol):
    """A source of rows that can be read as CSV."""

    def open(self, dialect: Dialect) -> BinaryIO:
        """Open the rows as a stream of CSV, at its start.

        Args:
            dialect: the dialect of the job, for a source without a dialect of its own.

        Raises:
            InvalidArgument: the source has no rows, or can't be read.
            TooLarge: the rows have more bytes than this kind of source may have.
        """
        ...

    def version(self) -> object:
        """Return a value that stays equal while the rows are the same, as far as this shows without reading the rows.

        Raises:
            InvalidArgument: the file is gone.
        """
        ...

    @property
    def has_lines(self) -> bool:
        """Whether the caller knows the lines of the source, so that rows can be left out by them."""
        ...

    @property
    def is_costly(self) -> bool:
        """Whether the source takes long to read, so that its plan is worth keeping in memory."""
        ...


@contextmanager
def opened(source: RowSource, dialect: Dialect) -> Iterator[BinaryIO]:
    """Open a source for the time of the block; errors are those of `RowSource.open` and `read_errors`."""
    with read_errors(), source.open(dialect) as file:
        yield file


@contextmanager
def read_errors() -> Iterator[None]:
    """Turn the errors of reading a source into an error that tells the caller what to correct.

    Raises:
        InvalidArgument: the file is damaged or can't be read.
        StorageFailure: the machine keeps this server from the file.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidArgument(f"The .gz file is damaged or cut off ({error}): write it again.") from None
    except OSError as error:
        raise unreadable("The file", error) from None


@dataclass(frozen=True, slots=True)
class CsvText:
    """CSV text as the caller wrote it."""

    text: str
    has_lines: ClassVar[bool] = True
    is_costly: ClassVar[bool] = False

    def open(self, dialect: Dialect) -> BinaryIO:
        lines = self.text.strip().splitlines()
        if not lines:
            raise InvalidArgument(
                "csv is empty: give a header row with field names, then one row for each record.", ("csv",)
            )
        if len(lines) == 1:
            raise InvalidArgument(
                "csv has one line and no rows: give the CSV's text itself (not a file's name), a header row with "
                "field names and then one row for each record.",
                ("csv",),
            )
        return io.BytesIO(_within_limit(self.text))

    def version(self) -> object:
        return self.text


@dataclass(frozen=True, slots=True)
class Records:
    """Records as JSON objects. Their keys become the columns, in the order in which the keys first occur."""

    records: Sequence[Mapping[str, Cell]]
    has_lines: ClassVar[bool] = True
    is_costly: ClassVar[bool] = False

    def open(self, dialect: Dialect) -> BinaryIO:
        columns = tuple(dict.fromkeys(name for record in self.records for name in record))
        if not columns:
            raise InvalidArgument(
                "records has no fields: give one object for each record, with field names as keys.", ("records",)
            )
        out = io.StringIO(newline="")
        # All cells are quoted: otherwise, the csv module would write a lone carriage return in a cell without quotes.
        writer = csv.writer(out, delimiter=dialect.mark, lineterminator=dialect.newline, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for record in self.records:
            # The size is checked for each record: columns times records can be far more bytes than the call had.
            if out.tell() > MAX_TEXT_BYTES:
                raise TooLarge(TOO_LARGE)
            writer.writerow(_cells(record, columns))
        return io.BytesIO(_within_limit(out.getvalue()))

    def version(self) -> object:
        return self.records


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file that the operator lets this server read, decompressed (gzip) and made UTF-8 while it is read.

    Attributes:
        file: the file.
        encoding: the name of the encoding of its text.
    """

    file: RootedFile
    encoding: str = UTF_8
    has_lines: ClassVar[bool] = True
    is_costly: ClassVar[bool] = True

    def open(self, dialect: Dialect) -> BinaryIO:
        file = cast(BufferedReader, self.file.open())
        try:
            if file.peek(2)[:2] == GZIP_MAGIC:
                file = cast(BufferedReader, _DecompressedFile(file))
            return file if self.encoding == UTF_8 else self._transcoded(file)
        except BaseException:
            file.close()
            raise

    def version(self) -> object:
        with self.file.open() as file:
            found = os.fstat(file.fileno())
        path = str(self.file.path)
        return path, self.encoding, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _transcoded(self, file: BufferedReader) -> BinaryIO:
        codec, start = codec_name(self.encoding), file.peek(LONGEST_MARK)
        if start.startswith(codecs.BOM_UTF8):
            raise InvalidArgument(
                f"The file begins with the mark of UTF-8, so it is not in {quoted(self.encoding)}: leave encoding out.",
                ("encoding",),
            )
        if start and codec in MARKS and not start.startswith(MARKS[codec]):
            raise InvalidArgument(
                f"The file does not begin with the mark that says the order of bytes in {quoted(self.encoding)}: give "
                f'"{codec}-le" or "{codec}-be", or leave encoding out to have one proposed.',
                ("encoding",),
            )
        return as_utf_8(file, codec)


def encoding_of(source: RowSource) -> str | None:
    """Return the encoding that a source is read in; None for a source that can't be read in another."""
    return source.encoding if isinstance(source, UploadFile) else None


class _DecompressedFile(gzip.GzipFile):
    """A decompressed stream that closes the compressed file, too."""

    def __init__(self, compressed: BinaryIO) -> None:
        super().__init__(fileobj=compressed, mode="rb")
        self._compressed = compressed

    def close(self) -> None:
        super().close()
        self._compressed.close()


def cell_text(value: Cell) -> str:
    """Return the text of a cell with this value."""
    if value is None:
        return NULL_CELL
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _cells(record: Mapping[str, Cell], columns: Iterable[str]) -> list[str]:
    return [cell_text(record[name]) if name in record else "" for name in columns]


def _within_limit(text: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"The rows hold {quoted(text[error.start])}, half of a character, which can't be sent: remove or replace it."
        ) from None
    if len(content) > MAX_TEXT_BYTES:
        raise TooLarge(TOO_LARGE)
    return content
