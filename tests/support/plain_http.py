"""HTTP clients of the tests, for servers on this machine."""

from typing import Any

import httpx2


def plain_http(**options: Any) -> httpx2.AsyncClient:
    """A client that uses neither proxies nor TLS: to load the certificates of this machine takes 20 ms."""
    return httpx2.AsyncClient(trust_env=False, verify=False, **options)


def blocking_http(**options: Any) -> httpx2.Client:
    """The same for tests that run in no event loop."""
    return httpx2.Client(trust_env=False, verify=False, **options)
