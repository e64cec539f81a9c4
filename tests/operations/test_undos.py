"""What counts as an undo of a job, and which undos stand; scenarios are in test_the_same_load_twice.py."""

import re
import sqlite3
from contextlib import closing as closing_file
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.orgs import agent, call, closed, refusal, text_of, undo_call, undoing, undone
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}


async def inserted(client: Client, name: str) -> str:
    """The id of a job that has created two records."""
    job = await call(client, "create-ingest-job", body=INSERT, data={"csv": f"Name\n{name} 1\n{name} 2\n"})
    await closed(client, job["id"])
    return str(job["id"])


async def given_ids_of(client: Client, job_id: str, operation: str, **rows: Any) -> str:
    """The id of a job that has got the ids of what another created, and has ended."""
    data = {"rowsOf": {"jobs": [job_id], "which": ["created"]}, **rows}
    job = await call(client, "create-ingest-job", body=INSERT | {"operation": operation}, data=data)
    await closed(client, job["id"])
    return str(job["id"])


async def test_an_update_by_the_ids_of_what_was_created_is_no_undo(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        job = await inserted(client, "Updated")
        await given_ids_of(client, job, "update", set={"Site": "x"})
        assert (await undo_call(client, job))[0] == "create-ingest-job"


@pytest.mark.parametrize(
    ("body", "operation", "which", "told"),
    [
        (
            {"object": "Contact", "operation": "delete"},
            "insert",
            "created",
            snapshot("""\
INVALID_ARGUMENT: Job JOB is of Account: a job of Contact can't undo it. Make the job for the same object.
Next: create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["created"]}}, "dryRun": true} is the same call, corrected.\
"""),
        ),
        (
            {"object": "Contact", "operation": "update"},
            "update",
            "before",
            snapshot("""\
INVALID_ARGUMENT: Job JOB is of Account: a job of Contact can't undo it. Make the job for the same object.
Next: create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["before"]}}, "dryRun": true} is the same call, corrected.\
"""),
        ),
        (
            {"object": "Account", "operation": "insert"},
            "update",
            "before",
            snapshot("""\
INVALID_ARGUMENT: What records held before job JOB goes back by an update job: make the job with the operation update.
Next: create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["before"]}}, "dryRun": true} is the same call, corrected.\
"""),
        ),
        (
            {"object": "Account", "operation": "update"},
            "insert",
            "before",
            snapshot("""\
INVALID_ARGUMENT: Job JOB (insert of Account) made new records, so nothing was held before it.
Next: get-ingest-job-status {"jobId": "JOB"} shows what became of its rows, and what undoes it, if anything does: no row is left to send.\
"""),
        ),
    ],
)
async def test_a_job_that_can_not_undo_another_is_refused_with_one_that_can(
    org: WatchedOrg, body: dict[str, str], operation: str, which: str, told: str
) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        job = await inserted(client, "Not undone")
        if operation == "update":
            job = await given_ids_of(client, job, "update", set={"Site": "x"})
        data = {"rowsOf": {"jobs": [job], "which": [which]}}
        text = await refusal(client, "create-ingest-job", body=body, data=data, dryRun=True)
    assert text.replace(job, "JOB") == told


async def test_a_delete_that_deleted_no_record_is_no_undo_beside_the_one_that_did(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete", "hardDelete")) as client:
        job = await inserted(client, "Deleted")
        undo = await given_ids_of(client, job, "delete")
        late = await given_ids_of(client, job, "delete", set={"Id": "001000000000001AAA"})
        assert (await undo_call(client, job)) == ("get-ingest-job-status", {"jobId": undo})
        assert (await call(client, "get-ingest-job-status", jobId=late))["numberRecordsFailed"] == 2


async def test_an_undo_whose_job_is_gone_is_not_known(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        job = await inserted(client, "Gone")
        await call(client, "delete-ingest-job", jobId=await given_ids_of(client, job, "delete"))
        assert (await undo_call(client, job))[0] == "create-ingest-job"


async def load_of(client: Client, org: WatchedOrg, name: str, operation: str) -> dict[str, Any]:
    """The arguments of a create of two rows: an insert, or an update of two records that were made for it."""
    rows = f"Name\n{name} 1\n{name} 2\n"
    if operation == "update":
        await inserted(client, f"{name} before")
        ids = [each["Id"] for each in org.records(f"SELECT Id FROM Account WHERE Name LIKE '{name} before%'")]
        rows = "Id,Name\n" + "".join(f"{record_id},{name} {n}\n" for n, record_id in enumerate(ids))
    return {"body": INSERT | {"operation": operation}, "data": {"csv": rows}}


async def done(client: Client, load: dict[str, Any]) -> str:
    """The id of the job that a create leads to, once the job has ended."""
    job = await call(client, "create-ingest-job", **load)
    await closed(client, job["id"])
    return str(job["id"])


def count(org: WatchedOrg, name: str) -> int:
    return len(org.records(f"SELECT Id FROM Account WHERE Name LIKE '{name} _'"))


@pytest.mark.parametrize("operation", ["insert", "update"])
async def test_a_load_whose_undo_was_undone_is_there_again_for_the_equal_call(org: WatchedOrg, operation: str) -> None:
    name = f"There again {operation}"
    async with agent(org.url, allow_operation=("delete",)) as client:
        load = await load_of(client, org, name, operation)
        job = await done(client, load)
        undo = (await undone(client, job))["id"]
        redo = (await undone(client, undo))["id"]
        answer = await call(client, "create-ingest-job", **load)
        assert (answer["id"], answer["status"], count(org, name)) == (job, "already uploaded", 2)
        await undone(client, redo)
        assert count(org, name) == 0
        assert await done(client, load) != job
        assert count(org, name) == 2


async def test_rows_that_a_job_brought_back_which_is_gone_do_not_go_again(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        load = await load_of(client, org, "Back", "insert")
        undo = (await undone(client, await done(client, load)))["id"]
        await call(client, "delete-ingest-job", jobId=(await undone(client, undo))["id"])
        assert "2 of 2 rows went into job" in await refusal(client, "create-ingest-job", **load)
        assert count(org, "Back") == 2


async def undone_but_for_one(client: Client, org: WatchedOrg, job_id: str, name: str) -> str:
    """The id of a job that has undone the update of two records, but for one of them."""
    arguments = (await undo_call(client, job_id))[1]
    one = org.records(f"SELECT Id FROM Account WHERE Name LIKE '{name} _'")[0]["Id"]
    return await done(client, arguments | {"data": arguments["data"] | {"leaveOut": {"cells": {"Id": [one]}}}})


async def test_a_load_of_which_an_undo_is_undone_in_part_or_not_yet_goes_by_the_equal_call(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        load = await load_of(client, org, "Redone in part", "update")
        job = await done(client, load)
        undo = (await undone(client, job))["id"]
        await undone_but_for_one(client, org, undo, "Redone in part before")
        assert count(org, "Redone in part") == 1
        await undoing(client, undo)
        assert await done(client, load) != job
        assert count(org, "Redone in part") == 2


async def test_a_load_that_is_redone_in_part_can_be_undone_again(org: WatchedOrg) -> None:
    name = "Half redone"
    async with agent(org.url) as client:
        job = await done(client, await load_of(client, org, name, "update"))
        redo = (await undone(client, (await undone(client, job))["id"]))["id"]
        await undone_but_for_one(client, org, redo, name)
        assert count(org, name) == 1
        await undone(client, job)
        assert count(org, name) == 0


async def test_rows_of_an_insert_whose_undo_stands_again_go(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        load = await load_of(client, org, "Twice gone", "insert")
        redo = (await undone(client, (await undone(client, await done(client, load)))["id"]))["id"]
        deleting = (await undoing(client, redo))["id"]
        assert "2 of 2 rows went into job" in await refusal(client, "create-ingest-job", **load, preflight="off")
        await closed(client, deleting)
        assert count(org, "Twice gone") == 0
        await done(client, load | {"preflight": "off"})
        assert count(org, "Twice gone") == 2


async def test_jobs_that_share_records_are_known_to_be_undone_in_part(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        first = await load_of(client, org, "Shared", "update")
        ids = [each["Id"] for each in org.records("SELECT Id FROM Account WHERE Name LIKE 'Shared before%'")]
        second = {"csv": "Id,Name\n" + "".join(f"{record_id},Shared too\n" for record_id in ids)}
        jobs = [await done(client, load) for load in (first, first | {"data": second})]
        rows = {"rowsOf": {"jobs": jobs, "which": ["before"]}, "leaveOut": {"cells": {"Id": ids[:1]}}}
        undo = await done(client, first | {"data": rows})
        for job in jobs:
            told = (await call(client, "get-ingest-job-status", jobId=job))["undo"]
            assert told.replace(undo, "UNDO").replace(job, "JOB") == snapshot(
                'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which gave back what 1 of 2 records held. create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["before"]}}} gives back the others that nobody changed since, if the user asks.'
            )


async def test_jobs_that_the_record_says_undid_each_other_are_told_all_the_same(
    org: WatchedOrg, tmp_path: Path
) -> None:
    """Where ids of jobs come again, as in a seeded org that begins anew, the record of an earlier one says so."""
    async with agent(org.url, folder=tmp_path, allow_operation=("delete",)) as client:
        job = await inserted(client, "In a circle")
        undo = (await undone(client, job))["id"]
        with closing_file(sqlite3.connect(tmp_path / "uploads.sqlite3")) as database, database:
            database.execute(
                "INSERT INTO undone_inserts SELECT org, by_job, job_id, rows FROM undone_inserts WHERE by_job = ?",
                (undo[:15],),
            )
        assert (await undo_call(client, job)) == ("get-ingest-job-status", {"jobId": undo})


async def test_the_undo_of_an_undo_is_told_as_a_redo_of_the_load(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent(org.url, folder=tmp_path) as client:
        job = await done(client, await load_of(client, org, "Told", "update"))
        tool, arguments = await undo_call(client, job)
        undo = (await call(client, tool, **arguments))["id"]
        closing = (await closed(client, undo))["summary"]
        status = text_of(await client.call_tool("get-ingest-job-status", {"jobId": undo})).splitlines()[-1]
        tool, arguments = await undo_call(client, undo)
        checked = (await call(client, tool, **arguments, dryRun=True))["findings"][-1]["what"]
        redo = (await call(client, tool, **arguments))["id"]
        async with agent(org.url, folder=tmp_path, confirm=("update",)) as careful:
            close = {"jobId": redo, "body": {"state": "UploadComplete"}}
            confirmed = (await refusal(careful, "close-abort-ingest-job", **close)).splitlines()[0]
        await closed(client, redo)
        of_redo, of_undo = [
            text_of(await client.call_tool("get-ingest-job-status", {"jobId": each})) for each in (redo, undo)
        ]
        tool, arguments = await undo_call(client, redo)
        checked_again = (await call(client, tool, **arguments, dryRun=True))["findings"][-1]["what"]
    told = (
        closing.partition(" Job ")[0],
        status,
        checked,
        confirmed,
        of_redo.splitlines()[-1],
        of_undo.splitlines()[-1],
        checked_again,
    )
    names = {job[:15]: "LOAD", undo[:15]: "UNDO", redo[:15]: "REDO"}
    assert [re.sub(r"750\w{12}(\w{3})?", lambda found: names[found[0][:15]], each) for each in told] == snapshot(
        [
            "Closed the job. It undoes job LOAD; that can be undone.",
            'Redo: create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["UNDO"], "which": ["before"]}}} gives what it updated back what it held, but for records that were changed since, once closed. That redoes job LOAD. Only if the user asks.',
            "This redoes job LOAD, which job UNDO undid.",
            "INSUFFICIENT_ACCESS: The job was not closed: a person has to confirm that this is meant: update 2 Account in embedded org. Once closed, it redoes job LOAD; that can be undone.",
            'Undo: create-ingest-job {"body": {"object": "Account", "operation": "update"}, "data": {"rowsOf": {"jobs": ["REDO"], "which": ["before"]}}} gives what it updated back what it held, but for records that were changed since, once closed. That undoes job LOAD again. Only if the user asks.',
            'Redo: get-ingest-job-status {"jobId": "REDO"} shows the redo, which gave back what 2 records held.',
            "This undoes job LOAD again, which job REDO redid.",
        ]
    )


async def test_the_undo_of_an_insert_and_of_a_delete_are_told_as_redone_by_the_other_operation(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        insert = await inserted(client, "Other operation")
        undo_of_insert = (await undone(client, insert))["id"]
        await inserted(client, "Deleted by ids")
        ids = [each["Id"] for each in org.records("SELECT Id FROM Account WHERE Name LIKE 'Deleted by ids _'")]
        delete = await done(
            client, {"body": INSERT | {"operation": "delete"}, "data": {"csv": "\n".join(["Id", *ids, ""])}}
        )
        undo_of_delete = (await undone(client, delete))["id"]
        told = [
            (await call(client, "get-ingest-job-status", jobId=job))["undo"].partition("}} ")[2]
            for job in (undo_of_insert, undo_of_delete)
        ]
    assert [each.replace(insert, "INSERT").replace(delete, "DELETE") for each in told] == snapshot(
        [
            "inserts again what it deleted, once closed: deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children. That redoes job INSERT. Only if the user asks.",
            "deletes what it created, once closed. That redoes job DELETE. Only if the user asks.",
        ]
    )
