"""A create with rows that is repeated goes on with the first one's job: a host repeats a call that it gave up on."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.operations.create_once import REPEAT_SECONDS
from tests.cache.making import Clock
from tests.support.orgs import ERAS, Era, call, closed, refusal, steady
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}
MADE, SENT = "POST ingest", "PUT ingest/JOB/batches"


def rows_named(name: str) -> dict[str, str]:
    return {"csv": f"Name\n{name} 1\n{name} 2\n"}


async def created(client: Client, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", **{"body": INSERT, "data": data, **more})


def names_of(org: WatchedOrg, name: str) -> list[str]:
    found = org.records(f"SELECT Name FROM Account WHERE Name LIKE '{name} _' ORDER BY Name")
    return [record["Name"] for record in found]


@asynccontextmanager
async def two_calls(client: Client, data: dict[str, Any]) -> AsyncIterator[list[dict[str, Any]]]:
    """Two equal calls at the same time; their answers are there at the end of the block."""
    answers: list[dict[str, Any]] = []

    async def one() -> None:
        answers.append(await created(client, data))

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(one)
        yield answers


@pytest.mark.parametrize("era", ERAS)
async def test_an_equal_call_while_the_first_sends_its_rows_joins_that_upload(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    org.gate.close()
    async with agent_keeping(org, tmp_path, era=era) as client:
        async with two_calls(client, rows_named(f"At once {era}")) as answers:
            await org.upload_begins()
            org.gate.open()
        first, second = answers
        assert first["id"] == second["id"]
        # One of them may come only when the rows are there.
        assert "uploaded" in {first["status"], second["status"]} <= {"uploaded", "already uploaded"}
        await closed(client, first["id"])
    assert org.changes == [MADE, SENT, "PATCH ingest/JOB"]
    assert names_of(org, f"At once {era}") == [f"At once {era} 1", f"At once {era} 2"]


async def test_an_equal_call_after_the_first_gets_its_job_with_the_structure_of_the_first(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent_keeping(org, tmp_path) as client:
        first = await created(client, rows_named("Afterwards"))
        again = await created(client, rows_named("Afterwards"))
        assert first.keys() - again.keys() == {"sentRows"}, "rows are shown once, as they go"
        assert (again["id"], again["status"], again["state"]) == (first["id"], "already uploaded", "Open")
        await closed(client, first["id"])
        loaded = await created(client, rows_named("Afterwards"))
        assert (loaded["id"], loaded["status"], loaded["state"]) == (first["id"], "already uploaded", "JobComplete")
    assert org.changes == [MADE, SENT, "PATCH ingest/JOB"]


async def test_a_caller_that_leaves_while_rows_are_sent_gets_the_job_by_calling_again(
    org: WatchedOrg, tmp_path: Path
) -> None:
    org.gate.close()
    async with agent_keeping(org, tmp_path) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(created, client, rows_named("Caller left"))
            await org.upload_begins()
            tasks.cancel_scope.cancel()
        org.gate.open()
        again = await created(client, rows_named("Caller left"))
        assert again["status"] in {"uploaded", "already uploaded"}
        await closed(client, again["id"])
    assert org.changes == [MADE, SENT, "PATCH ingest/JOB"]
    assert names_of(org, "Caller left") == ["Caller left 1", "Caller left 2"]


@pytest.mark.parametrize(
    "more",
    [
        {"data": rows_named("Another")},
        {"body": INSERT | {"columnDelimiter": "COMMA"}},
        {"data": rows_named("Unlike") | {"set": {"Site": "x"}}},
        {"preflight": "off"},
    ],
)
async def test_a_call_that_is_not_equal_makes_a_job_of_its_own(
    more: dict[str, Any], org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent_keeping(org, tmp_path) as client:
        first = await created(client, rows_named("Unlike"))
        other = await call(client, "create-ingest-job", **{"body": INSERT, "data": rows_named("Unlike"), **more})
    assert first["id"] != other["id"]


async def test_a_file_that_was_written_anew_is_another_call(org: WatchedOrg, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    async with agent_keeping(org, tmp_path) as client:
        path.write_text("Name\nWritten once\n")
        first = await created(client, {"file": "rows.csv"})
        assert (await created(client, {"file": "rows.csv"}))["id"] == first["id"]
        path.write_text("Name\nWritten twice\n")
        assert (await created(client, {"file": "rows.csv"}))["id"] != first["id"]


async def test_a_create_without_data_makes_a_job_each_time(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path) as client:
        ids = {(await call(client, "create-ingest-job", body=INSERT))["id"] for _ in range(3)}
    assert len(ids) == 3


async def test_ten_minutes_after_the_first_call_an_equal_one_is_a_new_load(org: WatchedOrg, tmp_path: Path) -> None:
    clock = Clock()
    async with agent_keeping(org, tmp_path, clock=clock) as client:
        first = await created(client, rows_named("Late"))
        clock.now += REPEAT_SECONDS - 1
        assert (await created(client, rows_named("Late")))["id"] == first["id"]
        clock.now += 1
        assert (await created(client, rows_named("Late")))["id"] != first["id"]


@pytest.mark.parametrize("end", ["aborted", "deleted", "failed", "no row in the org"])
async def test_after_a_job_that_loaded_nothing_an_equal_call_is_a_new_load(
    end: str, org: WatchedOrg, tmp_path: Path
) -> None:
    # A row without a name fails by itself, so that this job ends without a row in the org.
    data = {"csv": 'Name,Site\n"",x\n'} if end == "no row in the org" else rows_named(f"New {end}")
    async with agent_keeping(org, tmp_path) as client:
        first = await created(client, data)
        if end == "failed":
            org.go_wrong({"fault": "too-many-lock-failures"})
        if end in ("aborted", "deleted"):
            aborting = {"jobId": first["id"], "body": {"state": "Aborted"}}
            await call(client, "close-abort-ingest-job", **aborting)
        else:
            await closed(client, first["id"])
        if end == "deleted":
            await call(client, "delete-ingest-job", jobId=first["id"])
        org.go_right()
        again = await created(client, data)
        assert (again["id"] != first["id"], again["status"]) == (True, "uploaded")


@pytest.mark.parametrize("status", [400, 503])
async def test_after_an_upload_that_failed_an_equal_call_goes_on_with_its_job(
    status: int, org: WatchedOrg, tmp_path: Path
) -> None:
    org.go_wrong({"on": "upload", "fault": "answer", "status": status, "errorCode": "X", "message": "No.", "times": 1})
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data=rows_named(f"Failed {status}"))
        job_id = re.search(r"750\w{15}", text)
        assert job_id is not None
        if status == 400:
            again = await created(client, rows_named(f"Failed {status}"))
            assert (again["id"], again["status"]) == (job_id[0], "uploaded")
        else:
            unclear = await refusal(client, "create-ingest-job", body=INSERT, data=rows_named(f"Failed {status}"))
            assert job_id[0] in unclear and "may or may not have its rows" in unclear
    assert org.changes.count(MADE) == 1


async def test_rows_of_a_job_are_sent_again_once_by_two_equal_calls(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path, caches_results=True) as client:
        first = await created(client, {"csv": 'Name,Site\n"",x\nRetried,y\n'})
        await closed(client, first["id"])
        data = {"rowsOf": {"jobs": [first["id"]]}, "values": {"Name": {"": "Named"}}}
        org.forget()
        second = await created(client, data)
        assert (await created(client, data))["id"] == second["id"]
    assert org.changes == [MADE, SENT]


async def test_an_equal_call_while_rows_of_a_job_are_sent_again_joins_that_upload(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with agent_keeping(org, tmp_path, caches_results=True) as client:
        first = await created(client, {"csv": 'Name,Site\n"",x\nJoined,y\n'})
        await closed(client, first["id"])
        org.forget()
        org.gate.close()
        data = {"rowsOf": {"jobs": [first["id"]]}, "values": {"Name": {"": "Joined too"}}}
        answers: list[dict[str, Any]] = []

        async def one() -> None:
            answers.append(await created(client, data))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            await org.upload_begins()
            reads = len(org.recorder.calls)
            tasks.start_soon(one)
            with anyio.fail_after(20):
                # The second call has the rows at hand, and has read the job that it joins.
                while len(org.recorder.calls) < reads + 2:
                    await anyio.lowlevel.checkpoint()
            org.gate.open()
    first_answer, second_answer = answers
    assert first_answer["id"] == second_answer["id"]
    assert {first_answer["status"], second_answer["status"]} <= {"uploaded", "already uploaded"}
    assert len(org.uploads) == 1


async def test_the_answer_to_a_repeat_says_that_it_is_one(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path) as client:
        await created(client, rows_named("Said"))
        again = await created(client, rows_named("Said"))
    assert steady(again["summary"]) == snapshot(
        'No second job was made: an equal call before made this one. Job JOB in "Embedded org" (developer or demo org) already has these 2 rows, 19 bytes; nothing was sent.'
    )
