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
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.auth import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Rejected, UnexpectedAnswer, WrongState
from salesforce_bulk_ingest.salesforce.models import Job
from tests.support.contents import BytesContent
from tests.support.orgs import uploads_of

JOB_ID = "750000000000001AAA"
OPEN = Job(id=JOB_ID, state="Open")
DONE = Job(id=JOB_ID, state="JobComplete")
ROWS = b"Name\nAcme\n"
CONTENT = BytesContent(ROWS)


class Org:
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
async def uploads_to(org: Org, folder: Path) -> AsyncIterator[tuple[Uploads, Gateway]]:
    path = f"/services/data/v63.0/jobs/ingest/{JOB_ID}/batches"
    transport = httpx2.ASGITransport(Starlette(routes=[Route(path, org.batches, methods=["PUT"])]))
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("A.TOKEN")))
    async with httpx2.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        uploads = uploads_of(client, folder, tasks)
        yield uploads, Gateway(client, Policy(), uploads)
        tasks.cancel_scope.cancel()


def through_v1() -> Call:
    return Call("PUT", f"/{JOB_ID}/batches", content=b"Name\nREST\n", carries_rows=True)


async def test_while_rows_stream_through_v1_a_tool_sends_none_and_closes_nothing(tmp_path: Path) -> None:
    org = Org(201)
    async with uploads_to(org, tmp_path) as (uploads, gateway), anyio.create_task_group() as tasks:

        async def stream() -> None:
            async with gateway.forward(through_v1(), JOB_ID) as answer:
                assert answer.status_code == 201

        tasks.start_soon(stream)
        with anyio.fail_after(5):
            while not org.puts:
                await anyio.lowlevel.checkpoint()
        with pytest.raises(UploadUnderWay):
            await uploads.begin(OPEN, CONTENT)
        with pytest.raises(UploadUnderWay):
            await uploads.check_closable(JOB_ID)
        org.may_answer.set()
    assert org.puts == [b"Name\nREST\n"]


@pytest.mark.parametrize(("status", "taken"), [(201, True), (200, False), (400, False)])
async def test_rows_through_v1_are_remembered_once_salesforce_has_taken_them(
    status: int, taken: bool, tmp_path: Path
) -> None:
    org = Org(status)
    org.may_answer.set()
    async with uploads_to(org, tmp_path) as (uploads, gateway):
        async with gateway.forward(through_v1(), JOB_ID) as answer:
            assert answer.status_code == status
        await uploads.check_closable(JOB_ID)
        if taken:
            with pytest.raises(UploadConflict, match="sent through /v1"):
                await uploads.begin(OPEN, CONTENT)
        else:
            assert (await uploads.begin(OPEN, CONTENT))[1] == "in progress"


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (503, Rejected), (200, UnexpectedAnswer), (302, UnexpectedAnswer)]
)
async def test_after_a_refusal_the_rows_may_go_again_only_if_none_can_have_been_kept(
    status: int, error: type[Exception], tmp_path: Path
) -> None:
    org = Org(status)
    org.may_answer.set()
    async with uploads_to(org, tmp_path) as (uploads, _):
        transfer, _ = await uploads.begin(OPEN, CONTENT)
        with pytest.raises(error):
            await transfer.wait(5)
        if status == 400:
            assert (await uploads.begin(OPEN, CONTENT))[1] == "in progress"
        else:
            with pytest.raises(UploadConflict, match="may or may not"):
                await uploads.begin(OPEN, CONTENT)


async def test_a_job_that_is_over_is_never_said_to_be_free_for_another_try(tmp_path: Path) -> None:
    """Its rows may be loaded: advice to start again would double them."""
    await Ledger(tmp_path / "uploads.sqlite3").record("127.0.0.1", JOB_ID, UploadRecord("sending", "another digest", 1))
    async with uploads_to(Org(201), tmp_path) as (uploads, _):
        with pytest.raises(WrongState, match="The job is JobComplete"):
            await uploads.begin(DONE, CONTENT)


async def test_of_two_servers_with_one_record_one_sends(tmp_path: Path) -> None:
    org = Org(201)
    async with uploads_to(org, tmp_path) as (first, _), uploads_to(org, tmp_path) as (second, _):
        await first.begin(OPEN, CONTENT)
        with pytest.raises(UploadConflict, match="goes on in another server"):
            await second.begin(OPEN, CONTENT)


async def test_a_record_that_another_process_locks_does_not_make_a_second_upload(tmp_path: Path) -> None:
    """The lock falls between the sending and the answer: the record on disk still says that rows are on their way."""
    org = Org(201)
    async with uploads_to(org, tmp_path) as (uploads, _):
        transfer, _ = await uploads.begin(OPEN, CONTENT)
        with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as other:
            other.execute("BEGIN EXCLUSIVE")
            org.may_answer.set()
            assert await transfer.wait(10)
        assert (await uploads.begin(OPEN, CONTENT))[1] == "already uploaded"
        await uploads.check_closable(JOB_ID)
    assert org.puts == [ROWS]
