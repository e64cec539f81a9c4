"""The same rows a second time: an insert of rows that an earlier job has is refused, and what is meant goes."""

import csv
import io
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.loading.making import Quoting
from tests.support.orgs import ERAS, Era, agent, call, closed, refusal, steady, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping, watched_org

INSERT = {"object": "Account", "operation": "insert"}
HEADER = ["Name", "BillingCity", "Description"]
ROWS = [[f"{{}} {n:02}", "Oslo, Norway", f'Note "{n}"\nsecond line'] for n in range(30)]


def rows_of(tag: str) -> list[list[str]]:
    """30 rows whose names begin with a word of their own."""
    return [[row[0].format(tag), *row[1:]] for row in ROWS]


def csv_of(
    rows: Sequence[Sequence[str]],
    header: Sequence[str] = HEADER,
    *,
    mark: str = ",",
    newline: str = "\n",
    all: bool = False,
) -> str:
    text = io.StringIO(newline="")
    quoting: Quoting = csv.QUOTE_ALL if all else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=mark, lineterminator=newline, quoting=quoting).writerows([header, *rows])
    return text.getvalue()


def shuffled(rows: list[list[str]]) -> list[list[str]]:
    return random.Random(1).sample(rows, len(rows))


@pytest.fixture
async def client(org: WatchedOrg, tmp_path: Path) -> AsyncIterator[Client]:
    async with agent(org.url, folder=tmp_path / "server", upload_roots=[tmp_path]) as connected:
        yield connected


async def made(client: Client, csv: str, **more: Any) -> dict[str, Any]:
    """The answer to a create with rows."""
    return await call(client, "create-ingest-job", **{"body": INSERT, "data": {"csv": csv}, **more})


async def refused(client: Client, csv: str, **more: Any) -> str:
    """The text of the refusal of a create with rows."""
    return await refusal(client, "create-ingest-job", **{"body": INSERT, "data": {"csv": csv}, **more})


async def loaded(client: Client, csv: str, **more: Any) -> str:
    """The id of a job whose rows Salesforce has processed."""
    job = await made(client, csv, **more)
    await closed(client, job["id"])
    return str(job["id"])


def count(org: WatchedOrg, tag: str) -> int:
    return len(org.records(f"SELECT Id FROM Account WHERE Name LIKE '{tag} %'"))


# What is refused


@pytest.mark.parametrize("era", ERAS)
async def test_a_re_export_in_another_order_with_one_row_more_is_refused(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    tag, rows = f"More {era}", rows_of(f"More {era}")
    async with agent(org.url, era=era, folder=tmp_path) as client:
        await loaded(client, csv_of(rows))
        org.forget()
        again = csv_of(shuffled([*rows, [f"{tag} new", "Lyon", ""]]))
        text = await refused(client, again)
    assert org.changes == [] and count(org, tag) == 30
    assert steady(text) == snapshot("""\
DUPLICATE_VALUE: 30 of 31 rows went into job JOB (JobComplete) before. Nothing was sent now.
Next: get-ingest-job-status {"jobId": "JOB", "waitSeconds": 45} shows what became of that job. Send rows that are not there yet alone; those that failed there go again with rowsOf. Only if the user wants all of these rows a second time, give loadAgain: true.\
""")


@pytest.mark.parametrize(
    "form", ["the same bytes", "all quoted", "semicolons", "other line ends", "other case of names"]
)
async def test_the_same_rows_in_another_form_are_refused(form: str, org: WatchedOrg, client: Client) -> None:
    tag, rows = f"Form {form}", rows_of(f"Form {form}")
    again = {
        "the same bytes": csv_of(rows),
        "all quoted": csv_of(rows, all=True),
        "semicolons": csv_of(rows, mark=";"),
        "other line ends": csv_of(rows, newline="\r\n"),
        "other case of names": csv_of(rows, [name.upper() for name in HEADER]),
    }[form]
    await loaded(client, csv_of(rows))
    # A check that is switched off is another call, so that it is no repeat of the first.
    assert "30 of 30 rows went into job" in await refused(client, again, preflight="off")
    assert count(org, tag) == 30


async def test_one_changed_cell_makes_one_row_another(org: WatchedOrg, client: Client) -> None:
    rows = rows_of("Changed")
    await loaded(client, csv_of(rows))
    rows[7][1] = "Lyon"
    assert "29 of 30 rows went into job" in await refused(client, csv_of(rows))


async def test_rows_are_compared_as_they_go_out(org: WatchedOrg, client: Client) -> None:
    rows = rows_of("Mapped")
    await loaded(client, csv_of(rows))
    foreign = csv_of(rows, ["Company", "City", "Remarks"])
    columns = {"Company": "Name", "City": "BillingCity", "Remarks": "Description"}
    text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": foreign, "columns": columns})
    assert "30 of 30 rows went into job" in text
    other = await call(
        client,
        "create-ingest-job",
        body=INSERT,
        data={"csv": foreign, "columns": columns, "set": {"BillingCity": "Rome"}},
    )
    assert other["status"] == "uploaded"


async def test_rows_of_several_jobs_are_known_together(org: WatchedOrg, client: Client) -> None:
    rows = rows_of("Joined")
    for part in (rows[:12], rows[12:18]):
        await loaded(client, csv_of(part))
    text = await refused(client, csv_of(rows))
    assert "18 of 30 rows went before, 12 into job" in text and ", 6 into job" in text


async def test_the_upload_tool_refuses_them_too_and_a_dry_run_tells_it(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Upload"))
    await loaded(client, rows)
    job = (await call(client, "create-ingest-job", body=INSERT))["id"]
    upload = {"jobId": job, "body": {"csv": rows}}
    assert "30 of 30 rows went into job" in await refusal(client, "upload-data-ingest-job", **upload)
    for answer in (
        await call(client, "upload-data-ingest-job", **upload, dryRun=True),
        await made(client, rows, dryRun=True),
    ):
        assert answer["status"] == "checked"
        assert "loadAgain: true" in answer["next"] and "sends the rows" not in answer["next"]
        assert [(found["level"], steady(found["what"]), found["do"]) for found in answer["findings"]] == snapshot(
            [
                (
                    "warning",
                    "30 of 30 rows went into job JOB (JobComplete) before.",
                    "They will be refused: send the other rows alone, or give loadAgain: true if the user wants these a second time.",
                )
            ]
        )
    assert count(org, "Upload") == 30
    sent = await call(client, "upload-data-ingest-job", **upload, loadAgain=True)
    assert (sent["status"], steady(sent["findings"])) == snapshot(
        (
            "uploaded",
            [
                {
                    "level": "warning",
                    "what": "30 of 30 rows went into job JOB (JobComplete) before.",
                    "do": "They go a second time, as was asked.",
                    "lines": [],
                    "count": 0,
                }
            ],
        )
    )


@pytest.mark.parametrize("state", ["Open", "UploadComplete"])
async def test_rows_of_a_job_that_may_still_load_them_are_refused(state: str, org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of(f"Waiting {state}"))
    if state == "UploadComplete":
        org.go_wrong({"fault": "stuck-job"})
    job = await made(client, rows)
    if state == "UploadComplete":
        await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": state})
    text = await refused(client, rows, preflight="off")
    told = "Open, so none are loaded yet: close it to load them, or abort it" if state == "Open" else ": wait for it"
    assert told in text


async def test_a_job_that_is_gone_counts_and_is_said_to_be_gone(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Gone"))
    job = await loaded(client, rows)
    await call(client, "delete-ingest-job", jobId=job)
    text = await refused(client, rows)
    assert "gone from Salesforce, so what became of them is not known" in text
    assert job[:15] not in text.partition("\nNext: ")[2]


async def test_rows_of_an_upsert_are_in_the_org_as_well(org: WatchedOrg, client: Client) -> None:
    rows = csv_of([["E-1", "Upserted 1"], ["E-2", "Upserted 2"]], ["External_Id__c", "Name"])
    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    await loaded(client, rows, body=upsert)
    assert "2 of 2 rows went into job" in await refused(client, rows, preflight="off")


async def test_rows_brought_by_rows_of_are_remembered(org: WatchedOrg, client: Client) -> None:
    job = await loaded(client, 'Name,Site\n"",x\nBrought 0,y\n')
    rows_again = {"rowsOf": {"jobs": [job]}, "values": {"Name": {"": "Brought 1"}}}
    second = await call(client, "create-ingest-job", body=INSERT, data=rows_again)
    await closed(client, second["id"])
    assert "1 of 1 rows went into job" in await refused(client, "Name,Site\nBrought 1,x\n")


async def aborted_with(client: Client, csv: str) -> str:
    """The id of a job that was given rows and tried none of them."""
    job_id = str((await made(client, csv))["id"])
    await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
    return job_id


async def test_rows_of_a_job_that_tried_none_are_refused_once_another_load_brought_them(
    org: WatchedOrg, client: Client
) -> None:
    rows = csv_of(rows_of("Elsewhere"))
    first = await aborted_with(client, rows)
    second = await loaded(client, rows, preflight="off")
    retry = {"rowsOf": {"jobs": [first]}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=retry)
    assert f"30 of 30 rows went into job {second} (JobComplete) before" in text
    job = await call(client, "create-ingest-job", body=INSERT)
    text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=retry)
    assert f"30 of 30 rows went into job {second} (JobComplete) before" in text
    assert count(org, "Elsewhere") == 30


@pytest.mark.parametrize("meant", ["loadAgain", "again"])
async def test_rows_that_another_load_brought_are_retried_where_that_is_meant(
    meant: str, org: WatchedOrg, client: Client
) -> None:
    tag = f"Wanted {meant}"
    rows = csv_of(rows_of(tag))
    first = await aborted_with(client, rows)
    await loaded(client, rows, preflight="off")
    more = {"loadAgain": True} if meant == "loadAgain" else {}
    retry = {"rowsOf": {"jobs": [first], "again": meant == "again"}}
    job = await call(client, "create-ingest-job", body=INSERT, data=retry, **more)
    await closed(client, job["id"])
    assert count(org, tag) == 60


async def test_rows_are_retried_from_job_to_job_until_one_loads_them(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Chain"))
    job_id = await aborted_with(client, rows)
    for _ in range(2):
        job = await call(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [job_id]}})
        job_id = job["id"]
        await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
    last = await call(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [job_id]}})
    await closed(client, last["id"])
    assert count(org, "Chain") == 30


# Restarts, processes, orgs


async def test_a_restart_forgets_nothing(org: WatchedOrg, tmp_path: Path) -> None:
    rows = csv_of(rows_of("Restart"))
    async with agent(org.url, folder=tmp_path) as client:
        await loaded(client, rows)
    async with agent(org.url, folder=tmp_path) as client:
        assert "30 of 30 rows went into job" in await refused(client, rows)
    assert count(org, "Restart") == 30


async def test_of_two_servers_that_send_the_same_rows_at_once_one_does(org: WatchedOrg, tmp_path: Path) -> None:
    rows = csv_of(rows_of("Race"))
    texts: list[str] = []

    async def load(client: Client) -> None:
        result = await client.call_tool("create-ingest-job", {"body": INSERT, "data": {"csv": rows}})
        if result.structured_content is None:
            texts.append(text_of(result))
        else:
            await closed(client, result.structured_content["id"])

    async with agent(org.url, folder=tmp_path) as one, agent(org.url, folder=tmp_path) as two:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load, one)
            tasks.start_soon(load, two)
    assert count(org, "Race") == 30
    assert len(texts) == 1 and "30 of 30 rows went into job" in texts[0]


async def test_the_same_org_under_another_name_has_them(org: WatchedOrg, tmp_path: Path) -> None:
    rows = csv_of(rows_of("Name"))
    other_name = replace(org, url=org.url.replace("127.0.0.1", "localhost"))
    async with agent_keeping(org, tmp_path, caches_results=True) as client:
        await loaded(client, rows)
    async with agent_keeping(other_name, tmp_path, caches_results=True) as client:
        assert "30 of 30 rows went into job" in await refused(client, rows)


async def test_another_org_on_the_same_record_has_none_of_the_rows(tmp_path: Path) -> None:
    rows = csv_of(rows_of("Elsewhere"))
    with watched_org(tmp_path / "one") as sandbox, watched_org(tmp_path / "two") as production:
        for org in (sandbox, production):
            org.forget()
            async with agent(org.url, folder=tmp_path) as client:
                await loaded(client, rows)
        assert [count(org, "Elsewhere") for org in (sandbox, production)] == [30, 30]


# What goes


@pytest.mark.parametrize("end", ["aborted", "failed", "deleted"])
async def test_rows_of_a_job_that_loaded_none_go(end: str, org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of(f"None {end}"))
    job = await made(client, rows)
    if end == "failed":
        org.go_wrong({"fault": "too-many-lock-failures"})
        await closed(client, job["id"])
        org.go_right()
    else:
        await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    if end == "deleted":
        await call(client, "delete-ingest-job", jobId=job["id"])
    await loaded(client, rows, preflight="off")
    assert count(org, f"None {end}") == 30


async def test_rows_that_failed_go_and_those_that_did_not_are_counted(org: WatchedOrg, client: Client) -> None:
    rows = [[f"Failed {n}" if n % 3 else "", "Oslo", f"{n}"] for n in range(30)]
    await loaded(client, csv_of(rows), preflight="off")
    assert "20 of 30 rows went into job" in await refused(client, csv_of(shuffled(rows)), preflight="off")
    failed = [row for row in rows if not row[0]]
    again = await made(client, csv_of(failed), preflight="off")
    assert (again["status"], again["findings"]) == ("uploaded", [])


async def test_rows_that_were_not_processed_go(org: WatchedOrg, client: Client) -> None:
    rows = [[f"Unprocessed {n:03}", "Oslo", ""] for n in range(450)]
    org.go_wrong({"fault": "too-many-lock-failures", "after": 1})
    job = await loaded(client, csv_of(rows))
    org.go_right()
    done = await call(client, "get-ingest-job-status", jobId=job)
    assert (done["state"], done["numberRecordsProcessed"]) == ("Failed", 200)
    there = {record["Name"] for record in org.records("SELECT Name FROM Account WHERE Name LIKE 'Unprocessed %'")}
    unprocessed = [row for row in rows if row[0] not in there]
    assert len(unprocessed) == 250
    answer = await made(client, csv_of(rows))
    assert "200 of 450 rows went into job" in answer["findings"][0]["what"]
    await call(client, "close-abort-ingest-job", jobId=answer["id"], body={"state": "Aborted"})
    assert (await made(client, csv_of(unprocessed)))["findings"] == []


async def test_rows_of_an_insert_that_was_undone_go(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Undone"))
    job = await loaded(client, rows)
    delete = {"object": "Account", "operation": "delete"}
    undo = await call(client, "create-ingest-job", body=delete, data={"rowsOf": {"jobs": [job], "which": ["created"]}})
    assert "30 of 30 rows" in await refused(client, rows, preflight="off")
    await closed(client, undo["id"])
    assert count(org, "Undone") == 0
    await loaded(client, rows, preflight="off")
    assert count(org, "Undone") == 30


@pytest.mark.parametrize("operation", ["insert", "upsert"])
async def test_the_very_call_goes_again_after_its_job_was_undone(
    operation: str, org: WatchedOrg, client: Client
) -> None:
    tag = f"Anew {operation}"
    body = INSERT if operation == "insert" else INSERT | {"operation": "upsert", "externalIdFieldName": "Id"}
    rows = (
        csv_of([["", *row] for row in rows_of(tag)], ["Id", *HEADER]) if operation == "upsert" else csv_of(rows_of(tag))
    )
    job = await loaded(client, rows, body=body)
    delete = {"object": "Account", "operation": "delete"}
    undo = await call(client, "create-ingest-job", body=delete, data={"rowsOf": {"jobs": [job], "which": ["created"]}})
    await closed(client, undo["id"])
    assert count(org, tag) == 0
    assert await loaded(client, rows, body=body) != job
    assert count(org, tag) == 30


async def test_rows_that_are_meant_twice_go_with_load_again(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Meant"))
    await loaded(client, rows)
    answer = await made(client, rows, loadAgain=True)
    await closed(client, answer["id"])
    assert count(org, "Meant") == 60
    assert [found["do"] for found in answer["findings"]] == ["They go a second time, as was asked."]


async def test_below_half_of_the_rows_it_is_a_warning(org: WatchedOrg, client: Client) -> None:
    tasks = {"object": "Task", "operation": "insert"}
    first = csv_of([["Call back", "High"]] * 3 + [[f"Visit {n}", "Low"] for n in range(7)], ["Subject", "Priority"])
    second = csv_of([["Call back", "High"]] * 3 + [[f"Mail {n}", "Low"] for n in range(7)], ["Subject", "Priority"])
    await loaded(client, first, body=tasks)
    answer = await made(client, second, body=tasks)
    assert (answer["status"], steady(answer["summary"])) == snapshot(
        (
            "uploaded",
            "Created the job. Uploaded 10 rows, 139 bytes, to job JOB in embedded org; nothing is loaded until the job is closed. 1 warning. Checked: file, columns, cells; not looked for: existing records.",
        )
    )
    assert steady(answer["findings"]) == snapshot(
        [
            {
                "level": "warning",
                "what": "3 of 10 rows went into job JOB (JobComplete) before.",
                "do": "Go on if that is meant, as with a file that comes again; else leave the rows out with leaveOut.",
                "lines": [],
                "count": 0,
            }
        ]
    )


async def test_rows_with_other_columns_or_of_another_object_are_others(org: WatchedOrg, client: Client) -> None:
    await loaded(client, "Name,Site\nOther columns,x\n")
    assert (await made(client, "Name,Fax\nOther columns,x\n"))["findings"] == []
    await loaded(client, "LastName,Fax\nSame,x\n", body={"object": "Contact", "operation": "insert"})
    lead = {"object": "Lead", "operation": "insert"}
    assert (await made(client, "LastName,Fax\nSame,x\n", body=lead, preflight="off"))["findings"] == []


async def test_for_other_operations_it_is_a_note(org: WatchedOrg, client: Client) -> None:
    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    weekly = csv_of([[f"W-{n}", f"Weekly {n}"] for n in range(5)], ["External_Id__c", "Name"])
    await loaded(client, weekly, body=upsert)
    records = org.records("SELECT Id, Name FROM Account WHERE Name LIKE 'Weekly %'")
    update = csv_of([[record["Id"], "Oslo"] for record in records], ["Id", "BillingCity"])
    delete = csv_of([[record["Id"]] for record in records], ["Id"])
    notes = []
    for operation, rows in (("upsert", weekly), ("update", update), ("delete", delete)):
        body = upsert if operation == "upsert" else {"object": "Account", "operation": operation}
        if operation != "upsert":
            await loaded(client, rows, body=body)
        answer = await made(client, rows, body=body, preflight="off")
        assert answer["status"] == "uploaded"
        notes += [f"{found['level']}: {steady(found['what'])} {found['do']}" for found in answer["findings"]]
    assert notes == snapshot(
        [
            "warning: 5 of 5 rows went into job JOB (JobComplete) before. Go on if that is meant, as with a file that comes again; else leave the rows out with leaveOut.",
            "warning: 5 of 5 rows went into job JOB (JobComplete) before. Go on if that is meant, as with a file that comes again; else leave the rows out with leaveOut.",
            "warning: 5 of 5 rows went into job JOB (JobComplete) before. Go on if that is meant, as with a file that comes again; else leave the rows out with leaveOut.",
        ]
    )


async def test_a_server_that_keeps_no_uploads_remembers_none(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path, no_kept_uploads=True) as client:
        for preflight in ("on", "off"):
            await loaded(client, csv_of(rows_of("Unkept")), preflight=preflight)
    assert count(org, "Unkept") == 60


async def test_rows_that_salesforce_refused_to_take_go_into_another_job(org: WatchedOrg, client: Client) -> None:
    rows = csv_of(rows_of("Untaken"))
    org.go_wrong({"on": "upload", "fault": "answer", "status": 400, "errorCode": "X", "message": "No.", "times": 1})
    await refused(client, rows)
    org.go_right()
    assert (await made(client, rows, preflight="off"))["findings"] == []
