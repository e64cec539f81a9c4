"""HTTP clients of the tests, for servers on this machine."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from tests.support.canary import look

LONGEST_FORM = 200
"""As many bytes of a streamed body are looked at together with the next chunk: more than any form of a canary has."""


class _Watching(httpx2.Client):
    def send(self, *args: Any, stream: bool = False, **options: Any) -> httpx2.Response:
        return _looked_at(super().send(*args, stream=stream, **options), stream=stream)


class _WatchingAsync(httpx2.AsyncClient):
    async def send(self, *args: Any, stream: bool = False, **options: Any) -> httpx2.Response:
        return _looked_at(await super().send(*args, stream=stream, **options), stream=stream)


class _WatchedStream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer, which is looked at as it is read, as it came."""

    def __init__(self, path: str, stream: Any) -> None:
        self._path = path
        self._stream = stream
        self._end = b""

    def __iter__(self) -> Iterator[bytes]:
        yield from map(self._looked_at, self._stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield self._looked_at(chunk)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _looked_at(self, chunk: bytes) -> bytes:
        look(f"the streamed answer of {self._path}", self._end + chunk)
        self._end = (self._end + chunk)[-LONGEST_FORM:]
        return chunk


def _looked_at(response: httpx2.Response, *, stream: bool) -> httpx2.Response:
    path = response.request.url.path
    look(f"the headers of {path}", repr(response.headers.multi_items()))
    if stream:
        response.stream = _WatchedStream(path, response.stream)
    else:
        look(f"the answer of {path}", response.content)
    return response


def plain_http(**options: Any) -> httpx2.AsyncClient:
    """A client without proxies and TLS, since loading the certificates of this machine takes 20 ms."""
    return _WatchingAsync(trust_env=False, verify=False, **options)


def blocking_http(**options: Any) -> httpx2.Client:
    """A blocking client without proxies and TLS, for tests that run in no event loop."""
    return _Watching(trust_env=False, verify=False, **options)
