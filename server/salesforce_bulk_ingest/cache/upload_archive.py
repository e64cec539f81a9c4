"""Uploads as they were sent: kept compressed, with what shaped them, for as long as results of their jobs are kept.

Salesforce gives rows back in no order, typed again, and with blanks where it knows a column under another case: what it
gives back is not what was sent.
"""

import gzip
import json
import logging
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self, cast

from pydantic import TypeAdapter

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.cache.file_cache import NewFile
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.header import read_header
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.mapped_source import MappedSource, OutputChunk
from salesforce_bulk_ingest.loading.mapping import AppliedMapping
from salesforce_bulk_ingest.loading.part_content import PartContent
from salesforce_bulk_ingest.loading.parts import RowPosition

logger = logging.getLogger(__name__)

FAST = 1
"""Level of compression: a higher one takes longer than the upload itself, for a few percent."""

GZIP = 31
"""What zlib calls the form of a .gz file."""


@dataclass(frozen=True, slots=True)
class UploadOrigin:
    """How the rows of an upload were made.

    Attributes:
        sha256: of what went out.
        columns: of the source.
        rows: how many went out; what is kept may have more.
        line: of the source, on which the first of them begins.
        read_as: how the source was written.
        sent_as: how they went out.
        shaped: what was changed; None for nothing.
    """

    sha256: str
    columns: tuple[str, ...]
    rows: int
    line: int
    read_as: Dialect
    sent_as: Dialect
    shaped: AppliedMapping | None


_ORIGIN = TypeAdapter(UploadOrigin)


class DamagedUpload(Exception):
    """An upload that was kept is not as it was written."""


@dataclass(frozen=True, slots=True)
class ArchivedBlock:
    """Some rows of an upload, one after the other.

    Attributes:
        first: rows before them.
        many: how many of the rows of both batches they are.
        given: those of the source.
        sent: what was made of them.
    """

    first: int
    many: int
    given: ParsedBlock
    sent: ParsedBlock

    @property
    def lines(self) -> Sequence[int]:
        """Of the source, on which they begin."""
        return self.given.lines[: self.many]

    def sent_columns(self, width: int) -> Sequence[Sequence[str]]:
        """Their cells as they went out, by column."""
        return [self.sent.column(place)[: self.many] for place in range(width)]


@dataclass(frozen=True, slots=True)
class ArchivedUpload:
    """An upload that is here, whole: the rows of its source that went out.

    Attributes:
        path: of the header and the rows of its source, compressed with gzip.
        origin: how its rows were made of those.
    """

    path: Path
    origin: UploadOrigin

    @classmethod
    def from_json(cls, path: Path, origin: object) -> Self:
        """One that was stored.

        Raises:
            ValueError: it is none.
        """
        return cls(path, _ORIGIN.validate_python(origin))

    @property
    def is_costly(self) -> bool:
        """Whether it takes long to read."""
        return True

    def open(self, dialect: Dialect) -> BinaryIO:
        """Header and rows of the source, uncompressed."""
        return cast(BinaryIO, gzip.open(self.path))

    def version(self) -> object:
        """It never changes."""
        return self.path

    def columns(self) -> tuple[Sequence[str], Sequence[str]]:
        """Those of the source, and those that went out."""
        source, shaped = self.origin.columns, self.origin.shaped
        return source, source if shaped is None else shaped.header

    def rows(self) -> Iterator[ArchivedBlock]:
        """Its rows in the order in which they were sent.

        Raises:
            DamagedUpload: it is not whole.
            OSError: it was removed, or can't be read.
        """
        try:
            with self.open(self.origin.read_as) as file:
                first = 0
                for piece in self._output(file).read_blocks(file, RowPosition(block_line=self.origin.line)):
                    many = min(len(piece.source_rows), self.origin.rows - first)
                    if many > 0:
                        yield ArchivedBlock(first, many, piece.source_rows, piece.output_rows)
                    first += many
        except (EOFError, zlib.error, gzip.BadGzipFile, Unreadable, EndlessRecord) as error:
            raise DamagedUpload(f"{self.path} can't be read: {error}") from error
        if first < self.origin.rows:
            raise DamagedUpload(f"{self.path} has {first} of {self.origin.rows} rows")

    def _output(self, file: BinaryIO) -> MappedSource:
        origin = self.origin
        head = read_header(file, origin.read_as.delimiter, origin.read_as.line_ending)
        return MappedSource(self, replace(head, dialect=origin.read_as), origin.shaped, origin.sent_as)


class UploadRecorder:
    """Keeps an upload while it goes out.

    Args:
        draft: takes it; None where there is nowhere to keep it.
        content: that goes out.
        most_bytes: that are kept, compressed.
    """

    def __init__(self, draft: NewFile | None, content: PartContent, most_bytes: int) -> None:
        self._draft = draft
        self._content = content
        self._most_bytes = most_bytes
        self._line: int | None = None
        self._compressor = zlib.compressobj(FAST, wbits=GZIP)

    def add(self, sent: OutputChunk) -> None:
        """Some of it. That it can't be kept harms no upload."""
        data = sent.source
        if self._line is None:
            self._line = sent.line
            data = self._content.mapped_source.header.record + data
        self._write(self._compressor.compress(data))

    def finish(self) -> None:
        """After the last of it."""
        self._write(self._compressor.flush())
        if self._draft is None:
            return
        output = self._content.mapped_source
        line = output.first_row.block_line if self._line is None else self._line
        content = self._content
        origin = UploadOrigin(
            content.sha256,
            tuple(output.header.names),
            content.rows,
            line,
            output.header.dialect,
            output.dialect,
            output.mapping,
        )
        try:
            self._draft.finish(json.dumps(_ORIGIN.dump_python(origin, mode="json", by_alias=True)).encode())
        except OSError as error:
            self._give_up(error)

    def _write(self, data: bytes) -> None:
        if self._draft is None:
            return
        try:
            self._draft.file.write(data)
            if self._draft.file.tell() > self._most_bytes:
                self._give_up(f"it takes more than {self._most_bytes:,} bytes")
        except OSError as error:
            self._give_up(error)

    def _give_up(self, reason: object) -> None:
        self._draft = None
        logger.warning("an upload can't be kept on this machine: %s", reason)


@contextmanager
def recorder(
    writing: Callable[[], AbstractContextManager[NewFile]], content: PartContent, most_bytes: int
) -> Iterator[UploadRecorder]:
    """For the time that an upload goes out; see `UploadRecorder`."""
    with ExitStack() as stack:
        draft = None
        try:
            draft = stack.enter_context(writing())
        except OSError as error:
            logger.warning("uploads can't be kept on this machine: %s", error)
        yield UploadRecorder(draft, content, most_bytes)


@dataclass(frozen=True, slots=True)
class RecordedContent:
    """The content of an upload, which is kept while it is read.

    Attributes:
        content: of the upload.
        recording: begun anew with each reading.
    """

    content: PartContent
    recording: Callable[[], AbstractContextManager[UploadRecorder]]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.content.size

    @property
    def sha256(self) -> str:
        """Of all of them."""
        return self.content.sha256

    def __iter__(self) -> Generator[bytes, None, None]:
        with self.recording() as kept:
            yield from self.content.read(kept.add)
            kept.finish()
