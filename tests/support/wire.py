"""Both sides of `/v1` on real sockets: an upstream that records its requests, the gateway, and callers that misbehave."""

import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import anyio
import anyio.abc
import httpx2
from anyio.abc import TaskGroup
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, CredentialSource, FixedCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening
from tests.support.canary import TOKEN, look
from tests.support.guarded import gateway_over, uploads_of

JOB_ID = "750000000000001AAA"
USERINFO = "/services/oauth2/userinfo"
ABOUT_THE_ORG = (USERINFO, "/services/data/v63.0/query")
"""What is asked about the user and the org after a login."""
EVERYTHING_ALLOWED = Policy(allowed_operations=frozenset({"delete", "hardDelete"}))
SOCKET_SECONDS = 10

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """A request as the upstream saw it; `whole` is false where the connection broke before the end of the body."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    whole: bool

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]


@dataclass
class Answer:
    """A response of the upstream."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b""


@dataclass
class Upstream:
    """An application that reads each request to the end, records it, and answers by method."""

    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        if scope["path"] in ABOUT_THE_ORG:
            return await tell_no_user(send)
        body, whole = await read_body(receive)
        self.seen.append(seen(scope, body, whole=whole))
        answer = self.answers.get(scope["method"], Answer())
        await start(send, answer.status, answer.headers)
        await send({"type": "http.response.body", "body": answer.body})

    def reset(self, **answers: Answer) -> None:
        """Empty the record of requests, and set new answers."""
        self.answers, self.seen = answers, []


@dataclass
class WithLifespan:
    """An application that closes its HTTP client at the end of its lifespan, on the loop that served it."""

    app: ASGIApp
    http: httpx2.AsyncClient

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await pass_lifespan(receive, send, self.http.aclose)
        else:
            await self.app(scope, receive, send)


def gateway_to(
    upstream_url: str,
    policy: Policy = EVERYTHING_ALLOWED,
    *,
    token: str = TOKEN,
    source: CredentialSource | None = None,
    read_seconds: float | None = None,
) -> ASGIApp:
    """The REST surface as `serve` builds it, in front of an upstream.

    Args:
        upstream_url: origin of the upstream.
        policy: what the operator allows.
        token: the access token that the upstream receives.
        source: credentials in place of the token.
        read_seconds: how long the gateway waits for an answer; None for the product's own time.
    """
    http = open_http(trust_env=False)
    if read_seconds is not None:
        http.event_hooks = {"request": [_waiting_at_most(read_seconds)]}
    source = source or FixedCredentials(Credentials(upstream_url, SecretStr(token)))
    client = SalesforceClient(http, source, "63.0")
    folder = Path(tempfile.mkdtemp(prefix="uploads-"))
    # A gateway starts no transfers of its own, so it never uses the task group.
    uploads = uploads_of(client, folder, SharedTasks(cast(TaskGroup, None)))
    rest = build_rest(gateway_over(client, uploads, folder, policy))
    return WithLifespan(HostGuard(rest, AllowedCallers.local_and()), http)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve on a free port, on the test's own loop, with the listener of the product; yields the base URL."""
    with bound_socket("127.0.0.1", 0) as bound:
        async with listening([Listener(app, bound, lifespan=True)]):
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@asynccontextmanager
async def gateway_before(upstream: ASGIApp, policy: Policy = EVERYTHING_ALLOWED) -> AsyncIterator[str]:
    """An upstream and the gateway in front of it, both on real ports of the test's loop; yields the gateway's URL.

    The upstream is not asked for the user of the token, whom the login does not tell.
    """

    async def telling_no_user(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") in ABOUT_THE_ORG:
            return await tell_no_user(send)
        await upstream(scope, receive, send)

    async with served(telling_no_user) as upstream_url, served(gateway_to(upstream_url, policy)) as url:
        yield url


@asynccontextmanager
async def served_raw(answer: bytes) -> AsyncIterator[str]:
    """An upstream that reads the head of a request, sends these bytes and hangs up; yields its base URL."""

    async def hang_up(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            if answer:
                await stream.send(answer)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, hang_up)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[anyio.abc.SocketStream]:
    """A bare connection, for requests that an HTTP client would not send."""
    parts = urlsplit(url)
    async with await anyio.connect_tcp(parts.hostname or "", parts.port or 0) as stream:
        yield stream


def exchanged(url: str, raw: bytes) -> bytes:
    """All bytes that the server sends in answer to these bytes, until it closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=SOCKET_SECONDS) as connection:
        connection.sendall(raw)
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))
    look("the bytes of an answer", answered)
    return answered


def request_bytes(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """A request exactly as given, with a Host and without keep-alive."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def status_of(raw: bytes) -> int:
    """The HTTP status of a raw response."""
    return int(raw.split(b" ", 2)[1])


def seen(scope: Scope, body: bytes, *, whole: bool) -> Seen:
    """The request of this scope, as the upstream saw it."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return Seen(scope["method"], scope["path"], scope["query_string"].decode(), headers, body, whole)


async def read_body(receive: Receive) -> tuple[bytes, bool]:
    """The body of a request, and whether the body is complete."""
    body, message = bytearray(), await receive()
    while message.get("more_body", False):
        body += message["body"]
        message = await receive()
    return bytes(body + message.get("body", b"")), message["type"] == "http.request"


async def tell_no_user(send: Send) -> None:
    """Answer userinfo, or a query for the org's name, as an org does whose login lacks the scope for it."""
    await start(send, 403, [("content-length", "0")])
    await send({"type": "http.response.body", "body": b""})


async def start(send: Send, status: int, headers: Headers) -> None:
    """Send the status and headers of a response."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def pass_lifespan(receive: Receive, send: Send, at_end: Callable[[], Awaitable[None]] | None = None) -> None:
    """Answer the messages of a lifespan: start, then stop."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    if at_end is not None:
        await at_end()
    await send({"type": "lifespan.shutdown.complete"})


def _waiting_at_most(seconds: float) -> Callable[[httpx2.Request], Awaitable[None]]:
    async def set_timeout(request: httpx2.Request) -> None:
        request.extensions["timeout"] = {"connect": 5, "write": 5, "read": seconds, "pool": 5}

    return set_timeout
