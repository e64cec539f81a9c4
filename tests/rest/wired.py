"""A recording upstream, and an HTTP client of the gateway in front of it."""

from dataclasses import dataclass

import httpx2

from tests.support.plain_http import blocking_http
from tests.support.wire import (
    Seen,
    Upstream,
)

SECONDS = 10


@dataclass
class Wired:
    """A recording upstream, and an HTTP client of the gateway in front of it."""

    upstream: Upstream
    url: str
    caller: httpx2.Client

    @property
    def last(self) -> Seen:
        """The only request that reached the upstream."""
        (only,) = self.upstream.seen
        return only


def caller_of(url: str) -> httpx2.Client:
    """An HTTP client of the gateway that does not ask for compression by itself."""
    caller = blocking_http(base_url=url, timeout=SECONDS)
    del caller.headers["Accept-Encoding"]
    return caller
