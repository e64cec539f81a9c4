"""The counting of an upload as it streams through the gateway: its bytes, SHA-256, rows and columns, in constant memory.

What passes on are the caller's own bytes; what is counted are the rows as Salesforce reads them, decompressed.
"""

import hashlib
import io
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence

import anyio.lowlevel

from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.cache.ledger import UploadRecord
from salesforce_bulk_ingest.csvio.header import MOST_HEADER_BYTES, read_header
from salesforce_bulk_ingest.csvio.records import WholeRecords
from salesforce_bulk_ingest.csvio.row_counter import RowCounter
from salesforce_bulk_ingest.operations.policy import UploadBounds
from salesforce_bulk_ingest.operations.upload_once import UNCOUNTED
from salesforce_bulk_ingest.salesforce.models import Delimiter
from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES, GZIP

_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
"""The names of gzip as a content coding (RFC 9110, 8.4.1.3)."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;,\"']*)", re.IGNORECASE)
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


class _NotCounted(Exception):
    """The rows of an upload can't be counted; the message is the reason, as a sentence."""


class UploadMeter:
    """A meter of one upload: `add` each chunk, then `end`.

    Args:
        headers: the headers of the request.
        delimiter: the delimiter of the job. None if it was not asked for: a header that Salesforce takes shows its
            delimiter, since names of fields hold none.
        bounds: the bounds that the upload is held to; None if there are none.

    Attributes:
        bytes: the number of bytes so far, decompressed.
        columns: the names of the columns; None before the header has passed.
        uncounted: why the rows can't be counted, as a sentence; None as long as they can.

    All methods raise RefusedByPolicy where the bounds refuse the upload, or it can't be counted and has to be.
    """

    def __init__(
        self,
        headers: Sequence[tuple[str, str]],
        delimiter: Delimiter | None = None,
        bounds: UploadBounds | None = None,
    ) -> None:
        self._delimiter = delimiter
        self.bounds = bounds
        self._decoder: _Plain | _Gzip | None = None
        self._digest = hashlib.sha256()
        self._start = WholeRecords()
        self._counter: RowCounter | None = None
        self._has_ended = False
        self.bytes = 0
        self.columns: tuple[str, ...] | None = None
        self.uncounted: str | None = None
        try:
            self._decoder = _decoder_of(headers)
        except _NotCounted as error:
            self._give_up(error)

    @property
    def rows(self) -> int:
        """The number of rows so far."""
        return self._counter.count - 1 if self._counter else 0

    async def add(self, chunk: bytes) -> None:
        """Count the next chunk; other tasks run between its parts, since a compressed chunk may stand for megabytes."""
        if self._decoder is None:
            return
        try:
            for number, piece in enumerate(self._decoder.decoded(chunk)):
                if number:
                    await anyio.lowlevel.checkpoint()
                self._count(piece)
                if self.bounds is not None:
                    self.bounds.check_size(self.rows, self.bytes)
        except _NotCounted as error:
            self._give_up(error)

    def end(self) -> None:
        """Note that the upload is complete."""
        self._has_ended = True
        if self._decoder is None:
            return
        try:
            self._decoder.end()
            if self._counter is None:
                self._begin(self._start.take_rest())
            if self._counter is not None and self._counter.is_in_quotes:
                raise _NotCounted("A quote in the rows is opened and never closed.")
        except _NotCounted as error:
            self._give_up(error)

    def record(self) -> UploadRecord:
        """Return the record of the upload, which Salesforce has taken."""
        if self.uncounted is not None or not self._has_ended:
            return UNCOUNTED
        return UploadRecord("sent", self._digest.hexdigest(), self.bytes, self.rows, self.columns)

    def _give_up(self, error: _NotCounted) -> None:
        self.uncounted, self._decoder = str(error), None
        if self.bounds is not None:
            raise self.bounds.uncounted(self.uncounted) from None

    def _count(self, piece: bytes) -> None:
        self.bytes += len(piece)
        self._digest.update(piece)
        if self._counter is not None:
            self._count_rows(self._counter, piece)
            return
        whole = self._start.add(piece)
        if whole or len(self._start.rest) > MOST_HEADER_BYTES:
            self._begin(whole + self._start.take_rest())

    def _begin(self, start: bytes) -> None:
        """Read the header, and count the records of the bytes up to here."""
        try:
            header = read_header(io.BytesIO(start), self._delimiter, None)
        except Unreadable as error:
            raise _NotCounted(f"The header can't be read: {error.what}") from None
        self.columns = header.names
        if self.bounds is not None:
            self.bounds.check_columns(header.names)
        self._counter = RowCounter(header.dialect.mark)
        self._count_rows(self._counter, start[len(header.bom) :])

    def _count_rows(self, counter: RowCounter, piece: bytes) -> None:
        counter.add(piece)
        if not counter.is_certain:
            raise _NotCounted("A quote or a carriage return stands where readers of CSV disagree about the rows.")


async def metered(chunks: AsyncIterable[bytes], meter: UploadMeter) -> AsyncIterator[bytes]:
    """Yield the chunks of an upload as they are, once the meter has counted them.

    Where the upload has bounds, the last chunk goes out when the whole is within them: without it, Salesforce has no whole
    body, whatever length was announced.

    Raises:
        RefusedByPolicy: the bounds refuse the upload.
    """
    held = b""
    async for chunk in chunks:
        await meter.add(chunk)
        if meter.bounds is None:
            yield chunk
        elif chunk:
            if held:
                yield held
            held = chunk
    meter.end()
    if held:
        yield held


class _Plain:
    """The decoder of a body that is not compressed."""

    def decoded(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the chunk."""
        yield chunk

    def end(self) -> None:
        """Accept the end of the body anywhere."""


class _Gzip:
    """The decoder of a gzip body, which may have several members in a row (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=GZIP)
        self._has_begun = False

    def decoded(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the chunk stands for, in pieces of at most `CHUNK_BYTES`."""
        while chunk:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(wbits=GZIP)
            self._has_begun = True
            try:
                piece = self._inflater.decompress(chunk, CHUNK_BYTES)
            except zlib.error:
                raise _NotCounted(
                    "The rows say that they are compressed with gzip, and can't be decompressed."
                ) from None
            chunk = self._inflater.unconsumed_tail or self._inflater.unused_data
            yield piece

    def end(self) -> None:
        """Raise _NotCounted where the compressed data is cut off."""
        if self._has_begun and not self._inflater.eof:
            raise _NotCounted("The compressed rows are cut off.")


def _decoder_of(headers: Sequence[tuple[str, str]]) -> _Plain | _Gzip:
    """Return the decoder for the coding that the headers name.

    Raises:
        _NotCounted: the body is compressed in another way, or in another character set than UTF-8.
    """
    charsets = {name.lower() for value in _values(headers, "content-type") for name in _CHARSET.findall(value)}
    if charsets - _UTF_8:
        raise _NotCounted("The rows say that they are in another character set than UTF-8.")
    named = [name.strip().lower() for value in _values(headers, "content-encoding") for name in value.split(",")]
    codings = [name for name in named if name not in ("", "identity")]
    if not codings:
        return _Plain()
    if len(codings) == 1 and codings[0] in _GZIP_NAMES:
        return _Gzip()
    raise _NotCounted("The rows are compressed in another way than with gzip.")


def _values(headers: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted]
