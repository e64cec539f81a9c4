"""A call to the Salesforce API, as data."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass

INGEST = "/jobs/ingest"


MOST_HELD_BYTES = 1 << 16
"""The most bytes of a stream that are held to be sent again."""


class StreamedBody:
    """A body that arrives as it is sent, and can be sent again as long as what has left of it is held.

    Args:
        chunks: the bytes as they arrive.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._held = list[bytes]()
        self._held_bytes = 0

    @property
    def can_be_repeated(self) -> bool:
        """Whether all that has left is held."""
        return self._held_bytes <= MOST_HELD_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in tuple(self._held):
            yield chunk
        async for chunk in self._chunks:
            self._held_bytes += len(chunk)
            if self.can_be_repeated:
                self._held.append(chunk)
            else:
                self._held.clear()
            yield chunk


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, to the ingest resource unless `resource` names another.

    Attributes:
        method: the HTTP method.
        path: the path below the resource, empty or with a leading slash.
        query: the raw query string, without the question mark.
        headers: the headers, sent as they are, in latin-1; `Authorization` is added.
        content: the body; an iterator can't be sent a second time, and a stream as long as it says so.
        api_version: the API version in the path, such as `62.0`; None means the client's own.
        carries_rows: whether the body or the answer may be large and slow.
        resource: the path of the resource below `/services/data/vNN.N`, with a leading slash.
    """

    method: str
    path: str = ""
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    content: bytes | AsyncIterable[bytes] | None = None
    api_version: str | None = None
    carries_rows: bool = False
    resource: str = INGEST

    @property
    def can_be_repeated(self) -> bool:
        """Whether the body can be sent a second time."""
        if isinstance(self.content, StreamedBody):
            return self.content.can_be_repeated
        return not isinstance(self.content, AsyncIterator)

    @property
    def is_streamed(self) -> bool:
        """Whether the body passes only once, or but for its beginning."""
        return isinstance(self.content, AsyncIterator | StreamedBody)
