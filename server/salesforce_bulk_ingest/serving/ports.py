"""Ports: bound before anything starts, served side by side, told to stop together."""

import asyncio
import errno
import logging
import os
import re
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than the pauses of clients that poll: a connection must not be closed just as the next request is sent."""

SHUTDOWN_SECONDS = 1
"""What a request in flight gets when the server is told to stop."""

EXCEPTION_NAME = re.compile(r"^[\w.]+: ")
"""What the last line of a traceback begins with; the user is told what follows."""


class CantStart(Exception):
    """Something keeps the server from starting; the message is one line."""


class PortBusy(CantStart):
    """An address can't be listened on."""


NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Http(H11Protocol):
    """HTTP, parsed by what the tests against request smuggling are run with, whatever else is installed.

    It also lets an application break its connection, which ASGI has no message for: the scope's `extensions` hold
    `{"connection": {"abort": function}}`, and the other side finds its connection reset.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Serve this connection, and hand it to the application."""
        super().connection_made(transport)
        self.app = _with_connection(self.app, partial(_reset, transport))


def _with_connection(app: Any, abort: Callable[[], None]) -> Any:
    async def with_connection(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), "connection": {"abort": abort}}
        await app({**scope, "extensions": extensions}, receive, send)

    return with_connection


def _reset(transport: asyncio.Transport) -> None:
    # Without lingering the system sends a reset; otherwise the connection would seem to have ended in good order.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()


class Listener(uvicorn.Server):
    """One port, served from a socket that is already bound. Signals are not its business."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, name: str = "a port", lifespan: bool = False) -> None:
        config = uvicorn.Config(
            app,
            lifespan="on" if lifespan else "off",
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            http=Http,
            # A gateway passes on what the upstream says about itself.
            server_header=False,
            date_header=False,
        )
        super().__init__(config)
        self.ready = anyio.Event()
        self._bound = bound
        self._name = name

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        said: list[str] = []
        with _kept_from_the_log(said):
            try:
                await super().startup(sockets)
            except SystemExit:  # uvicorn's answer to a lifespan that fails, after a traceback
                last = said[0].strip().splitlines()[-1] if said else "it did not start"
                reason = EXCEPTION_NAME.sub("", last).rstrip(".")
                raise CantStart(f"{self._name} can't be opened: {reason}.") from None
        self.ready.set()

    async def run_until_told(self) -> None:
        """Serve until `should_exit` is set: cancelled, uvicorn would cut its lifespan off and log a traceback."""
        with anyio.CancelScope(shield=True):
            await self.serve(sockets=[self._bound])


@contextmanager
def bound_socket(host: str, port: int, flag: str = "port") -> Iterator[socket.socket]:
    """A listening socket.

    Args:
        host: the address.
        port: 0 for any free one.
        flag: how the user chooses the port.

    Raises:
        PortBusy: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol spelled out: asyncio switches Nagle's algorithm off (40 ms a request) only where it can read it.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise PortBusy(_why_not(host, port, flag, error)) from None
        yield bound


def _why_not(host: str, port: int, flag: str, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is no port: choose a {flag} from 0 to 65535."
    if error.errno == errno.EADDRINUSE:
        return f"{host}:{port} is in use by another program: stop it or choose another {flag}."
    return f"{host}:{port} can't be listened on ({error.strerror}): choose another address or {flag}."


@asynccontextmanager
async def listening(listeners: Sequence[Listener]) -> AsyncIterator[None]:
    """Run the ports for the time of the block."""
    async with anyio.create_task_group() as tasks:
        try:
            for listener in listeners:
                tasks.start_soon(listener.run_until_told)
            for listener in listeners:
                await listener.ready.wait()
            yield
        finally:
            for listener in listeners:
                listener.should_exit = True


@contextmanager
def _kept_from_the_log(said: list[str]) -> Iterator[None]:
    def keep(record: logging.LogRecord) -> bool:
        said.append(record.getMessage())
        return False

    log = logging.getLogger("uvicorn.error")
    log.addFilter(keep)
    try:
        yield
    finally:
        log.removeFilter(keep)
