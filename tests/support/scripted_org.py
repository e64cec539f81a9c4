"""An org with one job that follows a script."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
from mcp import Client
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from tests.support.orgs import Era, services_over
from tests.support.wire import JOB_ID

BASE = "/services/data/v63.0/jobs/ingest"


class ScriptedOrg:
    """An org with one job, whose state and counters move on with every call, and whose upload ends when the test allows it.

    Args:
        readings: the answers to the calls: a state with a counter, `BROKEN` for a status of 503, or `REFUSED` for a change that
            the job's state does not allow.
    """

    def __init__(self, *readings: tuple[str, int]) -> None:
        self._readings = list(readings)
        self.read = 0
        self.uploads: list[bytes] = []
        self.patches = 0
        self.upload_began = anyio.Event()
        self.upload_may_end = anyio.Event()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{BASE}/{JOB_ID}", self._job, methods=["GET", "PATCH"]),
                Route(f"{BASE}/{JOB_ID}/batches", self._batches, methods=["PUT"]),
            ]
        )

    async def _job(self, request: Request) -> Response:
        if request.method == "PATCH":
            self.patches += 1
        state, processed = self._readings[min(self.read, len(self._readings) - 1)]
        self.read += 1
        if state == "BROKEN":
            return Response(status_code=503)
        if state == "REFUSED":
            return JSONResponse([{"errorCode": "INVALIDJOBSTATE", "message": "Not in this state."}], 400)
        return JSONResponse({"id": JOB_ID, "state": state, "operation": "insert", "numberRecordsProcessed": processed})

    async def _batches(self, request: Request) -> Response:
        self.uploads.append(await request.body())
        self.upload_began.set()
        await self.upload_may_end.wait()
        return Response(status_code=201)


async def _no_pause(seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def scripted_agent(org: ScriptedOrg, folder: Path, era: Era = "auto", **options: Any) -> AsyncIterator[Client]:
    """A client of the nine tools over the scripted org, which runs in the loop of the test, so that both share its events."""
    transport = httpx2.ASGITransport(org.app())
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("a token")))
    async with httpx2.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        services = services_over(client, folder, tasks, **{"sleep": _no_pause, **options})
        async with Client(build_mcp(services, None), mode=era) as connected:
            yield connected
        tasks.cancel_scope.cancel()
