"""Whatever breaks on the way, no job ever loads a part of its rows, and every answer says how to go on."""

import re
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.loading.plan import Plan, make_plan
from salesforce_bulk_ingest.operations import planning
from salesforce_bulk_ingest.operations.load import CREATE_SECONDS
from tests.loading.making import file_of
from tests.support.orgs import ERAS, Era, call, closed, refusal, steady, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}
ABORT = {"state": "Aborted"}
CLOSE = {"state": "UploadComplete"}
MORE_THAN_BUFFERS = 24_000_000
"""Bytes: more than two sockets hold, so that the sender waits for the org."""


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
                "Next: Abort job JOB with close-abort-ingest-job (nothing is loaded then), then create again with the same data.",
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
                "Created job JOB, but its rows did not get there. API_ERROR: No.",
                "Next: Correct the request; the message is Salesforce's own.",
                "Then call upload-data-ingest-job with jobId JOB and the same data, or abort the job; don't create another.",
            ]
        )
        job_id = re.findall(r"750\w{15}", text)[0]
        again = await call(client, "upload-data-ingest-job", jobId=job_id, body=rows)
        assert again["status"] == "uploaded"
        assert (await closed(client, job_id))["numberRecordsProcessed"] == 1


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "other cells at its end": lambda content: content[:-100] + b"y" * 99 + b"\n",
    "cut off": lambda content: content[: len(content) - 1_000_000],
    "gone": lambda content: b"",
    "added to": lambda content: content + b"x" * 100,
}


@pytest.mark.parametrize("change", CHANGES)
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
            with path.open("r+b") as file:  # in place: another file under its name would not be noticed, nor matter
                changed = CHANGES[change](content)
                file.truncate(len(changed))
                file.seek(max(len(changed) - 100, 0))
                file.write(changed[-100:])
            org.gate.open()
        assert "The rows have changed since they were checked, so the upload was broken off" in refused[0]
        assert "None of these rows were taken" in refused[0]
        done = await call(client, "upload-data-ingest-job", jobId=job_id, body={"csv": f"Name\n{tag} after all\n"})
        assert done["status"] == "uploaded"
        assert (await closed(client, job_id))["numberRecordsProcessed"] == 1
    assert org.records(f"SELECT Name FROM Account WHERE Name LIKE '{tag}%'") == [{"Name": f"{tag} after all"}]


async def test_a_file_that_is_replaced_while_it_is_sent_goes_out_as_it_was_or_not_at_all(
    org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Replaced", MORE_THAN_BUFFERS)
    path = file_of(tmp_path, content)
    org.gate.close()
    arguments = {"body": INSERT, "data": {"file": "rows.csv"}, "preflight": "off"}
    async with agent_keeping(org, tmp_path) as client:

        async def upload() -> None:
            result = await client.call_tool("create-ingest-job", arguments)
            if result.is_error:  # the file was opened too late
                assert "so the upload was broken off" in text_of(result)
            else:
                assert org.uploads == [content]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upload)
            await org.upload_begins()
            file_of(tmp_path, b"Name\nOther\n", "new.csv").rename(path)
            org.gate.open()


# Time.


async def test_checks_and_uploads_that_outlast_their_calls_are_joined_by_the_same_call(
    org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Joined", 3_000_000)
    file_of(tmp_path, content)
    rows = {"file": "rows.csv"}
    # No time for the checks; time for them and none for the upload; then all the time.
    times = chain([0.0, 40.0, 0.0], repeat(40.0))
    org.gate.close()
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        first = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (first["status"], first.get("id"), org.changes) == ("checking", None, [])
        assert first["next"] == "Make the same call again; it joins this check."
        second = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (second["status"], second["bytes"], second["rows"] > 0) == ("in progress", len(content), True)
        assert second["bytesDone"] < len(content) and "it joins this upload" in second["next"]
        await org.upload_begins()
        org.gate.open()
        third = await call(client, "upload-data-ingest-job", jobId=second["id"], body=rows)
        assert third["status"] in {"uploaded", "already uploaded"}
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"] and org.uploads == [content]


@pytest.mark.parametrize("source", ["csv", "file"])
async def test_no_job_is_made_when_the_checks_leave_no_time_to_tell_of_it(
    source: str, org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Late")
    rows = {"file": str(file_of(tmp_path, content))} if source == "file" else {"csv": content.decode()}
    times = chain([CREATE_SECONDS], repeat(40.0))
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        first = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (first["status"], first.get("id"), org.changes) == ("checking", None, [])
        assert (await call(client, "create-ingest-job", body=INSERT, data=rows))["status"] == "uploaded"
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"]


async def test_a_file_is_checked_once_for_a_create_and_the_uploads_that_join_it(
    org: WatchedOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of("Once more")
    rows = {"file": str(file_of(tmp_path, content))}
    made: list[Plan] = []

    def counted(*arguments: Any, **options: Any) -> Plan:
        made.append(make_plan(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(planning, "make_plan", counted)
    async with agent_keeping(org, tmp_path) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data=rows)
        for _ in range(2):
            again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
            assert again["status"] == "already uploaded"
    assert len(made) == 1 and org.uploads == [content]


async def test_a_dry_run_that_outlasts_its_call_is_joined_by_the_same_call(org: WatchedOrg, tmp_path: Path) -> None:
    file_of(tmp_path, content_of("Dry"))
    times = chain([0.0], repeat(20.0))
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        statuses = [
            (await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"}, dryRun=True))["status"]
            for _ in range(2)
        ]
    assert statuses == ["checking", "checked"] and org.changes == []


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
        joined = await call(client, "upload-data-ingest-job", jobId=newest["id"], body=rows)
        assert joined["status"] in {"uploaded", "already uploaded"}
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
