"""An org whose requests are recorded, for tests that check which requests are sent."""

import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp import Client
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.salesforce_emulator.caller import DATA, Caller, calling
from tests.support.asgi_server import running
from tests.support.orgs import Era, Recorder, services_over

GATE_SECONDS = 20


@dataclass
class Gate:
    """Holds requests of a method back from an application while the gate is closed: uploads, of which no row is read then."""

    app: ASGIApp
    method: str = "PUT"
    reached: threading.Event = field(default_factory=threading.Event)
    _opened: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == self.method:
            self.reached.set()
            await anyio.to_thread.run_sync(self._opened.wait, GATE_SECONDS)
        await self.app(scope, receive, send)

    def close(self) -> None:
        """Hold all these requests back."""
        self.reached.clear()
        self._opened.clear()

    def open(self) -> None:
        """Let all these requests through."""
        self._opened.set()

    async def reaches(self) -> None:
        """Wait until the gate holds a request back."""
        assert await anyio.to_thread.run_sync(self.reached.wait, GATE_SECONDS)


@dataclass
class WatchedOrg:
    """An embedded org behind a recorder and a gate.

    Attributes:
        url: base URL of the org.
        recorder: records the requests that reach the org.
        gate: holds uploads back.
    """

    url: str
    recorder: Recorder
    gate: Gate
    _caller: Caller

    def forget(self) -> None:
        """Empty the record of requests, and open the gate."""
        self.gate.open()
        self.gate.reached.clear()
        self.recorder.calls.clear()
        self.recorder.bodies.clear()

    @property
    def changes(self) -> list[str]:
        """The requests other than reads, with the id of a job replaced by a placeholder."""
        changing = [call for call in self.recorder.calls if not call.startswith(("GET", "DELETE /emulator"))]
        return [re.sub(r"\b750\w{12,15}\b", "JOB", call.replace(f"{DATA}/jobs/", "")) for call in changing]

    @property
    def uploads(self) -> list[bytes]:
        """The bodies of uploads, in the order in which they ended."""
        return [body for call, body in self.recorder.bodies if call.startswith("PUT")]

    async def upload_begins(self) -> None:
        """Wait until the gate holds an upload back."""
        await self.gate.reaches()

    def records(self, soql: str) -> list[dict[str, Any]]:
        """All records that a query selects."""
        return self._caller.records(soql)

    def go_wrong(self, *rules: Mapping[str, object]) -> None:
        """Put a plan of faults with these rules in force."""
        self._caller.go_wrong(*rules)

    def go_right(self) -> None:
        """Remove the plan of faults."""
        self._caller.go_right()


@contextmanager
def watched_org(folder: Path) -> Iterator[WatchedOrg]:
    """An embedded org in a folder."""
    gate = Gate(create_app(EmulatorConfig(data_dir=folder)))
    recorder = Recorder(gate)
    with running(recorder) as url, calling(url) as caller:
        yield WatchedOrg(url, recorder, gate, caller)


@asynccontextmanager
async def agent_keeping(
    org: WatchedOrg, folder: Path, *, era: Era = "auto", caches_results: bool = False, **options: Any
) -> AsyncIterator[Client]:
    """A client of a server whose ledger of uploads and whose files are in a folder. The end of the client ends the server.

    Args:
        org: the org that the server writes to.
        folder: the folder of the server's ledger of uploads, and the server's only upload root.
        era: the generation of the MCP protocol.
        caches_results: whether the server caches results in the folder, too.
        options: the options of `services_over`.
    """
    credentials = FixedCredentials(Credentials(org.url, SecretStr(ACCESS_TOKEN)))
    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        client_of_org = SalesforceClient(http, credentials, "63.0")
        job_files = JobFiles(folder / "spool", most_bytes=1_000_000, most_seconds=60) if caches_results else None
        options["job_files"] = job_files
        services = services_over(client_of_org, folder, tasks, **{"sleep": _soon, **options})
        async with Client(build_mcp(services, None), mode=era) as client:
            yield client
        tasks.cancel_scope.cancel()


async def _soon(seconds: float) -> None:
    await anyio.sleep(min(seconds, 0.02))
