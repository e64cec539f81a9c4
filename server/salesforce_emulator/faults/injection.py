"""Applies the faults of the plan to requests: refusals, delays, slow bodies and broken connections."""

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator import errors
from salesforce_emulator.caller_disconnects import watch_for_disconnect
from salesforce_emulator.errors import ApiError, OAuthError
from salesforce_emulator.faults.active_plan import ActivePlan
from salesforce_emulator.faults.journal import Journal, journal_entry_of
from salesforce_emulator.faults.plan import (
    Answer,
    EmptyResults,
    ErrorPage,
    ExpiredSession,
    Latency,
    NoRoute,
    RefusedLogin,
    RequestLimit,
    RequestRule,
    Reset,
    ServerError,
    SlowBody,
    TooManyRequests,
    Unavailable,
)
from salesforce_emulator.responses import error_response

PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
PIECES_PER_SECOND = 20  # of a slow body


class _ConnectionBroken(Exception):
    """Raised to leave the application before its connection is broken."""


class FaultInjection:
    """Applies the faults of the plan to each request; it wraps the compression, and so counts bytes on the wire."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        faults: ActivePlan = scope["state"]["org"].faults
        entry = journal_entry_of(scope)
        app, faulty_send, is_lost = self._app, send, False
        try:
            for rule in faults.request_faults(entry.operation):
                entry.faults.append(rule.fault)
                match rule:
                    case Latency():
                        await anyio.sleep(rule.seconds)
                    case SlowBody():
                        faulty_send = _slowed(faulty_send, receive, rule.bytes_per_second)
                    case Reset(when="download"):
                        faulty_send = _cut_off(faulty_send, rule.bytes, bodiless=scope["method"] == "HEAD")
                    case Reset(when="after"):
                        is_lost = True
                    case Reset():
                        await _discard(receive, rule.bytes if rule.when == "during" else 0)
                        raise _ConnectionBroken
                    case _:
                        app = _response(Request(scope), rule)
                        break
            await (_with_lost_answer(app) if is_lost else app)(scope, receive, faulty_send)
        except _ConnectionBroken:
            await _break_off(scope, receive, send)


async def _discard(receive: Receive, size: int) -> None:
    """Read this many bytes of the request body, or the whole body if it is shorter."""
    more = True
    while more and size > 0:
        message = await receive()
        size -= len(message.get("body", b""))
        more = message.get("more_body", False)


def _with_lost_answer(app: ASGIApp) -> ASGIApp:
    async def lose(message: Message) -> None:
        pass

    async def with_lost_answer(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, lose)
        raise _ConnectionBroken

    return with_lost_answer


def _cut_off(send: Send, size: int, *, bodiless: bool) -> Send:
    """Return a `send` that breaks the connection after this many bytes of the response body, and always before its end.

    A response without a body would be complete with its headers, so the headers are not sent either.
    """
    left = size
    start: Message | None = None

    async def cut_off(message: Message) -> None:
        nonlocal left, start
        if message["type"] == "http.response.start":
            start = message
            return
        body = message.get("body", b"")
        last = not message.get("more_body", False)
        if start is not None:
            if bodiless or (last and not body):
                raise _ConnectionBroken
            await send(start)
            start = None
        piece = body[: min(left, len(body) - 1) if last else left]
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if last or len(piece) < len(body):
            raise _ConnectionBroken

    return cut_off


def _slowed(send: Send, receive: Receive, bytes_per_second: int) -> Send:
    """Return a `send` that sends the response body in small pieces at this rate, until the caller disconnects."""
    size = max(1, bytes_per_second // PIECES_PER_SECOND)

    async def slow(message: Message) -> None:
        body = message.get("body", b"")
        async with watch_for_disconnect(receive) as gone:
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                await anyio.sleep(len(piece) / bytes_per_second)
                if gone.is_set():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({**message, "body": b""} if body else message)

    return slow


async def _break_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Reset the connection; if the server can't, begin a response, and so force the server to close it unfinished."""
    entry = journal_entry_of(scope)
    journal: Journal = scope["state"]["org"].journal
    has_begun = entry.status is not None
    journal.end(entry, "reset")
    connection = scope.get("extensions", {}).get("connection")
    if connection is not None:
        connection["abort"]()
        while (await receive())["type"] != "http.disconnect":  # until then the server expects a response
            pass
    elif not has_begun:
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "more_body": True})


def _response(request: Request, rule: RequestRule) -> Response:
    match rule:
        case NoRoute():  # the status is documented; assumed: an HTML body
            return _html_page(420, "Setting things up")
        case ErrorPage():
            return _html_page(rule.status, "This page is not available")
        case EmptyResults(fault="no-content"):
            return Response(status_code=204)
        case EmptyResults():
            return Response(media_type="text/csv; charset=UTF-8")
        case Answer(error_code=None):
            return Response(status_code=rule.status)
    return error_response(request, _refusal(rule))


def _refusal(rule: RequestRule) -> ApiError:
    match rule:
        case ExpiredSession():
            return errors.invalid_session(rule.message)
        case RequestLimit():
            return errors.request_limit_exceeded(rule.message)
        case TooManyRequests():
            return errors.too_many_requests(rule.retry_after)
        case Unavailable():
            return errors.server_unavailable(rule.retry_after)
        case ServerError():
            return errors.unknown_exception()
        case RefusedLogin():
            return OAuthError(rule.error, rule.description)
        case Answer(error_code=str(code)):
            return ApiError(rule.status, code, rule.message, platform=True)
    raise TypeError(f"{rule.fault} is no answer")


def _html_page(status: int, title: str) -> Response:
    return HTMLResponse(PAGE.format(title=title), status)
