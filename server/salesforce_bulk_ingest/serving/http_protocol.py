"""The HTTP protocol of the ports: the parser, its limits, and a way for an application to break its connection."""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from salesforce_bulk_ingest.serving.error_envelope import error_response

TWO_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER that makes closing a socket reset its connection."""

MOST_REFUSED_BYTES = 100_000
TOO_SLOW = b"The request did not arrive in time."


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits of one port.

    Attributes:
        head_seconds: how long the head of a request may take to arrive, from its first byte, or from the connection's begin.
        body_seconds: how long the next byte of a body may take to arrive; how long a whole body takes is not limited.
        connections: how many connections are served at once.
        refusals: how many connections beyond these are told so; more of them are only closed.
        refusal_seconds: how long a request that is only refused may take to arrive.
    """

    head_seconds: float = 30
    body_seconds: float = 60
    connections: int = 512
    refusals: int = 64
    refusal_seconds: float = 5


DEFAULT_LIMITS = HttpLimits()


class HttpProtocol(H11Protocol):
    """HTTP/1.1, parsed by h11 even where a faster parser is installed: the tests against request smuggling run with h11.

    A request whose length is told twice, by Content-Length and by Transfer-Encoding, may have been read in the other way by
    something on its way here: it is answered, and its connection closed (RFC 9112, 6.1).

    A head or a part of a body that does not arrive in time ends the connection, with a 408 where no response has begun. A
    connection beyond the limit takes the place of one that is idle, so that nobody is kept out by connections that do
    nothing; where none is idle, its first request gets a 503. Idle is also a connection whose caller has been answered and
    still sends the request, or takes nothing of the answer.

    An application can also break its connection, for which ASGI has no message: the scope's `extensions` hold
    `{"connection": {"abort": function}}`, and the caller finds its connection reset.

    Args:
        limits: the limits of the port.
        arguments: those of uvicorn's protocol.
    """

    def __init__(self, *arguments: Any, limits: HttpLimits = DEFAULT_LIMITS, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._awaits_body = False
        self._stall_timer: asyncio.TimerHandle | None = None
        self._is_stalled = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to serve a connection, and give the application the function that aborts the connection."""
        super().connection_made(transport)
        excess = len(self.connections) - self._limits.connections
        if excess > 0 and self._has_closed_an_idle_one():
            excess = 0
        if excess > self._limits.refusals:
            transport.abort()
            return
        if excess > 0:
            self.app = _refuse
            self._start_timer(self._limits.refusal_seconds, self._give_up)
            return
        self.app = _with_abort(_closing_where_doubtful(self.app), partial(_reset, transport))
        self._start_timer(self._limits.head_seconds, self._give_up)

    def _has_closed_an_idle_one(self) -> bool:
        """Close a connection that is idle, and return whether there was one."""
        all_idle = (one for one in self.connections if isinstance(one, HttpProtocol) and one.is_idle)
        # Best one that has been sent everything: the others lose the rest of an answer.
        idle = min(all_idle, key=lambda one: one.transport.get_write_buffer_size(), default=None)
        if idle is None:
            return False
        self.connections.discard(idle)
        if idle.transport.get_write_buffer_size():
            _reset(idle.transport)  # a close would wait for the caller to take the rest
        else:
            idle.transport.close()
        return True

    @property
    def is_idle(self) -> bool:
        """Whether nothing is done for the caller, who is to do the next thing."""
        is_answered = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        waits = self.timeout_keep_alive_task is not None or self._is_stalled or self.transport.is_closing()
        return (is_answered or waits) and self.app is not _refuse

    def pause_writing(self) -> None:
        """Wait for the caller to take what has been sent."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self._limits.body_seconds, self._note_stall)

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        self._end_stall()

    def _note_stall(self) -> None:
        self._is_stalled = True

    def _end_stall(self) -> None:
        self._is_stalled = False
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer to what is no HTTP, or end the connection where the answer has begun already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        elif self.conn.our_state is h11.SEND_BODY:
            _reset(self.transport)
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what has arrived, and wait for the rest."""
        super().data_received(data)
        self._watch(has_new_data=True)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._watch(has_new_data=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_timer()
        self._end_stall()
        super().connection_lost(exc)

    def _watch(self, *, has_new_data: bool) -> None:
        """Set the timer for what is awaited: a head as a whole, the next bytes of a body, or nothing."""
        if self.app is _refuse:  # the timer that was set at first is for everything
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            if has_new_data or not self._awaits_body:
                self._stop_timer()
                self._start_timer(self._limits.body_seconds, self._give_up_body)
            self._awaits_body = True
            return
        if state is h11.IDLE and self.conn.trailing_data[0]:
            if self._timer is None or self._awaits_body:
                self._stop_timer()
                self._start_timer(self._limits.head_seconds, self._give_up)
        else:
            self._stop_timer()
        self._awaits_body = False

    def _start_timer(self, seconds: float, at_end: Callable[[], None]) -> None:
        self._timer = self.loop.call_later(seconds, at_end)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up_body(self) -> None:
        # Where the application does not take what has arrived, or has not asked for the body yet, the caller is not late.
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._start_timer(self._limits.body_seconds, self._give_up_body)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """End the connection; the application, if one is at work, finds that the caller has left."""
        if self.transport.is_closing():
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [(b"content-type", b"text/plain; charset=utf-8"), CLOSE_HEADER]
            for event in (h11.Response(status_code=408, headers=headers), h11.Data(data=TOO_SLOW), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    """Answer that there are too many connections, once a request of usual size has arrived, so that the answer is read."""
    arrived, more = 0, True
    while more and arrived < MOST_REFUSED_BYTES:
        message = await receive()
        arrived += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {"Retry-After": "5", "Connection": "close"}
    await error_response(503, "SERVER_UNAVAILABLE", "Too many connections: try again later.", headers)(
        scope, receive, send
    )


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
