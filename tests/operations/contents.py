"""The content of an upload."""

import hashlib
from collections.abc import Generator

from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES


class BytesContent:
    """The content of an upload, held in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self._content)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self._content).hexdigest()

    @property
    def rows(self) -> int:
        """The number of rows, of content without line breaks in cells."""
        return max(len(self._content.splitlines()) - 1, 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, of content without quotes."""
        return tuple(self._content.decode().partition("\n")[0].split(","))

    def __iter__(self) -> Generator[bytes, None, None]:
        for start in range(0, len(self._content), CHUNK_BYTES):
            yield self._content[start : start + CHUNK_BYTES]
