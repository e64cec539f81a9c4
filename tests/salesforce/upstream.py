"""Stand-ins for Salesforce: a server with prepared answers on a real socket, and a login with a fixed token."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import anyio
from anyio.abc import SocketAttribute, SocketStream
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, CredentialSource, FixedCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from tests.support.asgi_server import running
from tests.support.canary import TOKEN

JOB_ID = "750000000000001AAA"
JOB = {"id": JOB_ID, "state": "Open", "object": "Account", "operation": "insert"}


@dataclass(frozen=True)
class Answer:
    """One answer of the upstream."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> "Answer":
        """An answer in JSON."""
        named = [(name.replace("_", "-"), text) for name, text in headers.items()]
        return cls(status, json.dumps(value).encode(), [("Content-Type", "application/json"), *named])


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    raw_path: bytes = b""


@dataclass
class Upstream:
    """An application that gives its answers in turn, repeats the last, and records the requests."""

    answers: list[Answer]
    seen: list[Seen] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            return await send({"type": "lifespan.shutdown.complete"})
        body, more = b"", True
        while more:
            message: Any = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        self.seen.append(Seen(scope["method"], scope["path"] + query, headers, body, scope["raw_path"]))
        self.before_answer()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})

    @property
    def methods(self) -> list[str]:
        """The methods of the requests."""
        return [request.method for request in self.seen]


class Stage:
    """A running server whose application can be changed, since starting a server for each test takes too long."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = Upstream([]) if scope["type"] == "lifespan" else self.app
        assert app is not None, "a request came after its test"
        await app(scope, receive, send)


_stages: list[tuple[Stage, str]] = []
_running = ExitStack()


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve the application for the time of the block and yield the base URL."""
    if not _stages:
        stage = Stage()
        _stages.append((stage, _running.enter_context(running(stage))))
    stage, url = _stages.pop()
    stage.app = app
    try:
        yield url
    finally:
        stage.app = None
        _stages.append((stage, url))


def stop_serving() -> None:
    """Stop the servers that `served` has started."""
    _stages.clear()
    _running.close()


@asynccontextmanager
async def raw_upstream(answer: bytes) -> AsyncIterator[str]:
    """A raw TCP server: it reads the head of a request, sends these bytes and hangs up."""

    async def handle(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            if answer:
                await stream.send(answer)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


def fixed(url: str, token: str = TOKEN) -> FixedCredentials:
    """A login with a token from the settings."""
    return FixedCredentials(Credentials(url, SecretStr(token)))


@asynccontextmanager
async def client_of(source: CredentialSource) -> AsyncIterator[SalesforceClient]:
    """A client of the org that the login names."""
    async with open_http(trust_env=False) as http:
        yield SalesforceClient(http, source, "63.0")


@dataclass
class TwoLogins:
    """A login as the CLI's: once its token is refused, it has another."""

    url: str
    tokens: list[str] = field(default_factory=lambda: ["stale", "fresh"])
    renewals: int = 0
    can_renew: ClassVar[bool] = True

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        return Credentials(self.url, SecretStr(self.tokens[0]))

    async def renew(self, refused: Credentials) -> Credentials | None:
        self.renewals += 1
        if len(self.tokens) == 1:
            return None
        self.tokens.pop(0)
        return await self.credentials()
