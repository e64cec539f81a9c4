"""The HTTP protocol of the ports: the parser, and a way for an application to break its connection."""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

TWO_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER that makes closing a socket reset its connection."""


class HttpProtocol(H11Protocol):
    """HTTP/1.1, parsed by h11 even where a faster parser is installed: the tests against request smuggling run with h11.

    A request whose length is told twice, by Content-Length and by Transfer-Encoding, may have been read in the other way by
    something on its way here: it is answered, and its connection closed (RFC 9112, 6.1).

    An application can also break its connection, for which ASGI has no message: the scope's `extensions` hold
    `{"connection": {"abort": function}}`, and the caller finds its connection reset.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to serve a connection, and give the application the function that aborts the connection."""
        super().connection_made(transport)
        self.app = _with_abort(_closing_where_doubtful(self.app), partial(_reset, transport))


def _with_abort(app: Any, abort: Callable[[], None]) -> Any:
    async def with_abort(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), "connection": {"abort": abort}}
        await app({**scope, "extensions": extensions}, receive, send)

    return with_abort


def _closing_where_doubtful(app: Any) -> Any:
    async def closing(scope: Any, receive: Any, send: Any) -> None:
        async def send_closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE_HEADER]}
            await send(message)

        is_doubtful = {name for name, _ in scope["headers"]} >= TWO_LENGTHS
        await app(scope, receive, send_closing if is_doubtful else send)

    return closing


def _reset(transport: asyncio.Transport) -> None:
    # Without lingering the system sends a reset (RST); otherwise the connection would seem to have ended in good order.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()
