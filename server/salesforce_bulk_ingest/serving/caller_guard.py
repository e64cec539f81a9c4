"""The guard of a port: it lets in who shows a good token, and lets nobody write who may only read.

It stands before the whole application, so that every path is guarded, whether the application has a route for it or not.
What is there for everybody is answered before the guard (`front.py`), and so reaches no application.
"""

from collections.abc import Awaitable, Callable

import anyio
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from starlette.authentication import AuthCredentials
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.base.caller import called_by
from salesforce_bulk_ingest.serving.bearer_tokens import Refused
from salesforce_bulk_ingest.serving.door import Admitted, Door
from salesforce_bulk_ingest.serving.error_envelope import error_response

REVOCATION_SECONDS = 5
"""How often the token of a request that lasts is looked at again."""

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Writes = Callable[[Scope, Receive], Awaitable[tuple[bool, Receive]]]
"""Tells whether a request writes, and returns from where the application is to receive the request."""

Sleep = Callable[[float], Awaitable[None]]
"""Pauses for some seconds."""

NoteRefusal = Callable[[], Awaitable[None]]
"""Notes that the current caller was refused a write."""

RefusalBody = Callable[[Refused, dict[str, str]], Response]
"""Makes the response for a refusal, with these headers."""


async def writes_by_method(scope: Scope, receive: Receive) -> tuple[bool, Receive]:
    """Tell by the method whether a request of `/v1` writes."""
    return scope["method"] not in READING_METHODS, receive


def in_envelope(refused: Refused, headers: dict[str, str]) -> Response:
    """Return the refusal in the form of Salesforce's errors.

    The code is that of a bad header, not INVALID_SESSION_ID: on that, clients log in to Salesforce anew, which mends
    nothing here, and some do so without end.
    """
    code = {401: "INVALID_AUTH_HEADER", 403: "INSUFFICIENT_ACCESS", 503: "SERVER_UNAVAILABLE"}
    return error_response(refused.status, code.get(refused.status, "INVALID_AUTH_HEADER"), refused.description, headers)


def in_oauth_form(refused: Refused, headers: dict[str, str]) -> Response:
    """Return the refusal in the form that the MCP SDK gives it (RFC 6750, 3.1)."""
    body = {"error": refused.error or "unauthorized", "error_description": refused.description}
    return JSONResponse(body, refused.status, headers)


class CallerGuard:
    """ASGI middleware that admits callers, gives the application their name and what they may do, and cuts off the revoked.

    A token that an issuer gave ends by itself, so what it began comes to its end.

    Args:
        app: the application.
        door: tells who sends a request.
        writes: tells whether a request of someone who may only read writes.
        body: makes the responses for refusals.
        note_refusal: called for a write of a known caller who may only read.
        sleep: pauses between two looks at the token of a request that lasts.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        writes: Writes,
        body: RefusalBody,
        note_refusal: NoteRefusal,
        *,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        # It hands the caller to the SDK's own functions, as the SDK's own guard would.
        self._app = AuthContextMiddleware(app)
        self._door = door
        self._writes = writes
        self._body = body
        self._note_refusal = note_refusal
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"a port serves no {scope['type']}")
        try:
            admitted = await self._door.admit(scope)
            if not admitted.caller.may_write:
                is_write, receive = await self._writes(scope, receive)
                if is_write:
                    with called_by(admitted.caller):
                        await self._note_refusal()
                    scopes = self._door.scopes
                    raise Refused(403, "insufficient_scope", "The token allows to read, not to write.", scopes.write)
        except Refused as refused:
            return await self._refusal(refused, scope)(scope, receive, send)
        with called_by(admitted.caller):
            if not admitted.can_only_be_revoked:
                await self._app(_without_token(scope, admitted), receive, send)
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._cut_off_once_revoked, scope)
                await self._app(_without_token(scope, admitted), receive, send)
                tasks.cancel_scope.cancel()

    async def _cut_off_once_revoked(self, scope: Scope) -> None:
        """Break the connection of a request once its token is good no more: to the application its caller has left."""
        is_admitted = True
        while is_admitted:
            await self._sleep(REVOCATION_SECONDS)
            is_admitted = await self._is_admitted(scope)
        scope["extensions"]["connection"]["abort"]()

    async def _is_admitted(self, scope: Scope) -> bool:
        try:
            await self._door.admit(scope)
        except Refused as refused:
            return refused.status == 503  # it can't be told just now
        return True

    def _refusal(self, refused: Refused, scope: Scope) -> Response:
        return self._body(refused, self._door.refusal_headers(refused, scope["path"]))


def _without_token(scope: Scope, admitted: Admitted) -> Scope:
    """Return the scope for the application, with its caller as the SDK knows them."""
    if admitted.user is None:
        return scope
    # The token has done its work, and goes no further.
    headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
    return {**scope, "headers": headers, "user": admitted.user, "auth": AuthCredentials(admitted.user.scopes)}
