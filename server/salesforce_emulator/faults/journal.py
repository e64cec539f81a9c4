"""The journal of requests: what was requested and how it ended, without bodies, tokens or secrets."""

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
from salesforce_emulator.faults.request_operations import (
    MAX_PATCH_BYTES,
    RequestOperation,
    patch_operation,
    request_operation,
)

SIZE = 1000  # requests
RECORDED_PARAMETERS = ("isPkChunkingEnabled", "jobType", "queryLocator")
MAX_CHARACTERS = 300  # of a path, a parameter or a client's name

End = Literal["complete", "reset", "caller left", "error"]


@dataclass(slots=True)
class JournalEntry:
    """One request and its outcome.

    Attributes:
        time: when the request came in, as the REST API prints times.
        method: HTTP method.
        path: path of the URL.
        query: parameters of the URL that can't hold secrets.
        operation: what the request does.
        job_id: id of the job in the path, or of the job that the request has created.
        client: name of the client in Sforce-Call-Options, or else in User-Agent.
        began: reading of the performance counter when the request came in, in seconds.
        number: number of the request in the order in which requests ended, from 1; 0 before its end.
        faults: faults of the plan that happened to the request, in order.
        status: HTTP status; None if the response did not begin.
        ended: how the request ended; None before its end.
        milliseconds: duration, up to the last byte handed to the server.
        bytes_in: bytes of the request body on the wire.
        bytes_out: bytes of the response body on the wire.
    """

    time: str
    method: str
    path: str
    query: dict[str, str]
    operation: RequestOperation
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

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON."""
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
    """The last SIZE requests that have ended, oldest first."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ended: deque[JournalEntry] = deque(maxlen=SIZE)
        self._count = 0

    def begin(self, scope: Scope) -> JournalEntry:
        """Return the entry of a request that has just come in."""
        headers = Headers(scope=scope)
        operation, job_id = request_operation(scope["method"], scope["path"])
        return JournalEntry(
            time=rest_time(self._clock()),
            method=scope["method"],
            path=scope["path"][:MAX_CHARACTERS],
            query=_harmless(scope["query_string"]),
            operation=operation,
            job_id=job_id[:MAX_CHARACTERS] if job_id else None,
            client=_client(headers),
            began=time.perf_counter(),
        )

    def end(self, entry: JournalEntry, ended: End) -> None:
        """Record the end of a request; only the first call for an entry counts."""
        if entry.ended is not None:
            return
        self._count += 1
        entry.number = self._count
        entry.ended = ended
        entry.milliseconds = round((time.perf_counter() - entry.began) * 1000)
        self._ended.append(entry)

    def after(self, number: int) -> list[JournalEntry]:
        """Return the entries whose number is higher than this one."""
        return [entry for entry in self._ended if entry.number > number]

    def clear(self) -> None:
        """Remove all entries; the numbers of the next requests go on."""
        self._ended.clear()


def _harmless(query: bytes) -> dict[str, str]:
    parameters = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {name: value[:MAX_CHARACTERS] for name, value in parameters if name in RECORDED_PARAMETERS}


def _client(headers: Headers) -> str | None:
    named = re.search(r"client=([^,]+)", headers.get("Sforce-Call-Options", ""))
    name = named[1].strip() if named else headers.get("User-Agent")
    return name[:MAX_CHARACTERS] if name else None


def journal_entry_of(scope: Scope) -> JournalEntry:
    """Return the journal entry of this request."""
    return cast(JournalEntry, scope["state"]["journal_entry"])


class JournalMiddleware:
    """Records every request; outermost, so that it sees responses as they go over the wire."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        journal: Journal = scope["state"]["org"].journal
        entry = scope["state"]["journal_entry"] = journal.begin(scope)
        has_left = False

        async def counted_receive() -> Message:
            nonlocal has_left
            message = await receive()
            entry.bytes_in += len(message.get("body", b""))
            has_left = has_left or message["type"] == "http.disconnect"
            return message

        async def counted_send(message: Message) -> None:
            if has_left:
                return journal.end(entry, "caller left")
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif entry.method != "HEAD":
                entry.bytes_out += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                journal.end(entry, "complete")  # before the caller sees the end, so that it finds the entry
            await send(message)

        app_receive: Receive = counted_receive
        if entry.operation == "close":
            body, app_receive = await _read_start(counted_receive)
            entry.operation = patch_operation(body, compressed="content-encoding" in Headers(scope=scope))
        try:
            await self._app(scope, app_receive, counted_send)
        finally:
            journal.end(entry, "caller left" if has_left else "error")


async def _read_start(receive: Receive) -> tuple[bytes, Receive]:
    """Return the body, empty if it has more than MAX_PATCH_BYTES, and a `receive` that repeats what was read."""
    messages: list[Message] = []
    size, more = 0, True
    while more and size < MAX_PATCH_BYTES:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        more = messages[-1].get("more_body", False)
    again = _replayed(messages)

    async def replay() -> Message:
        return next(again, None) or await receive()

    # The last message may have exceeded the limit: how the body was cut into messages must not matter.
    small = b"".join(message.get("body", b"") for message in messages) if size <= MAX_PATCH_BYTES else b""
    return small, replay


def _replayed(messages: list[Message]) -> Iterator[Message]:
    yield from messages
