"""How faults reach callers: as answers, delays, trickles and broken connections."""

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator import errors
from salesforce_emulator.disconnects import watched
from salesforce_emulator.errors import ApiError, OAuthError
from salesforce_emulator.faults.active import Faults
from salesforce_emulator.faults.journal import Journal, exchange_of
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
from salesforce_emulator.responses import error_answer

PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
PIECES_PER_SECOND = 20  # of a body that trickles


class _Broken(Exception):
    """Unwinds the application when its connection is to be broken."""


class FaultInjection:
    """Lets each request meet the faults of the plan before it meets the org; outside of its compression."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        faults: Faults = scope["state"]["org"].faults
        exchange = exchange_of(scope)
        app, faulty_send, lost = self._app, send, False
        try:
            for rule in faults.met_by(exchange.operation):
                exchange.faults.append(rule.fault)
                match rule:
                    case Latency():
                        await anyio.sleep(rule.seconds)
                    case SlowBody():
                        faulty_send = _slowed(faulty_send, receive, rule.bytes_per_second)
                    case Reset(when="download"):
                        faulty_send = _cut(faulty_send, rule.bytes, bodiless=scope["method"] == "HEAD")
                    case Reset(when="after"):
                        lost = True
                    case Reset():
                        await _take(receive, rule.bytes if rule.when == "during" else 0)
                        raise _Broken
                    case _:
                        app = _answer(Request(scope), rule)
                        break
            await (_with_lost_answer(app) if lost else app)(scope, receive, faulty_send)
        except _Broken:
            await _break_off(scope, receive, send)


async def _take(receive: Receive, size: int) -> None:
    """Read so many bytes of the request's body, or as many as there are."""
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
        raise _Broken

    return with_lost_answer


def _cut(send: Send, size: int, *, bodiless: bool) -> Send:
    """Let so many bytes of the answer's body pass, but never the last, by which a caller would have the whole.

    An answer without a body is whole with its headers, so that not even those pass.
    """
    left = size
    start: Message | None = None

    async def cut(message: Message) -> None:
        nonlocal left, start
        if message["type"] == "http.response.start":
            start = message
            return
        body = message.get("body", b"")
        last = not message.get("more_body", False)
        if start is not None:
            if bodiless or (last and not body):
                raise _Broken
            await send(start)
            start = None
        piece = body[: min(left, len(body) - 1) if last else left]
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if last or len(piece) < len(body):
            raise _Broken

    return cut


def _slowed(send: Send, receive: Receive, bytes_per_second: int) -> Send:
    size = max(1, bytes_per_second // PIECES_PER_SECOND)

    async def slow(message: Message) -> None:
        body = message.get("body", b"")
        async with watched(receive) as gone:
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                await anyio.sleep(len(piece) / bytes_per_second)
                if gone.is_set():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({**message, "body": b""} if body else message)

    return slow


async def _break_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Reset the connection; where the server can't, begin an answer that it has to break off by closing."""
    exchange = exchange_of(scope)
    journal: Journal = scope["state"]["org"].journal
    answered = exchange.status is not None
    journal.end(exchange, "reset")
    connection = scope.get("extensions", {}).get("connection")
    if connection is not None:
        connection["abort"]()
        while (await receive())["type"] != "http.disconnect":  # only then does the server know that nobody waits
            pass
    elif not answered:
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "more_body": True})


def _answer(request: Request, rule: RequestRule) -> Response:
    match rule:
        case NoRoute():  # documented is the status; assumed: that its body is a page
            return _page(420, "Setting things up")
        case ErrorPage():
            return _page(rule.status, "This page is not available")
        case EmptyResults(fault="no-content"):
            return Response(status_code=204)
        case EmptyResults():
            return Response(media_type="text/csv; charset=UTF-8")
        case Answer(error_code=None):
            return Response(status_code=rule.status)
    return error_answer(request, _refusal(rule))


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


def _page(status: int, title: str) -> Response:
    return HTMLResponse(PAGE.format(title=title), status)
