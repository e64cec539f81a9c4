"""Rows go into a job once, whichever way they come."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_bulk_ingest.base.errors import UploadConflict, UploadUnderWay
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.upload_once import UploadBody, Uploads
from salesforce_bulk_ingest.salesforce.auth import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Rejected, UnexpectedAnswer, Unreachable, WrongState
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.responses import CHUNK_BYTES
from tests.support.contents import BytesContent
from tests.support.orgs import uploads_of

JOB_ID = "750000000000001AAA"
OPEN = Job(id=JOB_ID, state="Open")
DONE = Job(id=JOB_ID, state="JobComplete")
ROWS = b"Name\nAcme\n"
CONTENT = BytesContent(ROWS)
ORG = Org("127.0.0.1", "local org")


class Upstream:
    """Answers every upload in the same way, when it is told to."""

    def __init__(self, status: int) -> None:
        self.puts: list[bytes] = []
        self.may_answer = anyio.Event()
        self._status = status

    async def batches(self, request: Request) -> Response:
        self.puts.append(await request.body())
        await self.may_answer.wait()
        return Response("[]", self._status)


@asynccontextmanager
async def uploads_to(org: Upstream, folder: Path) -> AsyncIterator[tuple[Uploads, Gateway]]:
    path = f"/services/data/v63.0/jobs/ingest/{JOB_ID}/batches"
    transport = httpx2.ASGITransport(Starlette(routes=[Route(path, org.batches, methods=["PUT"])]))
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("A.TOKEN")))
    async with httpx2.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        uploads = uploads_of(client, folder, SharedTasks(tasks))
        yield uploads, Gateway(client, Policy(), uploads)
        tasks.cancel_scope.cancel()


def through_v1() -> Call:
    return Call("PUT", f"/{JOB_ID}/batches", content=b"Name\nREST\n", carries_rows=True)


async def test_while_rows_stream_through_v1_a_tool_sends_none_and_closes_nothing(tmp_path: Path) -> None:
    org = Upstream(201)
    async with uploads_to(org, tmp_path) as (uploads, gateway), anyio.create_task_group() as tasks:

        async def stream() -> None:
            async with gateway.forward(through_v1(), JOB_ID) as answer:
                assert answer.status_code == 201

        tasks.start_soon(stream)
        with anyio.fail_after(5):
            while not org.puts:
                await anyio.lowlevel.checkpoint()
        with pytest.raises(UploadUnderWay):
            await uploads.begin(ORG, OPEN, CONTENT)
        with pytest.raises(UploadUnderWay):
            await uploads.check_closable(ORG, JOB_ID)
        org.may_answer.set()
    assert org.puts == [b"Name\nREST\n"]


@pytest.mark.parametrize(("status", "taken"), [(201, True), (200, False), (400, False)])
async def test_rows_through_v1_are_remembered_once_salesforce_has_taken_them(
    status: int, taken: bool, tmp_path: Path
) -> None:
    org = Upstream(status)
    org.may_answer.set()
    async with uploads_to(org, tmp_path) as (uploads, gateway):
        async with gateway.forward(through_v1(), JOB_ID) as answer:
            assert answer.status_code == status
        await uploads.check_closable(ORG, JOB_ID)
        if taken:
            with pytest.raises(UploadConflict, match="sent through /v1"):
                await uploads.begin(ORG, OPEN, CONTENT)
        else:
            assert await uploads.begin(ORG, OPEN, CONTENT) is not None


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (503, Rejected), (200, UnexpectedAnswer), (302, UnexpectedAnswer)]
)
async def test_after_a_refusal_the_rows_may_go_again_only_if_none_can_have_been_kept(
    status: int, error: type[Exception], tmp_path: Path
) -> None:
    org = Upstream(status)
    org.may_answer.set()
    async with uploads_to(org, tmp_path) as (uploads, _):
        upload = await uploads.begin(ORG, OPEN, CONTENT)
        assert upload is not None
        with pytest.raises(error):
            await upload.wait(5)
        if status == 400:
            assert await uploads.begin(ORG, OPEN, CONTENT) is not None
        else:
            with pytest.raises(UploadConflict, match="may or may not"):
                await uploads.begin(ORG, OPEN, CONTENT)


async def test_a_job_that_is_over_is_never_said_to_be_free_for_another_try(tmp_path: Path) -> None:
    """Its rows may be loaded: advice to start again would double them."""
    await Ledger(tmp_path / "uploads.sqlite3").record("127.0.0.1", JOB_ID, UploadRecord("sending", "another digest", 1))
    async with uploads_to(Upstream(201), tmp_path) as (uploads, _):
        with pytest.raises(WrongState, match="The job is JobComplete"):
            await uploads.begin(ORG, DONE, CONTENT)


async def test_of_two_servers_with_one_record_one_sends(tmp_path: Path) -> None:
    org = Upstream(201)
    async with uploads_to(org, tmp_path) as (first, _), uploads_to(org, tmp_path) as (second, _):
        await first.begin(ORG, OPEN, CONTENT)
        with pytest.raises(UploadConflict, match="goes on in another server"):
            await second.begin(ORG, OPEN, CONTENT)


async def test_a_record_that_another_process_locks_does_not_make_a_second_upload(tmp_path: Path) -> None:
    """The lock falls between the sending and the answer: the record on disk still says that rows are on their way."""
    org = Upstream(201)
    async with uploads_to(org, tmp_path) as (uploads, _):
        upload = await uploads.begin(ORG, OPEN, CONTENT)
        assert upload is not None
        with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as other:
            other.execute("BEGIN EXCLUSIVE")
            org.may_answer.set()
            assert await upload.wait(10)
        assert await uploads.begin(ORG, OPEN, CONTENT) is None
        await uploads.check_closable(ORG, JOB_ID)
    assert org.puts == [ROWS]


async def test_an_upload_that_the_end_of_the_server_broke_off_is_not_reported_as_done(tmp_path: Path) -> None:
    async with uploads_to(Upstream(201), tmp_path) as (uploads, _):
        upload = await uploads.begin(ORG, OPEN, CONTENT)
        assert upload is not None
        await anyio.wait_all_tasks_blocked()
    with pytest.raises(Unreachable, match="stopped in the middle") as raised:
        await upload.wait(0)
    assert not raised.value.nothing_sent


async def test_a_body_counts_what_is_sent_and_can_be_read_again_after_a_refused_session() -> None:
    task = SharedTask[None]()
    body = UploadBody(BytesContent(b"x" * (2 * CHUNK_BYTES + 1)), task)
    for _ in range(2):
        seen = [(len(chunk), task.done_bytes) async for chunk in body]
        assert seen == [(CHUNK_BYTES, 0), (CHUNK_BYTES, CHUNK_BYTES), (1, 2 * CHUNK_BYTES)]
        assert task.done_bytes == body.content.size
