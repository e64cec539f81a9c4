"""The ports of the server: bound before anything else starts, served side by side, stopped together."""

import errno
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import anyio
import uvicorn
from starlette.types import ASGIApp

from salesforce_bulk_ingest.base.loopback import in_url
from salesforce_bulk_ingest.serving.http_protocol import DEFAULT_LIMITS, HttpLimits, HttpProtocol

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""The time after which an idle connection is closed: longer than the pauses of clients that poll, since a connection must
not be closed just as the next request is sent."""

SHUTDOWN_SECONDS = 1
"""The time that a request in flight gets to end when the server has to stop."""

EXCEPTION_NAME = re.compile(r"^[\w.]+: ")
"""The beginning of the last line of a traceback; the user is shown the text after it."""


class CantStart(Exception):
    """Something keeps the server from starting; the message is one line."""


class PortBusy(CantStart):
    """Another program listens on an address."""


class Listener(uvicorn.Server):
    """One port, served from a socket that is already bound. Signals are handled elsewhere, in `signals.py`."""

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        *,
        name: str = "a port",
        lifespan: bool = False,
        limits: HttpLimits = DEFAULT_LIMITS,
    ) -> None:
        config = uvicorn.Config(
            app,
            lifespan="on" if lifespan else "off",
            log_level="warning",
            log_config=None,
            access_log=False,
            # How many connections are accepted at once. Where no descriptor is left for them, asyncio logs and puts off each
            # of them by itself, and what was put off multiplies.
            backlog=1,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            http=partial(HttpProtocol, limits=limits),  # type: ignore[arg-type] # called as the class is
            ws="none",
            # A gateway forwards the Server and Date headers of the upstream.
            server_header=False,
            date_header=False,
        )
        super().__init__(config)
        self.ready = anyio.Event()
        self._bound = bound
        self._name = name

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing, in place of uvicorn's own signal handlers for each port."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, then set `ready`.

        Raises:
            CantStart: the application's lifespan failed.
        """
        with _log_messages_caught() as messages:
            try:
                await super().startup(sockets)
            except SystemExit:  # uvicorn exits when a lifespan fails, after it has logged a traceback
                last = messages[0].strip().splitlines()[-1] if messages else "it did not start"
                reason = EXCEPTION_NAME.sub("", last).rstrip(".")
                raise CantStart(f"{self._name} can't be opened: {reason}.") from None
        self._bound.listen(BACKLOG)  # asyncio has set it to the number of connections that are accepted at once
        self.ready.set()

    async def run_until_told(self) -> None:
        """Serve until `should_exit` is set, even when cancelled: uvicorn would cut off its lifespan and log a traceback."""
        with anyio.CancelScope(shield=True):
            await self.serve(sockets=[self._bound])


@contextmanager
def bound_socket(host: str, port: int, flag: str = "port") -> Iterator[socket.socket]:
    """Open a listening socket for the time of the block.

    Args:
        host: an IPv4 or IPv6 address, or a name of this machine.
        port: port number, 0 for any free one.
        flag: option with which the user chooses the port, for the message of an error.

    Raises:
        PortBusy: the address is in use.
        CantStart: the address belongs to another machine, or may not be used, or the port is out of range.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP is named explicitly: asyncio switches off Nagle's algorithm (40 ms a request) only where a socket names TCP.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(BACKLOG)
        except OverflowError:
            raise CantStart(f"{port} is no port: choose a {flag} from 0 to 65535.") from None
        except OSError as error:
            raise _why_not(host, port, flag, error) from None
        yield bound


def url_of(host: str, bound: socket.socket) -> str:
    """Return the URL of a listening socket, by this name or address of the machine."""
    return f"http://{in_url(host)}:{bound.getsockname()[1]}"


def _why_not(host: str, port: int, flag: str, error: OSError) -> CantStart:
    if error.errno == errno.EADDRINUSE:
        return PortBusy(f"{host}:{port} is in use by another program: stop it or choose another {flag}.")
    return CantStart(f"{host}:{port} can't be listened on ({error.strerror}): choose another address or {flag}.")


@asynccontextmanager
async def listening(listeners: Sequence[Listener]) -> AsyncIterator[None]:
    """Serve the ports for the time of the block."""
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
def _log_messages_caught() -> Iterator[list[str]]:
    """Collect the messages that uvicorn logs in this block, and keep them out of the log."""
    messages: list[str] = []

    def catch(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        return False

    log = logging.getLogger("uvicorn.error")
    log.addFilter(catch)
    try:
        yield messages
    finally:
        log.removeFilter(catch)
