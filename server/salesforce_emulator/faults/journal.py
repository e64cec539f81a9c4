"""The journal: what callers asked for and what they met, without bodies, tokens or secrets."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator.clock import rest_time
from salesforce_emulator.faults.call_names import MAX_CHANGE_BYTES, Operation, change_of, operation_of

SIZE = 1000
SHOWN_PARAMETERS = ("isPkChunkingEnabled", "jobType", "queryLocator")
MAX_CHARACTERS = 300  # of a path, a parameter or a name

End = Literal["complete", "reset", "caller left", "error"]


@dataclass(slots=True)
class Exchange:
    """One request and what became of it.

    Attributes:
        number: counts ended requests from 1; 0 while it lasts.
        query: the parameters that are known to be harmless.
        job_id: that the path names, or that the request has created.
        client: as Sforce-Call-Options or else User-Agent names it.
        faults: that acted, in order.
        status: None if no answer was begun.
        ended: how, once it has.
        milliseconds: from its first line to the last byte handed to the server.
        bytes_in, bytes_out: of the two bodies as they went over the wire.
    """

    time: str
    method: str
    path: str
    query: dict[str, str]
    operation: Operation
    job_id: str | None
    client: str | None
    began: float
    number: int = 0
    faults: list[str] = field(default_factory=list)
    status: int | None = None
    ended: End | None = None
    milliseconds: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "number": self.number,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "operation": self.operation,
            "jobId": self.job_id,
            "status": self.status,
            "ended": self.ended,
            "milliseconds": self.milliseconds,
            "bytesIn": self.bytes_in,
            "bytesOut": self.bytes_out,
            "client": self.client,
            "faults": self.faults,
        }


class Journal:
    """The last requests that have ended, oldest first."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ended: deque[Exchange] = deque(maxlen=SIZE)
        self._count = 0

    def begin(self, scope: Scope) -> Exchange:
        """A request that has just come in."""
        headers = Headers(scope=scope)
        operation, job_id = operation_of(scope["method"], scope["path"])
        return Exchange(
            time=rest_time(self._clock()),
            method=scope["method"],
            path=scope["path"][:MAX_CHARACTERS],
            query=_harmless(scope["query_string"]),
            operation=operation,
            job_id=job_id[:MAX_CHARACTERS] if job_id else None,
            client=_client(headers),
            began=time.perf_counter(),
        )

    def end(self, exchange: Exchange, ended: End) -> None:
        """Enter the request, unless it has been: what ended it first is how it ended."""
        if exchange.ended is not None:
            return
        self._count += 1
        exchange.number = self._count
        exchange.ended = ended
        exchange.milliseconds = round((time.perf_counter() - exchange.began) * 1000)
        self._ended.append(exchange)

    def after(self, number: int) -> list[Exchange]:
        """The requests that ended after the one with this number."""
        return [exchange for exchange in self._ended if exchange.number > number]

    def clear(self) -> None:
        """Forget them; the numbers go on."""
        self._ended.clear()


def _harmless(query: bytes) -> dict[str, str]:
    parameters = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {name: value[:MAX_CHARACTERS] for name, value in parameters if name in SHOWN_PARAMETERS}


def _client(headers: Headers) -> str | None:
    named = re.search(r"client=([^,]+)", headers.get("Sforce-Call-Options", ""))
    name = named[1].strip() if named else headers.get("User-Agent")
    return name[:MAX_CHARACTERS] if name else None


def exchange_of(scope: Scope) -> Exchange:
    """The entry that this request will make."""
    return cast(Exchange, scope["state"]["exchange"])


class Journaled:
    """Enters every request that passes; outside of all that could change or break an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        journal: Journal = scope["state"]["org"].journal
        exchange = scope["state"]["exchange"] = journal.begin(scope)
        gone = False

        async def counted_receive() -> Message:
            nonlocal gone
            message = await receive()
            exchange.bytes_in += len(message.get("body", b""))
            gone = gone or message["type"] == "http.disconnect"
            return message

        async def counted_send(message: Message) -> None:
            if gone:
                return journal.end(exchange, "caller left")
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            elif exchange.method != "HEAD":
                exchange.bytes_out += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                journal.end(exchange, "complete")  # before the caller can know, so that it finds the entry
            await send(message)

        app_receive: Receive = counted_receive
        if exchange.operation == "close":
            body, app_receive = await _looked_into(counted_receive)
            exchange.operation = change_of(body, compressed="content-encoding" in Headers(scope=scope))
        try:
            await self._app(scope, app_receive, counted_send)
        finally:
            journal.end(exchange, "caller left" if gone else "error")


async def _looked_into(receive: Receive) -> tuple[bytes, Receive]:
    """The body, nothing if it is not small, and a `receive` that begins with it again."""
    messages: list[Message] = []
    size, more = 0, True
    while more and size < MAX_CHANGE_BYTES:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        more = messages[-1].get("more_body", False)
    again = _replayed(messages)

    async def replay() -> Message:
        return next(again, None) or await receive()

    # However many messages the server made of it: what is too long must not depend on how it arrived.
    small = b"".join(message.get("body", b"") for message in messages) if size <= MAX_CHANGE_BYTES else b""
    return small, replay


def _replayed(messages: list[Message]) -> Iterator[Message]:
    yield from messages
