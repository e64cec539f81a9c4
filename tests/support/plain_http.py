"""HTTP clients of the tests, for servers on this machine."""

from typing import Any

import httpx2


def plain_http(**options: Any) -> httpx2.AsyncClient:
    """A client without proxies and TLS, since loading the certificates of this machine takes 20 ms."""
    return httpx2.AsyncClient(trust_env=False, verify=False, **options)


def blocking_http(**options: Any) -> httpx2.Client:
    """A blocking client without proxies and TLS, for tests that run in no event loop."""
    return httpx2.Client(trust_env=False, verify=False, **options)
