"""Where rows come from: text, records, a file. Each opens a stream of CSV from its start, as often as asked."""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, Protocol, cast

from salesforce_bulk_ingest.base.errors import InvalidArgument, TooLarge
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.upload_roots import RootedFile
from salesforce_bulk_ingest.salesforce.models import NULL_CELL

MAX_TEXT_BYTES = 4_000_000
"""Rows inside a tool call pass through the model and through one message; more than this belongs on another way in."""

TOO_LARGE = f"These rows are over {MAX_TEXT_BYTES:,} bytes, the most that a tool call takes. Nothing was sent."

GZIP_MAGIC = b"\x1f\x8b"

Cell = str | int | float | bool | None


class RowSource(Protocol):
    """Rows that can be read as CSV."""

    def open(self, dialect: Dialect) -> BinaryIO:
        """The CSV from its start.

        Args:
            dialect: that of the job, for a source that has none of its own.

        Raises:
            InvalidArgument: there is nothing to send, or it can't be read.
            TooLarge: it is more than this source takes.
        """
        ...

    def version(self) -> object:
        """Something that is equal as long as the rows are the same, as far as that can be told without reading them.

        Raises:
            InvalidArgument: there is no such file any more.
        """
        ...

    @property
    def is_costly(self) -> bool:
        """Whether to keep what was found out about it: it takes long to read, and no memory to name."""
        ...


@contextmanager
def opened(source: RowSource, dialect: Dialect) -> Iterator[BinaryIO]:
    """The source's stream; what goes wrong while it is read is told as the caller's to correct.

    Raises:
        InvalidArgument: see `RowSource.open`; or the file breaks off.
    """
    try:
        with source.open(dialect) as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidArgument(f"The .gz file is damaged or cut off ({error}): write it again.") from None
    except OSError as error:
        raise InvalidArgument(f"The file can't be read: {error.strerror or error}.") from None


@dataclass(frozen=True, slots=True)
class CsvText:
    """CSV as the caller wrote it."""

    text: str

    def open(self, dialect: Dialect) -> BinaryIO:
        lines = self.text.strip().splitlines()
        if not lines:
            raise InvalidArgument("csv is empty: give a header row with field names, then one row for each record.")
        if len(lines) == 1:
            raise InvalidArgument(
                "csv has one line and no rows: give the CSV's text itself (not a file's name), a header row with "
                "field names and then one row for each record."
            )
        return io.BytesIO(_within_limit(self.text))

    def version(self) -> object:
        return self.text

    @property
    def is_costly(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Records:
    """Records as objects; their keys, in the order in which they are first seen, become the columns."""

    records: Sequence[Mapping[str, Cell]]

    def open(self, dialect: Dialect) -> BinaryIO:
        columns = tuple(dict.fromkeys(name for record in self.records for name in record))
        if not columns:
            raise InvalidArgument("records has no fields: give one object for each record, with field names as keys.")
        out = io.StringIO(newline="")
        # Everything quoted: a lone carriage return in a cell would otherwise go out bare.
        writer = csv.writer(out, delimiter=dialect.mark, lineterminator=dialect.newline, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for record in self.records:
            # Checked on the way: columns times records can be far more than what came in.
            if out.tell() > MAX_TEXT_BYTES:
                raise TooLarge(TOO_LARGE)
            writer.writerow(_cells(record, columns))
        return io.BytesIO(_within_limit(out.getvalue()))

    def version(self) -> object:
        return self.records

    @property
    def is_costly(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file that the operator lets this server read; one that is compressed with gzip is unpacked on the way."""

    file: RootedFile

    def open(self, dialect: Dialect) -> BinaryIO:
        file = cast(BufferedReader, self.file.open())
        try:
            return cast(BinaryIO, _Unpacked(file)) if file.peek(2)[:2] == GZIP_MAGIC else file
        except BaseException:
            file.close()
            raise

    def version(self) -> object:
        with self.file.open() as file:
            found = os.fstat(file.fileno())
        return str(self.file.path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    @property
    def is_costly(self) -> bool:
        return True


class _Unpacked(gzip.GzipFile):
    """Closes the packed file, too."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def cell_text(value: Cell) -> str:
    """How a value stands in a cell."""
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
            f"The rows hold {text[error.start]!a}, half of a character, which can't be sent: remove or replace it."
        ) from None
    if len(content) > MAX_TEXT_BYTES:
        raise TooLarge(TOO_LARGE)
    return content
