"""Waits and transfers belong to the server: they report, they end in time, and a call that ends stops only itself."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from salesforce_bulk_ingest.app import build_mcp
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.mcp_server.answers.answer import DeleteAnswer
from salesforce_bulk_ingest.mcp_server.tool_schema import closed_tool
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.results.page_size import default_page_size
from salesforce_bulk_ingest.results.pages import PageRequest
from salesforce_bulk_ingest.salesforce.auth import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.transport import open_http
from tests.support.asgi_server import running
from tests.support.orgs import ERAS, Era, call, refusal, services_over, text_of

JOB_ID = "750000000000001AAA"
BASE = "/services/data/v63.0/jobs/ingest"


class ScriptedOrg:
    """One job whose counters move with every reading, and an upload that ends when it is told to."""

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
        return JSONResponse({"id": JOB_ID, "state": state, "operation": "insert", "numberRecordsProcessed": processed})

    async def _batches(self, request: Request) -> Response:
        self.uploads.append(await request.body())
        self.upload_began.set()
        await self.upload_may_end.wait()
        return Response(status_code=201)


async def _no_pause(seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def agent_of(org: ScriptedOrg, folder: Path, era: Era = "auto", **options: Any) -> AsyncIterator[Client]:
    """The org runs in this loop, over its ASGI face, so that its events can be shared with the test."""
    transport = httpx2.ASGITransport(org.app())
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("a token")))
    async with httpx2.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        services = services_over(client, folder, tasks, sleep=_no_pause, **options)
        async with Client(build_mcp(services, None), mode=era) as connected:
            yield connected
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_reports_rows_as_they_are_processed_and_ends_with_the_job(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(
        ("InProgress", 0), ("InProgress", 200), ("InProgress", 200), ("InProgress", 600), ("JobComplete", 800)
    )
    seen: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with agent_of(org, tmp_path, era) as client:
        result = await client.call_tool(
            "get-ingest-job-status", {"jobId": JOB_ID, "waitSeconds": 45}, progress_callback=on_progress
        )
        assert result.structured_content is not None and result.structured_content["state"] == "JobComplete"
        with anyio.fail_after(5):
            while len(seen) < 4:
                await anyio.lowlevel.checkpoint()
    assert seen == [0, 200, 600, 800]


async def test_without_a_wait_the_job_is_read_once(tmp_path: Path) -> None:
    org = ScriptedOrg(("InProgress", 200))
    async with agent_of(org, tmp_path) as client:
        answer = await call(client, "get-ingest-job-status", jobId=JOB_ID)
    assert (org.read, answer["state"]) == (1, "InProgress")
    assert "waitSeconds 45" in answer["next"]


async def test_a_wait_that_ends_first_leaves_the_job_alone_and_says_how_to_go_on(tmp_path: Path) -> None:
    org = ScriptedOrg(("InProgress", 200))
    async with agent_of(org, tmp_path, seconds_left=lambda: 0.0) as client:
        answer = await call(client, "get-ingest-job-status", jobId=JOB_ID, waitSeconds=45)
    assert answer["state"] == "InProgress" and org.patches == 0
    assert re.search("waitSeconds 45 until the job is done", answer["next"])


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_upload_goes_on_and_the_same_call_joins_it(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}
    async with agent_of(org, tmp_path, era) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "upload-data-ingest-job", upload)
            with anyio.fail_after(5):
                await org.upload_began.wait()
            tasks.cancel_scope.cancel()
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}}
        assert "still under way" in await refusal(client, "close-abort-ingest-job", **closing)
        other = {"jobId": JOB_ID, "body": {"csv": "Name\nOther\n"}}
        assert "other rows" in await refusal(client, "upload-data-ingest-job", **other)
        org.upload_may_end.set()
        result = await client.call_tool("upload-data-ingest-job", upload)
        assert result.structured_content is not None, text_of(result)
        assert result.structured_content["status"] in {"uploaded", "already uploaded"}
    assert (org.uploads, org.patches) == ([b"Name\nAcme\n"], 0)


async def test_an_upload_that_outlasts_its_call_says_how_far_it_is(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}
    # Time for the checks, and none for the upload.
    async with agent_of(org, tmp_path, seconds_left=cycle([10.0, 0.0]).__next__) as client:
        assert (await call(client, "upload-data-ingest-job", **upload))["status"] == "in progress"
        with anyio.fail_after(5):
            await org.upload_began.wait()
        joined = await call(client, "upload-data-ingest-job", **upload)
        assert (joined["status"], joined["bytesDone"], joined["bytes"]) == ("in progress", 10, 10)
        assert "10 so far; it goes on by itself" in joined["summary"]
        assert f"Call upload-data-ingest-job with jobId {JOB_ID} and the same data; it joins" in joined["next"]
        org.upload_may_end.set()


async def test_a_job_whose_upload_was_cut_off_is_not_closed(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    await Ledger(tmp_path / "uploads.sqlite3").record("127.0.0.1", JOB_ID, UploadRecord("sending", "a digest", 10))
    async with agent_of(org, tmp_path) as client:
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}}
        assert "may or may not have its rows" in await refusal(client, "close-abort-ingest-job", **closing)
        await call(client, "close-abort-ingest-job", jobId=JOB_ID, body={"state": "Aborted"})
    assert org.patches == 1


async def test_a_close_that_took_effect_is_reported_even_when_the_next_reading_fails(tmp_path: Path) -> None:
    """A model that takes a close for failed loads the rows again."""
    org = ScriptedOrg(("Open", 0), ("UploadComplete", 0), ("BROKEN", 0))
    async with agent_of(org, tmp_path) as client:
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        answer = await call(client, "close-abort-ingest-job", **closing)
    assert (answer["changed"], answer["state"], org.patches) == (True, "UploadComplete", 1)


async def test_two_calls_at_once_send_the_rows_once(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    org.upload_may_end.set()
    statuses: list[str] = []

    async with agent_of(org, tmp_path) as client:

        async def upload() -> None:
            answer = await call(client, "upload-data-ingest-job", jobId=JOB_ID, body={"csv": "Name\nAcme\n"})
            statuses.append(answer["status"])

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(upload)
    assert org.uploads == [b"Name\nAcme\n"]
    assert set(statuses) <= {"uploaded", "already uploaded"} and len(statuses) == 5


async def test_after_a_lost_answer_the_rows_are_not_sent_again(tmp_path: Path) -> None:
    arrived: list[bytes] = []

    async def loses_the_answer(request: Request) -> Response:
        arrived.append(await request.body())
        raise ConnectionError

    async def job(request: Request) -> Response:
        return JSONResponse({"id": JOB_ID, "state": "Open"})

    app = Starlette(
        routes=[Route(f"{BASE}/{JOB_ID}", job), Route(f"{BASE}/{JOB_ID}/batches", loses_the_answer, methods=["PUT"])]
    )
    with running(app) as url:
        async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
            client = SalesforceClient(http, FixedCredentials(Credentials(url, SecretStr("a token"))), "63.0")
            async with Client(build_mcp(services_over(client, tmp_path, tasks), None)) as connected:
                upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}
                await refusal(connected, "upload-data-ingest-job", **upload)
                again = await refusal(connected, "upload-data-ingest-job", **upload)
    assert "may or may not have its rows" in again
    assert "may still be under way in another server" in again
    assert 0 < again.index("make the same call again") < again.index("Only if it stays so, abort this job")
    assert arrived == [b"Name\nAcme\n"]


async def test_a_call_that_runs_out_of_time_says_so_and_what_to_look_at() -> None:
    async def endless(jobId: str) -> Annotated[CallToolResult, DeleteAnswer]:
        """Never answers."""
        return await endless_create()

    async def endless_create() -> Annotated[CallToolResult, DeleteAnswer]:
        """Never answers, and nobody has the id of what it made."""
        await anyio.sleep_forever()
        raise NotImplementedError

    tools: list[Tool] = []
    for never in (endless, endless_create):
        name = never.__name__
        tool = closed_tool(never, name=name, title=name, read_only=False, destructive=False, idempotent=False)
        tool.longest_call_seconds = 0
        tools.append(tool)
    async with Client(MCPServer("test", tools=tools)) as client:
        text = await refusal(client, "endless", jobId=JOB_ID)
        assert text.startswith("endless did not finish within 0 s") and "get-ingest-job-status" in text
        assert "Look with list-all-ingest-jobs" in await refusal(client, "endless_create")


async def test_a_result_that_stalls_gives_what_came_and_says_that_it_is_not_all(tmp_path: Path) -> None:
    async def job(request: Request) -> Response:
        return JSONResponse({"id": JOB_ID, "state": "JobComplete"})

    async def stalls(request: Request) -> Response:
        async def rows() -> AsyncIterator[bytes]:
            yield b'"sf__Id","sf__Error",Name\n"","A_CODE:broken:Name --","Acme"\n'
            await anyio.sleep_forever()

        return StreamingResponse(rows(), media_type="text/csv")

    app = Starlette(routes=[Route(f"{BASE}/{JOB_ID}", job), Route(f"{BASE}/{JOB_ID}/failedResults", stalls)])
    with running(app) as url:
        async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
            client = SalesforceClient(http, FixedCredentials(Credentials(url, SecretStr("A.TOKEN"))), "63.0")
            services = services_over(client, tmp_path, tasks, seconds_left=lambda: 1.5)
            _, page = await services.operations.results.page(
                JOB_ID, "failedResults", request=PageRequest(), page_size=default_page_size()
            )
            async with Client(build_mcp(services, None)) as connected:
                answer = await call(connected, "get-failed-results-ingest-job", jobId=JOB_ID, offset=1)
                with pytest.raises(MCPError, match="Time ran out before the row at offset 1 came in"):
                    await connected.read_resource(f"salesforce-bulk://jobs/{JOB_ID}/failed-results?offset=1")
            store = JobFiles(tmp_path / "spool", most_bytes=1_000, most_seconds=60)
            kept = ResultFetcher(client, store, Ledger(tmp_path / "uploads.sqlite3"), SharedTasks(tasks))
            services = services_over(client, tmp_path, tasks, seconds_left=lambda: 0.5, fetcher=kept)
            async with Client(build_mcp(services, None)) as connected:
                on_its_way = await call(connected, "get-failed-results-ingest-job", jobId=JOB_ID)
                with pytest.raises(MCPError, match="Time ran out before the row at offset 0 came in"):
                    await connected.read_resource(f"salesforce-bulk://jobs/{JOB_ID}/failed-results")
            tasks.cancel_scope.cancel()
    assert (on_its_way["summary"], on_its_way["next"]) == snapshot(
        (
            "The failed results of job 750000000000001AAA, which is JobComplete, are still on their way here, 60 bytes so far; that goes on by itself.",
            "Call again with the same arguments.",
        )
    )
    assert (len(page.rows), page.next_offset, page.total) == (1, 1, None)
    assert [(group.code, group.count) for group in page.error_groups] == [("A_CODE", 1)]
    assert answer["summary"].startswith("Time ran out before the row at offset 1") and answer["nextOffset"] == 1
