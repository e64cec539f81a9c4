"""What every resource shares: who may call, which versions and methods there are, and how errors are told."""

import errno
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from salesforce_emulator import errors
from salesforce_emulator.errors import ApiError
from salesforce_emulator.org import Org
from salesforce_emulator.responses import error_answer
from salesforce_emulator.storage.sessions import Session

Handler = Callable[[Request], Awaitable[Response]]
Check = Callable[[Request], Awaitable[None]]

RETIRED = range(21, 31)  # with Summer '25 (Bulk API guide, API End-of-Life)
OLDEST, NEWEST = 41, 67  # ingest jobs exist from 41.0 on
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
