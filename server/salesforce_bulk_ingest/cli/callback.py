"""The end of a login in a browser: a page on this machine that takes the code."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from socket import socket
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.serving.ports import CantStart, Listener, bound_socket, listening

FLAG = "--redirect-uri, and add it to the callback URLs of the app"

WaitForCallback = Callable[[float], Awaitable[Mapping[str, str]]]


@asynccontextmanager
async def waiting_for_callback(flow: WebFlow) -> AsyncIterator[WaitForCallback]:
    """Serve the callback URL of a login for the time of the block, and yield a function that waits for the browser.

    The function takes the most seconds to wait, returns the parameters of the callback, and raises NoCredentials where none
    came.

    Raises:
        CantStart: the port of the callback URL is taken.
    """
    came = anyio.Event()
    callbacks: list[Mapping[str, str]] = []

    async def callback(request: Request) -> Response:
        if not flow.is_ours(request.query_params):
            return PlainTextResponse("This is not the login that was begun in the terminal: begin anew there.", 400)
        if not callbacks:
            callbacks.append(dict(request.query_params))
            came.set()
        if "code" not in request.query_params:
            return PlainTextResponse(
                "Access was not given. The terminal says what to do: you can close this window.", 400
            )
        return PlainTextResponse("The terminal says whether the login worked. You can close this window.")

    async def wait(seconds: float) -> Mapping[str, str]:
        with anyio.move_on_after(seconds):
            await came.wait()
        if not callbacks:
            raise NoCredentials(
                f"Nobody has logged in within {seconds / 60:.0f} minutes. If the browser showed an error: the client id has "
                f"to be the app's consumer key, and {flow.redirect_uri} one of its callback URLs, letter by letter; a new "
                "app takes up to ten minutes to count."
            )
        return callbacks[0]

    app = Starlette(routes=[Route(urlsplit(flow.redirect_uri).path, callback)])
    with ExitStack() as stack:
        async with listening([Listener(app, bound) for bound in _bound(flow.redirect_uri, stack)]):
            yield wait


def _bound(redirect_uri: str, stack: ExitStack) -> list[socket]:
    """Open the sockets of a callback URL: `localhost` may be either loopback address to a browser."""
    parts = urlsplit(redirect_uri)
    port = parts.port or 80
    if parts.hostname != "localhost":
        return [stack.enter_context(bound_socket(parts.hostname or "", port, FLAG))]
    hosts = ("127.0.0.1", "::1") if _has_ipv6() else ("127.0.0.1",)
    return [stack.enter_context(bound_socket(host, port, FLAG)) for host in hosts]


def _has_ipv6() -> bool:
    """Return whether this machine has IPv6: where it has, another program on the port there would get the callback."""
    try:
        with bound_socket("::1", 0):
            return True
    except CantStart:
        return False
