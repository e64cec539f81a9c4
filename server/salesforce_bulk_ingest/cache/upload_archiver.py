"""Archiving an upload while it is sent: its source is compressed into the cache, chunk by chunk."""

import logging
import zlib
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass

from salesforce_bulk_ingest.base.storage import storage_failure
from salesforce_bulk_ingest.cache.file_cache import FileCache, NewFile
from salesforce_bulk_ingest.cache.upload_archive import UploadOrigin
from salesforce_bulk_ingest.loading.mapped_source import OutputChunk
from salesforce_bulk_ingest.loading.parts import PartContent

logger = logging.getLogger(__name__)

FAST = 1
"""zlib's compression level: a higher one takes longer than the upload itself, for a few percent."""

GZIP = 31
"""zlib's `wbits` for the format of a .gz file."""


class UploadArchiver:
    """Writes the source of an upload into a new file of the cache. An error in writing harms no upload.

    Args:
        file: the new file; None if it could not be made.
        content: the content of the upload.
        most_bytes: limit of the compressed file; an upload beyond it is not archived.
        tell: called with the reason why the upload is not archived, an error of a file or a sentence.
    """

    def __init__(
        self, file: NewFile | None, content: PartContent, most_bytes: int, tell: Callable[[Exception | str], None]
    ) -> None:
        self._file = file
        self._tell = tell
        self._content = content
        self._most_bytes = most_bytes
        self._first_line: int | None = None
        self._compressor = zlib.compressobj(FAST, wbits=GZIP)

    def add(self, chunk: OutputChunk) -> None:
        """Write the source of a chunk that is about to be sent."""
        if not chunk.source:
            return
        source = chunk.source
        if self._first_line is None:
            self._first_line = chunk.line
            source = self._content.mapped_source.header.record + source
        self._write(self._compressor.compress(source))

    def finish(self) -> None:
        """Put the file in place, after the last chunk."""
        self._write(self._compressor.flush())
        if self._file is None:
            return
        try:
            self._file.finish(self._origin().as_json())
        except OSError as error:
            self._give_up(error)

    def _origin(self) -> UploadOrigin:
        source = self._content.mapped_source
        return UploadOrigin(
            sha256=self._content.sha256,
            source_columns=tuple(source.header.names),
            rows=self._content.rows,
            first_line=source.first_row.block_line if self._first_line is None else self._first_line,
            source_dialect=source.header.dialect,
            upload_dialect=source.dialect,
            mapping=source.mapping,
        )

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.file.write(data)
            if self._file.file.tell() > self._most_bytes:
                self._give_up(
                    f"It takes more than the {self._most_bytes:,} bytes that may be kept (--spool-max-bytes)."
                )
        except OSError as error:
            self._give_up(error)

    def _give_up(self, reason: Exception | str) -> None:
        self._file = None
        self._tell(reason)


@dataclass(slots=True)
class ArchivedContent:
    """The content of an upload, archived each time it is read to its end.

    Attributes:
        content: the content.
        files: the cache that the upload is archived in.
        name: name of the file in the cache.
        most_bytes: limit of the compressed file.
        not_kept: why the content that was read last is not archived, in sentences; None if it is.
    """

    content: PartContent
    files: FileCache
    name: str
    most_bytes: int
    not_kept: str | None = None

    @property
    def size(self) -> int:
        """The number of bytes on the wire."""
        return self.content.size

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes on the wire."""
        return self.content.sha256

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.content.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.content.columns

    def __iter__(self) -> Generator[bytes, None, None]:
        self.not_kept = None
        with ExitStack() as stack:
            archiver = UploadArchiver(self._new_file(stack), self.content, self.most_bytes, self._give_up)
            for chunk in self.content.chunks():
                archiver.add(chunk)
                yield chunk.data
            archiver.finish()

    def _new_file(self, stack: ExitStack) -> NewFile | None:
        try:
            return stack.enter_context(self.files.new_file(self.name))
        except OSError as error:
            self._give_up(error)
            return None

    def _give_up(self, reason: Exception | str) -> None:
        if isinstance(reason, Exception):
            reason = str(storage_failure("It can't be written", reason, self.files.folder))
        self.not_kept = reason
        logger.warning("an upload is not kept on this machine: %s", reason)
