"""The checks that every resource makes before its handler runs: size of the request, token, API version, method."""

import re
from collections.abc import Awaitable, Callable
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from salesforce_emulator import errors
from salesforce_emulator.org import Org
from salesforce_emulator.storage.sessions import Session

Handler = Callable[[Request], Awaitable[Response]]
CallerCheck = Callable[[Request], Awaitable[None]]

RETIRED = range(21, 31)  # API versions retired with Summer '25 (Bulk API guide, API End-of-Life)
OLDEST, NEWEST = 41, 67  # API versions that the org has; ingest jobs exist from 41.0 on
MAX_URI_BYTES = 16_384  # limit of the URI, and of URI and headers together (REST API guide, Status Codes)


def org_of(request: Request) -> Org:
    """Return the org that serves this request."""
    return cast(Org, request.state.org)


def version_of(request: Request) -> str:
    """Return the API version in the path, such as `63.0`."""
    version: str = request.path_params["version"]
    return version


class Resource:
    """The ASGI endpoint of one path; it makes the checks, then calls the handler of the method (for HEAD that of GET).

    Args:
        check: checks the caller; `check_caller` by default.
        instead: a sentence for the callers of a method that the resource has in Salesforce only.
        handlers: the handler of each HTTP method.
    """

    def __init__(self, *, check: CallerCheck | None = None, instead: str | None = None, **handlers: Handler) -> None:
        self._check = check or check_caller
        self._instead = instead
        self._handlers = handlers
        self._allowed = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else [])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        _check_size(request)
        await self._check(request)
        handler = self._handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise errors.method_not_allowed(request.method, self._allowed, self._instead)
        response = await handler(request)
        await response(scope, receive, send)


def _check_size(request: Request) -> None:
    uri = len(request.scope["raw_path"]) + len(request.scope["query_string"])
    if uri > MAX_URI_BYTES:
        raise errors.uri_too_long(MAX_URI_BYTES)
    if uri + sum(len(name) + len(value) for name, value in request.headers.raw) > MAX_URI_BYTES:
        raise errors.headers_too_large(MAX_URI_BYTES)


async def check_caller(request: Request) -> None:
    """Accept a request with a valid token, within the request limit, to an API version that the org has.

    Raises:
        ApiError: the token (401), the limit (403) or the version (404 or 410) is the reason for a refusal.
    """
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
    """Return the session of the token, or None if the token is not valid."""
    sessions = org_of(request).sessions
    return sessions.published(token) or await run_in_threadpool(sessions.find, token)


async def allow_anyone(request: Request) -> None:
    """Accept every caller: the check of a resource that needs no token."""
