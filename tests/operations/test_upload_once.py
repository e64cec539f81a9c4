"""Rows go into a job once, whichever way they come."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.base.errors import UploadConflict, UploadUnderWay
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.upload_once import Uploads, UploadStream
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.errors import (
    Rejected,
    SalesforceError,
    UnexpectedAnswer,
    Unreachable,
    WrongState,
)
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.transport import CHUNK_BYTES, open_http
from tests.loading.making import file_of
from tests.operations.contents import BytesContent
from tests.support.asgi_server import running
from tests.support.guarded import gateway_over, uploads_of
from tests.support.next_call import next_call
from tests.support.orgs import ERAS, Era, call, closed, refusal, services_over, steady
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.watched_org import WatchedOrg, agent_keeping
from tests.support.wire import EVERYTHING_ALLOWED, JOB_ID

OPEN = Job(id=JOB_ID, state="Open")
DONE = Job(id=JOB_ID, state="JobComplete")
ROWS = b"Name\nAcme\n"
CONTENT = BytesContent(ROWS)
ORG = Org("127.0.0.1", "local org")
BASE = "/services/data/v63.0/jobs/ingest"
INSERT = {"object": "Account", "operation": "insert"}
ABORT = {"state": "Aborted"}
CLOSE = {"state": "UploadComplete"}
MORE_THAN_BUFFERS = 24_000_000
"""Bytes: more than two sockets hold, so that the sender waits for the org."""


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
async def uploads_to(
    org: Upstream, folder: Path, ledger: Ledger | None = None
) -> AsyncIterator[tuple[Uploads, Gateway]]:
    path = f"/services/data/v63.0/jobs/ingest/{JOB_ID}/batches"
    transport = httpx2.ASGITransport(Starlette(routes=[Route(path, org.batches, methods=["PUT"])]))
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("A.TOKEN")))
    async with httpx2.AsyncClient(transport=transport) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        uploads = uploads_of(client, folder, SharedTasks(tasks), ledger)
        yield uploads, gateway_over(client, uploads, folder, EVERYTHING_ALLOWED)
        tasks.cancel_scope.cancel()


def through_v1(rows: bytes = b"Name\nREST\n") -> Call:
    return Call("PUT", f"/{JOB_ID}/batches", content=rows, carries_rows=True)


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


class HeldLedger(Ledger):
    """A ledger whose first answer about an upload is held back after it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.was_read = anyio.Event()
        self.may_answer = anyio.Event()

    async def find(self, org: str, job_id: str) -> UploadRecord | None:
        found = await super().find(org, job_id)
        self.was_read.set()
        await self.may_answer.wait()
        return found


@pytest.mark.parametrize(("status", "state"), [(201, "taken"), (400, "unknown"), (503, "unclear")])
async def test_an_upload_that_ends_while_its_record_is_read_is_not_taken_for_cut_off(
    status: int, state: str, tmp_path: Path
) -> None:
    org, ledger, told = Upstream(status), HeldLedger(tmp_path / "uploads.sqlite3"), list[str]()
    async with uploads_to(org, tmp_path, ledger) as (uploads, _), anyio.create_task_group() as tasks:
        upload = await uploads.begin(ORG, OPEN, CONTENT)
        assert upload is not None

        async def ask() -> None:
            told.append(await uploads.state_of(ORG, JOB_ID))

        tasks.start_soon(ask)
        with anyio.fail_after(5):
            await ledger.was_read.wait()
        org.may_answer.set()
        with suppress(SalesforceError):
            await upload.wait(5)
        ledger.may_answer.set()
    assert told == [state]


class BusyServer(Ledger):
    """A ledger of a server to which others send rows without a pause: an upload of theirs ends in each reading."""

    uploads: Uploads

    async def find(self, org: str, job_id: str) -> UploadRecord | None:
        async with self.uploads.passing(None, "750000000000002AAA"):
            return await super().find(org, job_id)


async def test_the_state_of_an_upload_is_told_however_many_others_end_meanwhile(tmp_path: Path) -> None:
    ledger = BusyServer(tmp_path / "uploads.sqlite3")
    async with uploads_to(Upstream(201), tmp_path, ledger) as (uploads, _):
        ledger.uploads = uploads
        with anyio.fail_after(5):
            assert await uploads.state_of(ORG, JOB_ID) == "unknown"


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
            with pytest.raises(UploadConflict, match="other rows"):
                await uploads.begin(ORG, OPEN, CONTENT)
        else:
            assert await uploads.begin(ORG, OPEN, CONTENT) is not None


@pytest.mark.parametrize(("second", "rows"), [(b"Name\nREST\n", 1), (b"Name\nOther\n", None)])
async def test_which_rows_a_job_has_is_unknown_once_an_org_has_taken_two_uploads_that_differ(
    second: bytes, rows: int | None, tmp_path: Path
) -> None:
    """The count of the last upload alone would let a close of many rows pass for one of few."""
    org = Upstream(201)
    org.may_answer.set()
    async with uploads_to(org, tmp_path) as (uploads, gateway):
        for upload in (through_v1(), through_v1(second)):
            async with gateway.forward(upload, JOB_ID) as answer:
                assert answer.status_code == 201
        record = await uploads.record_of(ORG, JOB_ID)
    assert record is not None and record.rows == rows


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
    body = UploadStream(BytesContent(b"x" * (2 * CHUNK_BYTES + 1)), task)
    for _ in range(2):
        seen = [(len(chunk), task.done_bytes) async for chunk in body]
        assert seen == [(CHUNK_BYTES, 0), (CHUNK_BYTES, CHUNK_BYTES), (1, 2 * CHUNK_BYTES)]
        assert task.done_bytes == body.content.size


def content_of(tag: str, size: int = 600_000) -> bytes:
    row = f"{tag} with a name of some length,{'x' * 200}\n".encode()
    return b"Name,Description\n" + row * (size // len(row))


async def new_job(client: Client) -> str:
    return str((await call(client, "create-ingest-job", body=INSERT))["id"])


UNCLEAR: dict[str, dict[str, Any]] = {
    "broken off before the body": {"fault": "reset", "when": "before"},
    "broken off in mid-body": {"fault": "reset", "when": "during", "bytes": 300_000},
    "taken, and the answer lost": {"fault": "reset", "when": "after"},
    "answered with a server's error": {"fault": "server-error"},
    "answered by a proxy": {"fault": "error-page"},
}


@pytest.mark.parametrize("what", UNCLEAR)
async def test_a_job_of_which_it_is_unclear_whether_it_has_its_rows_is_neither_filled_again_nor_closed(
    what: str, org: WatchedOrg, tmp_path: Path
) -> None:
    file_of(tmp_path, content_of("Unclear"))
    rows = {"file": "rows.csv"}
    org.go_wrong({"on": "upload", "times": 1, **UNCLEAR[what]})
    async with agent_keeping(org, tmp_path) as client:
        job_id = await new_job(client)
        await refusal(client, "upload-data-ingest-job", jobId=job_id, body=rows)
        again = await refusal(client, "upload-data-ingest-job", jobId=job_id, body=rows)
        assert "may or may not have its rows" in again and "abort this job" in again
        assert "may or may not have its rows" in await refusal(
            client, "close-abort-ingest-job", jobId=job_id, body=CLOSE
        )
        # Another server may be sending the rows still, and would be cut off by an abort.
        looked = await call(client, "get-ingest-job-status", jobId=job_id)
        assert next_call(looked["next"]) == ("get-ingest-job-status", {"jobId": job_id})
        assert "Only if it stays so, abort this job" in looked["next"]
        assert (await call(client, "close-abort-ingest-job", jobId=job_id, body=ABORT))["state"] == "Aborted"
        job = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert job["status"] == "uploaded"
    assert len([request for request in org.changes if request.startswith("PUT")]) == 2


@pytest.mark.parametrize("what", ["broken off in mid-body", "taken, and the answer lost"])
async def test_a_job_made_with_rows_that_may_not_be_there_is_named_and_what_to_do_with_it(
    what: str, org: WatchedOrg, tmp_path: Path
) -> None:
    file_of(tmp_path, content_of("Created unclear"))
    org.go_wrong({"on": "upload", "times": 1, **UNCLEAR[what]})
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        assert re.sub(r"\w+Error", "ERROR", steady(text)).splitlines() == snapshot(
            [
                "Created job JOB, but it may or may not have its rows. SERVER_UNAVAILABLE: The connection to 127.0.0.1:PORT broke: ERROR.",
                'Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops the job (nothing is loaded then); then create again with the same data.',
            ]
        )
        job_id = re.findall(r"750\w{15}", text)[0]
        assert "may or may not" in await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        await call(client, "close-abort-ingest-job", jobId=job_id, body=ABORT)


async def test_a_job_made_with_rows_that_were_refused_is_named_and_takes_them_again(
    org: WatchedOrg, tmp_path: Path
) -> None:
    rows = {"csv": "Name\nRefused once\n"}
    org.go_wrong(
        {"on": "upload", "times": 1, "fault": "answer", "status": 400, "errorCode": "API_ERROR", "message": "No."}
    )
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data=rows)
        assert steady(text).splitlines() == snapshot(
            [
                'Created job JOB, but its rows did not get there. API_ERROR: "No."',
                'Next: upload-data-ingest-job {"jobId": "JOB", "body": {"csv": "<the same rows>"}} sends them there, once what the message says is mended; or abort the job. Don\'t create another.',
            ]
        )
        job_id = re.findall(r"750\w{15}", text)[0]
        again = await call(client, "upload-data-ingest-job", jobId=job_id, body=rows)
        assert again["status"] == "uploaded"
        assert (await closed(client, job_id))["numberRecordsProcessed"] == 1


def rewritten(path: Path, content: bytes) -> None:
    """Give the file this content in place: whoever reads the file sees it."""
    with path.open("r+b") as file:
        file.truncate(len(content))
        file.seek(max(len(content) - 100, 0))
        file.write(content[-100:])


def replaced(path: Path, content: bytes) -> None:
    """Put another file in place of this one: whoever reads this one goes on reading it."""
    file_of(path.parent, content, "new.csv").rename(path)


CHANGES: dict[str, tuple[Callable[[Path, bytes], None], Callable[[bytes], bytes]]] = {
    "other cells at its end": (rewritten, lambda content: content[:-100] + b"y" * 99 + b"\n"),
    "cut off": (rewritten, lambda content: content[: len(content) - 1_000_000]),
    "gone": (rewritten, lambda content: b""),
    "added to": (rewritten, lambda content: content + b"x" * 100),
    "replaced": (replaced, lambda content: b"Name\nOther\n"),
}


@pytest.mark.parametrize(
    "change",
    [pytest.param(name, marks=() if name in ("gone", "replaced") else pytest.mark.slow) for name in CHANGES],
)
async def test_a_file_that_changes_while_it_is_sent_breaks_the_upload_off_and_the_job_takes_rows_again(
    change: str, org: WatchedOrg, tmp_path: Path
) -> None:
    tag = f"File {change}"
    content = content_of(tag, MORE_THAN_BUFFERS)
    path = file_of(tmp_path, content)
    async with agent_keeping(org, tmp_path) as client:
        job_id = await new_job(client)
        org.gate.close()
        refused: list[str] = []

        async def upload() -> None:
            refused.append(
                await refusal(
                    client, "upload-data-ingest-job", jobId=job_id, body={"file": "rows.csv"}, preflight="off"
                )
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upload)
            await org.upload_begins()
            write, changed = CHANGES[change]
            write(path, changed(content))
            org.gate.open()
        assert "The rows have changed since they were checked, so the upload was broken off" in refused[0]
        assert "None of them were taken" in refused[0]
        done = await call(client, "upload-data-ingest-job", jobId=job_id, body={"csv": f"Name\n{tag} after all\n"})
        assert done["status"] == "uploaded"
        assert (await closed(client, job_id))["numberRecordsProcessed"] == 1
    assert org.records(f"SELECT Name FROM Account WHERE Name LIKE '{tag}%'") == [{"Name": f"{tag} after all"}]


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_create_leaves_its_upload_going_and_the_same_rows_join_it(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Cancelled")
    file_of(tmp_path, content)
    rows = {"file": "rows.csv"}
    org.gate.close()
    async with agent_keeping(org, tmp_path, era=era) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "create-ingest-job", {"body": INSERT, "data": rows})
            await org.upload_begins()
            tasks.cancel_scope.cancel()
        newest = (await call(client, "list-all-ingest-jobs"))["jobs"][0]
        assert newest["state"] == "Open"
        assert "still under way" in await refusal(client, "close-abort-ingest-job", jobId=newest["id"], body=CLOSE)
        org.gate.open()
        await call(client, "upload-data-ingest-job", jobId=newest["id"], body=rows)
        again = await call(client, "upload-data-ingest-job", jobId=newest["id"], body=rows)
        assert again["status"] == "already uploaded"
    assert org.uploads == [content]


async def test_a_server_that_ends_in_mid_upload_leaves_a_job_that_the_next_one_does_not_close(
    org: WatchedOrg, tmp_path: Path
) -> None:
    file_of(tmp_path, content_of("Ended", MORE_THAN_BUFFERS))
    rows = {"file": "rows.csv"}
    org.gate.close()
    async with agent_keeping(org, tmp_path) as client:
        job_id = await new_job(client)
        async with anyio.create_task_group() as tasks:
            arguments = {"jobId": job_id, "body": rows, "preflight": "off"}
            tasks.start_soon(client.call_tool, "upload-data-ingest-job", arguments)
            await org.upload_begins()
            tasks.cancel_scope.cancel()
    org.gate.open()
    async with agent_keeping(org, tmp_path) as client:
        for tool, arguments in {
            "close-abort-ingest-job": {"jobId": job_id, "body": CLOSE},
            "upload-data-ingest-job": {"jobId": job_id, "body": rows, "preflight": "off"},
        }.items():
            assert "may or may not have its rows" in await refusal(client, tool, **arguments)
        await call(client, "close-abort-ingest-job", jobId=job_id, body=ABORT)
    assert org.records("SELECT Id FROM Account WHERE Name LIKE 'Ended%' LIMIT 1") == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_upload_goes_on_and_the_same_call_joins_it(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}
    async with scripted_agent(org, tmp_path, era) as client:
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
        await call(client, "upload-data-ingest-job", **upload)
        assert (await call(client, "upload-data-ingest-job", **upload))["status"] == "already uploaded"
    assert (org.uploads, org.patches) == ([b"Name\nAcme\n"], 0)


async def test_an_upload_that_outlasts_its_call_says_how_far_it_is(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}
    # Time for the checks, and none for the upload.
    async with scripted_agent(org, tmp_path, seconds_left=cycle([10.0, 0.0]).__next__) as client:
        assert (await call(client, "upload-data-ingest-job", **upload))["status"] == "in progress"
        with anyio.fail_after(5):
            await org.upload_began.wait()
        joined = await call(client, "upload-data-ingest-job", **upload)
        assert (joined["status"], joined["bytesDone"], joined["bytes"]) == ("in progress", 10, 10)
        assert "10 so far; it goes on by itself" in joined["summary"]
        again = {"jobId": JOB_ID, "body": {"csv": "<the same rows>"}}
        assert next_call(joined["next"]) == ("upload-data-ingest-job", again)
        org.upload_may_end.set()


async def test_a_job_whose_upload_was_cut_off_is_not_closed(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    await Ledger(tmp_path / "uploads.sqlite3").record("127.0.0.1", JOB_ID, UploadRecord("sending", "a digest", 10))
    async with scripted_agent(org, tmp_path) as client:
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}}
        assert "may or may not have its rows" in await refusal(client, "close-abort-ingest-job", **closing)
        await call(client, "close-abort-ingest-job", jobId=JOB_ID, body={"state": "Aborted"})
    assert org.patches == 1


async def test_calls_at_once_send_the_rows_once(tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    org.upload_may_end.set()
    upload = {"jobId": JOB_ID, "body": {"csv": "Name\nAcme\n"}}

    async with scripted_agent(org, tmp_path) as client:

        async def send() -> None:
            await call(client, "upload-data-ingest-job", **upload)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(send)
        assert (await call(client, "upload-data-ingest-job", **upload))["status"] == "already uploaded"
    assert org.uploads == [b"Name\nAcme\n"]


async def test_after_a_lost_answer_the_rows_are_not_sent_again(tmp_path: Path) -> None:
    arrived: list[bytes] = []

    async def loses_the_answer(request: Request) -> Response:
        arrived.append(await request.body())
        raise ConnectionError

    async def job(request: Request) -> Response:
        return JSONResponse({"id": JOB_ID, "state": "Open", "operation": "insert"})

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
    assert 0 < again.index("the same call, for some minutes later") < again.index("Only if it stays so, abort this job")
    assert arrived == [b"Name\nAcme\n"]


async def test_the_same_rows_again_send_nothing_and_others_are_refused(org: WatchedOrg, tmp_path: Path) -> None:
    path = file_of(tmp_path, b"Name\nSame\n")
    async with agent_keeping(org, tmp_path) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        for rows in ({"file": str(path)}, {"csv": "Name\nSame\n"}, {"csv": "N\nSame\n", "columns": {"N": "Name"}}):
            again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
            assert again["status"] == "already uploaded" and "nothing was sent" in again["summary"]
        path.write_bytes(b"Name\nOther\n")
        for other in ({"file": "rows.csv"}, {"csv": "Name\nSame\nMore\n"}, {"file": "rows.csv", "set": {"Site": "x"}}):
            text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=other)
            assert "already has other rows" in text
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"]
