"""Whatever goes wrong on the way, no row is retried twice unnoticed, and no row that never went counts as sent."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.salesforce_emulator.caller import DATA, calling
from tests.support.orgs import agent, call, loaded, refusal
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
SENT = "Name,NumberOfEmployees\n" + "".join(
    f"{'' if n % 4 == 0 else f'Row {n}'},{'many' if n % 4 == 1 else n}\n" for n in range(1, 21)
)
NO_NAME = {"statusCode": "REQUIRED_FIELD_MISSING"}
NO_NUMBER = {"statusCode": "INVALID_TYPE_ON_FIELD_IN_RECORD"}


async def made(client: Client, **body: Any) -> str:
    return str((await call(client, "create-ingest-job", body={**INSERT, **body}))["id"])


async def sent_again(client: Client, jobs: list[str], **rows_of: Any) -> str:
    data = {"rowsOf": {"jobs": jobs, **rows_of}}
    return str((await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off"))["id"])


async def refused_again(client: Client, jobs: list[str], **rows_of: Any) -> str:
    data = {"rowsOf": {"jobs": jobs, **rows_of}}
    return await refusal(client, "create-ingest-job", body=INSERT, data=data, preflight="off")


async def end(client: Client, job: str, state: str) -> dict[str, Any]:
    return await call(client, "close-abort-ingest-job", jobId=job, body={"state": state}, waitSeconds=30)


# Uploads that were refused


@pytest.mark.parametrize("end_state", ["Open", "UploadComplete", "Aborted"])
async def test_an_upload_that_its_job_refuses_changes_nothing_about_which_rows_went(
    end_state: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        first, other = await loaded(client, SENT, preflight="off"), await made(client)
        body = {"rowsOf": {"jobs": [first], "where": NO_NUMBER}}
        await call(client, "upload-data-ingest-job", jobId=other, body=body, preflight="off")
        if end_state != "Open":
            await end(client, other, end_state)
        body = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        assert "INVALIDJOBSTATE" in await refusal(
            client, "upload-data-ingest-job", jobId=other, body=body, preflight="off"
        )
        if end_state != "Aborted":
            assert f"into job {other[:15]}" in await refused_again(client, [first], where=NO_NUMBER)
        await sent_again(client, [first], where=NO_NAME)


async def test_rows_that_salesforce_refused_to_take_may_go_into_another_job(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, SENT, preflight="off")
        org.go_wrong({"fault": "too-many-requests", "on": "upload"})
        assert "its rows did not get there" in await refused_again(client, [first], where=NO_NAME)
        org.go_right()
        second = await sent_again(client, [first], where=NO_NAME)
        assert f"into job {second[:15]}" in await refused_again(client, [first], where=NO_NAME)


async def test_rows_that_may_have_arrived_are_not_sent_elsewhere_before_their_job_is_aborted(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, SENT, preflight="off")
        org.go_wrong({"fault": "reset", "when": "after", "on": "upload"})
        assert "it may or may not have its rows" in await refused_again(client, [first], where=NO_NAME)
        org.go_right()
        text = await refused_again(client, [first], where=NO_NAME)
        assert "which is Open, so none are loaded yet" in text
        unclear = text.partition(" into job ")[2][:15]
        await end(client, unclear, "Aborted")
        await sent_again(client, [first], where=NO_NAME)


async def test_what_was_refused_is_not_taken_for_what_the_job_has(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await made(client)
        org.go_wrong({"fault": "too-many-requests", "on": "upload"})
        refused = {"csv": "Name\nFirst\nSecond\n"}
        await refusal(client, "upload-data-ingest-job", jobId=job, body=refused)
        org.go_right()
        content = b"Name,NumberOfEmployees\nFirst,many\nSecond,2\n"
        with calling(org.url) as caller:
            caller.http.put(f"{DATA}/jobs/ingest/{job}/batches", content=content).raise_for_status()
        await end(client, job, "UploadComplete")
        org.forget()
        await sent_again(client, [job])
    assert org.uploads == [b"Name,NumberOfEmployees\nFirst,many\n"]


# Jobs that loaded nothing


async def test_rows_that_went_on_from_a_job_that_loaded_none_do_not_go_from_the_job_before(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, SENT, preflight="off")
        second = await sent_again(client, [first], where=NO_NAME)
        await end(client, second, "Aborted")
        third = await sent_again(client, [second])
        assert f"into job {second[:15]}" in await refused_again(client, [first], where=NO_NAME)
        await end(client, third, "Aborted")
        fourth = await sent_again(client, [first], where=NO_NAME)
        for job in (second, third):
            assert f"into job {fourth[:15]}" in await refused_again(client, [job])
        # Its other rows never went anywhere.
        await sent_again(client, [first], where=NO_NUMBER)


async def test_of_many_calls_at_once_one_sends_the_rows(org: WatchedOrg, tmp_path: Path) -> None:
    sent: list[str] = []
    async with agent(org.url, folder=tmp_path) as one, agent(org.url, folder=tmp_path) as two:
        first = await loaded(one, SENT, preflight="off")

        async def send(client: Client) -> None:
            arguments = {"body": INSERT, "data": {"rowsOf": {"jobs": [first]}}, "preflight": "off"}
            result = await client.call_tool("create-ingest-job", arguments)
            sent.append("refused" if result.is_error else "sent")

        async with anyio.create_task_group() as tasks:
            for client in (one, two, one, two):
                tasks.start_soon(send, client)
    assert sorted(sent) == ["refused", "refused", "refused", "sent"]


# Parts, and the record


async def test_parts_that_are_cut_elsewhere_share_no_row(org: WatchedOrg, tmp_path: Path) -> None:
    rows = "Name,NumberOfEmployees\n" + "".join(f"Row {n:03},many\n" for n in range(300))
    options: dict[str, Any] = {"folder": tmp_path, "no_kept_uploads": True}
    async with agent(org.url, max_upload_bytes=100_000, **options) as client:
        first = await loaded(client, rows, preflight="off")
    data = {"rowsOf": {"jobs": [first]}}
    wanted: dict[str, Any] = {"body": INSERT, "data": data, "preflight": "off"}
    async with agent(org.url, max_upload_bytes=2_000, **options) as client:
        tried = await call(client, "create-ingest-job", **wanted, dryRun=True)
        wanted["sha256"] = tried["sha256"]
        first_part = await call(client, "create-ingest-job", **wanted, part=1)
    async with agent(org.url, max_upload_bytes=1_500, **options) as client:
        assert "sent again before" in await refusal(client, "create-ingest-job", **wanted, part=2)
        third_part = await call(client, "create-ingest-job", **wanted, part=3)
    # The second part began in what had gone, and the third after it.
    assert third_part["status"] == "uploaded"
    assert first_part["rows"] + third_part["rows"] < 300


async def test_without_the_record_no_row_goes_again_unless_that_is_meant(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first = await loaded(client, SENT, preflight="off")
        with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db:
            # Another program's table of that name.
            db.execute("DROP TABLE IF EXISTS rows_sent_again")
            db.execute("CREATE TABLE rows_sent_again (something)")
        org.forget()
        text = await refused_again(client, [first], where=NO_NAME)
        assert org.changes == []
        assert text == snapshot("""\
SERVER_UNAVAILABLE: This server's record of rows sent again can't be used (no such column: to_job), so these may have been sent before.
Next: Tell the user: the server's log names the file, which may be in use, damaged or on a full disk. Only if the user is sure that these rows were not sent again, or wants them twice, give again: true.\
""")
        data = {"rowsOf": {"jobs": [first], "where": NO_NAME, "again": True}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        assert [finding["do"] for finding in answer["findings"]] == ["They go a second time, as again says."]


async def test_rows_that_are_meant_to_go_twice_are_named_all_the_same(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, SENT, preflight="off")
        second = await sent_again(client, [first], where=NO_NAME)
        await end(client, second, "UploadComplete")
        data = {"rowsOf": {"jobs": [first, second], "again": True}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off", dryRun=True)
    assert answer["rows"] == 15
    told = str([finding for finding in answer["findings"] if finding["do"].startswith("They go")])
    assert told.replace(first, "FIRST").replace(second[:15], "SECOND") == snapshot(
        "[{'level': 'warning', 'what': 'Some of these rows were sent again before: 5 of job FIRST into job SECOND.', 'do': 'They go a second time, as again says.', 'lines': [], 'count': 0}]"
    )


# What was sent is damaged, ambiguous or written in another way


async def test_a_damaged_upload_is_as_good_as_none(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        first = await loaded(client, SENT, preflight="off")
        [kept] = (tmp_path / "spool").rglob("upload.csv.gz")
        whole = kept.read_bytes()
        kept.write_bytes(whole[:20] + bytes([whole[20] ^ 0xFF]) + whole[21:])
        page = await call(client, "get-failed-results-ingest-job", jobId=first)
        assert page["total"] == 10 and "sourceFile" not in page
        data = {"rowsOf": {"jobs": [first], "where": NO_NAME}}
        answer = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        assert "is not kept here" in str(answer["findings"])
        assert not kept.exists()


async def test_a_row_that_is_too_wide_is_not_taken_for_its_twin(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await loaded(client, "Name,NumberOfEmployees\nA,1\nA,1,extra\n", preflight="off")
        text = await refused_again(client, [first])
    assert text.replace(first, "JOB") == snapshot("""\
INVALID_ARGUMENT: No row is left to send again. Left out of job JOB: 1 of its failed rows, which may be any of several rows that were sent and that differ only where Salesforce gives nothing back or writes anew. Lines 2, 3: Find out which of these lines of its source failed, and send them by themselves.
Next: Correct the argument and call again.\
""")


@pytest.mark.parametrize("delimiter", ["SEMICOLON", "TAB"])
async def test_rows_of_one_column_are_not_cut_at_commas(delimiter: str, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        org.go_wrong({"fault": "locked-rows", "every": 1})
        first = await loaded(
            client, f"Name\n{delimiter}, John\n{delimiter}\n", columnDelimiter=delimiter, preflight="off"
        )
        org.go_right()
        second = await sent_again(client, [first])
        assert (await end(client, second, "UploadComplete"))["numberRecordsFailed"] == 0
    names = [record["Name"] for record in org.records(f"SELECT Name FROM Account WHERE Name LIKE '{delimiter}%'")]
    assert sorted(names) == [delimiter, f"{delimiter}, John"]


async def test_rows_that_no_reader_can_tell_apart_are_refused_as_what_they_are(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await made(client)
        body = {"csv": 'Name\nA\n"never closed\n'}
        await call(client, "upload-data-ingest-job", jobId=job, body=body, preflight="off")
        await end(client, job, "Aborted")
        text = await refused_again(client, [job])
    assert text == snapshot("""\
INVALID_ARGUMENT: Rows of this job can't be told apart, since they are no whole CSV: a record after line 2 has no end. Get the result from /v1 or its file, correct it, and send the rows from there.
Next: Correct the argument and call again.\
""")
