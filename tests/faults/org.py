"""An embedded org that goes wrong on request, and servers in front of it whose calls end soon."""

import gzip
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from salesforce_emulator.config import Limits
from salesforce_emulator.faults.request_operations import request_operation
from tests.salesforce_emulator.caller import FAULTS, Caller, calling
from tests.support.asgi_server import running
from tests.support.orgs import Era, WatchingClient, services_over
from tests.support.wire import served

ANSWER_SECONDS = 0.5
"""How long the server waits for an answer of the org once things go wrong; the product waits for half a minute and more."""

LATE_SECONDS = 1
"""Longer than the server waits."""

HIDDEN_COLUMN = "BillingCity"
"""The column of the rows whose cells the server hides."""

MOST_REQUESTS = 1_000_000


@dataclass(frozen=True, slots=True)
class OrgAnswer:
    """An answer of the org, whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, parts: list[Message]) -> "OrgAnswer":
        """The answer in these messages, unpacked where it is compressed."""
        headers = [(name.lower(), value) for name, value in parts[0]["headers"]]
        body = b"".join(part.get("body", b"") for part in parts[1:])
        if (b"content-encoding", b"gzip") in headers:
            headers.remove((b"content-encoding", b"gzip"))
            body = gzip.decompress(body)
        return cls(parts[0]["status"], tuple(headers), b"").with_body(body)

    def with_body(self, body: bytes, **headers: str) -> "OrgAnswer":
        """The answer with another body, and headers in place of those of the same names."""
        changed = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        changed[b"content-length"] = str(len(body)).encode()
        kept = [(name, value) for name, value in self.headers if name.lower() not in changed]
        return replace(self, body=body, headers=(*kept, *changed.items()))


class Lost(Exception):
    """An answer that never comes; the request took effect."""


Alteration = Callable[[OrgAnswer], OrgAnswer]


@dataclass
class WrongUpstream:
    """The org behind a function that alters its answers.

    Attributes:
        app: the org.
        operation: the operation whose answers are altered.
        alter: alters an answer; it may raise `Lost`.
        times: how many answers are altered.
    """

    app: ASGIApp
    operation: str = ""
    alter: Alteration | None = None
    times: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._hits(scope):
            return await self.app(scope, receive, send)
        self.times -= 1
        alter = self.alter
        assert alter is not None
        parts: list[Message] = []

        async def keep(message: Message) -> None:
            parts.append(message)

        await self.app(scope, receive, keep)
        try:
            answer = alter(OrgAnswer.of(parts))
        except Lost:
            while (await receive())["type"] != "http.disconnect":  # the server gives up first
                pass
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    def _hits(self, scope: Scope) -> bool:
        return self.times > 0 and request_operation(scope["method"], scope["path"])[0] == self.operation


@dataclass
class Killer:
    """The org behind a function that kills a process at one of its requests.

    Attributes:
        app: the org.
        kill: kills the process; None once it has.
        spared: how many requests come before.
        takes_effect: whether the request still takes effect.
    """

    app: ASGIApp
    kill: Callable[[], None] | None = None
    spared: int = 0
    takes_effect: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kill = self.kill
        if scope["type"] != "http" or kill is None or scope["path"].startswith("/emulator"):
            return await self.app(scope, receive, send)
        if self.spared:
            self.spared -= 1
            return await self.app(scope, receive, send)
        self.kill = None

        async def kept(message: Message) -> None:
            pass

        if self.takes_effect:
            await self.app(scope, receive, kept)
        kill()
        while (await receive())["type"] != "http.disconnect":
            pass


@dataclass
class FaultyOrg:
    """An embedded org that goes wrong on request.

    Attributes:
        url: base URL of the org.
        upstream: alters its answers.
        killer: kills a server at a request.
        caller: a client of the org itself.
    """

    url: str
    upstream: WrongUpstream
    killer: Killer
    caller: Caller

    def go_wrong(self, *rules: Mapping[str, Any]) -> None:
        """Put a plan of faults with these rules in force."""
        self.caller.go_wrong(*rules)

    def go_right(self) -> None:
        """Remove the faults, and alter no more answers."""
        self.caller.go_right()
        self.upstream.times = 0

    def free_stuck_jobs(self) -> None:
        """Remove the plan of faults if it is what keeps jobs from ending; any other plan stays in force."""
        rules = self.caller.http.get(FAULTS).json()["rules"]
        if any(rule["fault"] == "stuck-job" for rule in rules):
            self.caller.go_right()

    def accounts(self, mark: str) -> Counter[str]:
        """How many accounts have each of the names that begin with a mark."""
        page = self.caller.query(f"SELECT Name FROM Account WHERE Name LIKE '{mark} %'")
        assert page["done"], "more than one page of records"
        return Counter(str(record["Name"]) for record in page["records"])

    def insert_with_phones(self, names: Sequence[str]) -> dict[str, str]:
        """Insert an account with a phone for each name; return the phones by the ids of the accounts."""
        self.caller.load("Name,Phone\n" + "".join(f"{name},{number}\n" for number, name in enumerate(names)))
        return self.phones(names[0].partition(" ")[0])

    def phones(self, mark: str) -> dict[str, str]:
        """The phones of the accounts whose names begin with a mark, by the ids of the accounts."""
        page = self.caller.query(f"SELECT Id, Phone FROM Account WHERE Name LIKE '{mark} %'")
        return {str(record["Id"]): str(record["Phone"]) for record in page["records"]}


@contextmanager
def faulty_org(folder: Path) -> Iterator[FaultyOrg]:
    """An embedded org in a folder."""
    limits = Limits(daily_requests=MOST_REQUESTS, daily_batches=MOST_REQUESTS)
    upstream = WrongUpstream(create_app(EmulatorConfig(data_dir=folder, limits=limits)))
    killer = Killer(upstream)
    with running(killer) as url, calling(url) as caller:
        yield FaultyOrg(url, upstream, killer, caller)


@dataclass
class Patience:
    """How long a server waits for an answer of the org.

    Attributes:
        seconds: the time; long, until it is shortened.
    """

    seconds: float = 20

    def shorten(self) -> None:
        """Wait less than the answers take that are late on purpose."""
        self.seconds = ANSWER_SECONDS

    async def limit(self, request: httpx2.Request) -> None:
        """Set the time of a request."""
        request.extensions["timeout"] = {"connect": 5, "write": 5, "read": self.seconds, "pool": 5}


@dataclass(frozen=True, slots=True)
class Server:
    """A server of both surfaces.

    Attributes:
        patience: how long it waits for answers of the org.
        tools: a client of the nine tools.
        gateway: the operations of `/v1`.
        folder: what the server keeps, and its only upload root.
    """

    patience: Patience
    tools: Client
    gateway: Gateway
    folder: Path


@asynccontextmanager
async def server(org_url: str, folder: Path, *, era: Era = "auto") -> AsyncIterator[Server]:
    """A server in front of an org, with what it keeps in a folder."""
    credentials = FixedCredentials(Credentials(org_url, SecretStr(ACCESS_TOKEN)))
    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        patience = Patience()
        http.event_hooks = {"request": [patience.limit]}
        client = SalesforceClient(http, credentials, "63.0")
        job_files = JobFiles(folder / "spool", most_bytes=10_000_000, most_seconds=3_600)
        hidden = HiddenFields((HIDDEN_COLUMN,))
        services = services_over(client, folder, tasks, hidden=hidden, sleep=_shortly, job_files=job_files)
        async with WatchingClient(build_mcp(services, None), mode=era) as tools:
            yield Server(patience, tools, services.gateway, folder)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def rest_of(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the `/v1` of a server, which is on a free port."""
    async with served(build_rest(server.gateway)) as url:
        async with httpx2.AsyncClient(base_url=f"{url}/v1/jobs/ingest", trust_env=False) as client:
            yield client


async def _shortly(seconds: float) -> None:
    await anyio.sleep(min(seconds, 0.02))
