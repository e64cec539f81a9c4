"""A call to the Salesforce API, as data."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass

INGEST = "/jobs/ingest"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, to the ingest resource unless `resource` names another.

    Attributes:
        method: the HTTP method.
        path: the path below the resource, empty or with a leading slash.
        query: the raw query string, without the question mark.
        headers: the headers, sent as they are, in latin-1; `Authorization` is added.
        content: the body; an iterator can't be sent a second time.
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
        return not isinstance(self.content, AsyncIterator)
