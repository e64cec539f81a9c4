"""What every resource shares: who may call, which versions and methods there are, bodies in, JSON out, errors out."""

import errno
import json
import logging
import re
import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import errors
from ..answers import error_answer
from ..errors import ApiError
from ..org import Org
from ..storage.sessions import Session
from ..storage.usage import Allocation

Handler = Callable[[Request], Awaitable[Response]]
Check = Callable[[Request], Awaitable[None]]

RETIRED = range(21, 31)  # with Summer '25 (Bulk API guide, API End-of-Life)
OLDEST, NEWEST = 41, 67  # ingest jobs exist from 41.0 on
MAX_JSON_BYTES = 1_000_000  # assumed: no body of JSON comes near this
MAX_URI_BYTES = 16_384  # of the URI, and of URI and headers together (REST API guide, Status Codes)

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger(__name__)


def org_of(request: Request) -> Org:
    """The org that this request is about."""
    return cast(Org, request.state.org)


def version_of(request: Request) -> str:
    """The API version in the path, as `63.0`."""
    version: str = request.path_params["version"]
    return version


class Resource:
    """One path: checks caller, version and method, then calls the handler. HEAD is GET without the body."""

    def __init__(self, *, check: Check | None = None, **handlers: Handler) -> None:
        self._check = check or check_caller
        self._handlers = handlers
        self._allowed = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else [])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        _check_size(request)
        await self._check(request)
        handler = self._handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise errors.method_not_allowed(request.method, self._allowed)
        response = await handler(request)
        await response(scope, receive, send)


def _check_size(request: Request) -> None:
    uri = len(request.scope["raw_path"]) + len(request.scope["query_string"])
    if uri > MAX_URI_BYTES:
        raise errors.uri_too_long(MAX_URI_BYTES)
    if uri + sum(len(name) + len(value) for name, value in request.headers.raw) > MAX_URI_BYTES:
        raise errors.headers_too_large(MAX_URI_BYTES)


async def check_caller(request: Request) -> None:
    """Let in who holds the token, as long as requests are left, and only to the versions there are."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme and scheme.lower() not in ("bearer", "oauth"):
        raise errors.invalid_auth_header()
    if await session_of(request, token.strip()) is None:
        raise errors.invalid_session()
    if not org_of(request).usage.take_request():
        raise errors.request_limit_exceeded()
    match = re.fullmatch(r"([0-9]{1,3})\.0", version_of(request))
    number = int(match[1]) if match else 0
    if number in RETIRED:
        raise errors.retired_version()
    if not OLDEST <= number <= NEWEST:
        raise errors.not_found()


async def session_of(request: Request, token: str) -> Session | None:
    """The session that the token opens, if it opens one."""
    sessions = org_of(request).sessions
    return sessions.published(token) or await run_in_threadpool(sessions.find, token)


async def anyone(request: Request) -> None:
    """The check of a resource that needs no token."""


async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in chunks, decompressed when it says so (REST API guide, Using Compression).

    Raises:
        ApiError: more than `limit` bytes, or not the compression that it claims.
        ClientDisconnect: the caller is gone before the end.
    """
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    size = 0
    async for chunk in _decoded(request.stream(), encoding):
        size += len(chunk)
        if size > limit:
            raise errors.too_large(limit, "bytes")
        yield chunk


async def _decoded(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    if encoding not in ("gzip", "deflate"):
        async for chunk in chunks:
            yield chunk
        return
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, whichever the header shows
    try:
        async for chunk in chunks:
            while chunk:
                yield inflater.decompress(chunk, 1 << 16)
                chunk = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error:
        raise errors.broken_compression() from None
    if not inflater.eof:
        raise errors.broken_compression()


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body.

    Raises:
        ApiError: it is another media type (415) or not a JSON object (400).
    """
    check_media_type(request, "application/json")
    return parse_object(b"".join([chunk async for chunk in body_of(request, MAX_JSON_BYTES)]))


def check_media_type(request: Request, expected: str) -> None:
    """Refuse a body of another media type; one without a type passes (assumed)."""
    given = request.headers.get("Content-Type", expected)
    if given.partition(";")[0].strip().lower() != expected:
        raise errors.unsupported_media_type(given)


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object that the text is.

    Raises:
        ApiError: it is not one (400).
    """
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise errors.json_parser_error(f"The request body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.json_parser_error("The request body is not a JSON object")
    return value


async def show_error(request: Request, error: Exception) -> Response:
    """The one place where what goes wrong becomes a refusal."""
    match error:
        case ClientDisconnect():  # nobody listens any more
            return Response(status_code=400)
        case ApiError():
            refusal = error
        case HTTPException(status_code=404):
            refusal = errors.not_found()
        case HTTPException():
            refusal = errors.unknown_exception(error.detail, error.status_code)
        case sqlite3.Error() if _result_code(error) in BUSY:  # another process holds the org for too long
            refusal = errors.server_unavailable()
        case _:
            _log(request, error)
            refusal = errors.unknown_exception()
    return error_answer(request, refusal)


def _result_code(error: sqlite3.Error) -> int | None:
    """What SQLite calls the error, without the details in the upper bytes; None if the error is not SQLite's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _log(request: Request, error: Exception) -> None:
    if _is_full(error):
        log.error("The disk that holds the org is full (%s): make room on it, then try again", error)
    else:
        log.error("%s %s failed for a reason of the org's own", request.method, request.url.path, exc_info=error)


def _is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return _result_code(error) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in NO_ROOM


SHOWN = (ApiError, HTTPException, ClientDisconnect, sqlite3.Error, OSError)


class TolerantPaths:
    """Reads `//` as `/` and drops a trailing slash, as Salesforce does (Data Loader relies on both)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": re.sub("/+", "/", scope["path"]).rstrip("/") or "/"}
        await self._app(scope, receive, send)


class LimitInfo:
    """Tells on the answers of the REST API how many requests were made (REST API guide, Limit Info Header).

    Only requests of callers who are let in are counted (assumed).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Documented: on every call but that for the versions, which is /services/data itself.
        if scope["type"] != "http" or not scope["path"].startswith("/services/data/"):
            return await self._app(scope, receive, send)
        usage = cast(Org, scope["state"]["org"]).usage

        async def send_with_usage(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = f"api-usage={usage.requests()}/{usage.max[Allocation.REQUESTS]}".encode()
                message["headers"] = [*message.get("headers", []), (b"sforce-limit-info", value)]
            await send(message)

        await self._app(scope, receive, send_with_usage)


class WholeBodies:
    """Reads what is left of a request before it is answered, up to a limit.

    A caller that is refused in the middle of its upload, for its token say, would otherwise find its connection
    reset and never see the answer.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        ended = False

        async def watched_receive() -> Message:
            nonlocal ended
            message = await receive()
            ended = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                left = self._limit
                while not ended and left > 0:
                    left -= len((await watched_receive()).get("body", b""))
            await send(message)

        await self._app(scope, watched_receive, send_after_body)
