"""Fixtures that the tests of `/v1` share."""

from collections.abc import Iterator

import pytest

from tests.rest.wired import Wired, caller_of
from tests.support.asgi_server import running
from tests.support.wire import (
    Upstream,
    gateway_to,
)


@pytest.fixture(scope="module")
def served_once() -> Iterator[Wired]:
    upstream = Upstream()
    with running(upstream) as upstream_url, running(gateway_to(upstream_url)) as url, caller_of(url) as caller:
        yield Wired(upstream, url, caller)


@pytest.fixture
def wired(served_once: Wired) -> Wired:
    served_once.upstream.reset()
    return served_once
