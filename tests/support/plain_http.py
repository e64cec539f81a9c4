"""HTTP clients of the tests, for servers on this machine."""

from typing import Any

import httpx2

from tests.support.canary import look


class _Watching(httpx2.Client):
    def send(self, *args: Any, stream: bool = False, **options: Any) -> httpx2.Response:
        response = super().send(*args, stream=stream, **options)
        return response if stream else _looked_at(response)


class _WatchingAsync(httpx2.AsyncClient):
    async def send(self, *args: Any, stream: bool = False, **options: Any) -> httpx2.Response:
        response = await super().send(*args, stream=stream, **options)
        return response if stream else _looked_at(response)


def _looked_at(response: httpx2.Response) -> httpx2.Response:
    look(f"the answer of {response.request.url.path}", response.content)
    look(f"the headers of {response.request.url.path}", repr(response.headers.multi_items()))
    return response


def plain_http(**options: Any) -> httpx2.AsyncClient:
    """A client without proxies and TLS, since loading the certificates of this machine takes 20 ms."""
    return _WatchingAsync(trust_env=False, verify=False, **options)


def blocking_http(**options: Any) -> httpx2.Client:
    """A blocking client without proxies and TLS, for tests that run in no event loop."""
    return _Watching(trust_env=False, verify=False, **options)
