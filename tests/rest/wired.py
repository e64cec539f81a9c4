"""A recording upstream, and a caller of the gateway in front of it."""

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
    """A recording upstream, and a caller of the gateway before it."""

    upstream: Upstream
    url: str
    caller: httpx2.Client

    @property
    def last(self) -> Seen:
        """The only request that went up."""
        (only,) = self.upstream.seen
        return only


def caller_of(url: str) -> httpx2.Client:
    """A caller of the gateway, which asks for no compression by itself."""
    caller = blocking_http(base_url=url, timeout=SECONDS)
    del caller.headers["Accept-Encoding"]
    return caller
