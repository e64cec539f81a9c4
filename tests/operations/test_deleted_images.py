"""Deletes are undone: what records held is kept before the close, and an insert job makes new records of it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import Caller, an_org_with, calling
from tests.support.altered_results import AlteredResults, first_rows
from tests.support.asgi_server import running
from tests.support.orgs import Recorder, agent, call, closed, refusal, undo_call, undone

WIDE = [f"Field_with_a_name_as_long_as_can_be_{number:03}__c" for number in range(150)]
SCHEMA = f"""
objects:
  Thing__c:
    fields:
      Parent__c: {{type: reference, referenceTo: Thing__c}}
      Account__c: {{type: reference, referenceTo: Account}}
      Amount__c: {{type: double, precision: 16, scale: 2}}
      Vip__c: {{type: boolean, default: true}}
      Stage__c: {{type: string, length: 20, default: new}}
      Seen__c: {{type: datetime}}
      Text__c: {{type: textarea}}
  Wide__c:
    fields: {{{", ".join(f"{name}: {{type: string, length: 20}}" for name in WIDE)}}}
"""
FIELDS = "Name, Parent__c, Account__c, Amount__c, Vip__c, Stage__c, Seen__c, Text__c, OwnerId"
CLOSE = {"state": "UploadComplete"}


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with an_org_with(SCHEMA, tmp_path_factory.mktemp("org")) as caller:
        yield caller


@pytest.fixture
async def client(direct: Caller) -> AsyncIterator[Client]:
    async with agent(str(direct.http.base_url), allow_operation=("delete", "hardDelete")) as client:
        yield client


def body(operation: str, sobject: str = "Thing__c") -> dict[str, str]:
    return {"object": sobject, "operation": operation}


def before(*jobs: str) -> dict[str, Any]:
    return {"rowsOf": {"jobs": list(jobs), "which": ["before"]}}


def things(direct: Caller, like: str, fields: str = FIELDS) -> list[dict[str, Any]]:
    """The records whose names begin so, without their ids."""
    return direct.records(f"SELECT {fields} FROM Thing__c WHERE Name LIKE '{like}%' ORDER BY Name")


def made(direct: Caller, csv: str, sobject: str = "Thing__c") -> list[str]:
    """The ids of the new records of these rows."""
    return [row["sf__Id"] for row in direct.succeeded(direct.load(csv, sobject))]


async def delete_job(client: Client, ids: list[str], sobject: str = "Thing__c", operation: str = "delete") -> str:
    """The id of a job that has these ids, and is not closed."""
    rows = {"csv": "\n".join(["Id", *ids, ""])}
    return str(
        (await call(client, "create-ingest-job", body=body(operation, sobject), data=rows, preflight="off"))["id"]
    )


def told(answer: dict[str, Any], *ids: str) -> list[str]:
    """What the findings of an answer say, with words for the job and for records."""
    found = [str(each["what"]) for each in answer["findings"]]
    for word, known in zip(("JOB", "ID", "ID"), ids, strict=False):
        found = [each.replace(known, word) for each in found]
    return found


@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
async def test_deleted_records_come_back_as_new_ones_cell_by_cell(
    client: Client, direct: Caller, operation: str
) -> None:
    account = made(direct, "Name\nParent\n", "Account")[0]
    ids = made(
        direct,
        "Name,Account__c,Amount__c,Vip__c,Stage__c,Seen__c,Text__c\n"
        f'{operation} 1,{account},1.5,false,#N/A,2020-01-01T10:00:00Z,"two\nlines, ""quoted"""\n'
        f"{operation} 2,,-3,true,b,,\n",
    )
    held = things(direct, operation)
    job = await delete_job(client, ids, operation=operation)
    answer = await closed(client, job)
    assert answer["summary"].startswith(
        "Closed the job. It can be undone, but deleted records come back as new records (new ids), without "
        "what Salesforce deletes with them, such as children."
    )
    assert things(direct, operation) == []
    undo = await undone(client, job)
    assert things(direct, operation) == held
    assert not {record["Id"] for record in things(direct, operation, "Id")} & set(ids)
    assert told(undo, job) == snapshot(
        [
            "The rows insert again 2 records of Thing__c that job JOB deleted: deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children."
        ]
    )


async def test_an_undo_goes_once(client: Client, direct: Caller) -> None:
    job = await delete_job(client, made(direct, "Name\nOnce 1\nOnce 2\n"))
    await closed(client, job)
    undo = await undone(client, job)
    status = await call(client, "get-ingest-job-status", jobId=job)
    assert status["undo"].replace(undo["id"], "UNDO") == snapshot(
        'get-ingest-job-status {"jobId": "UNDO"} shows the undo, which has 2 records that this job deleted, and is JobComplete.'
    )
    other = await call(client, "create-ingest-job", body=body("insert"))
    refused = await refusal(client, "upload-data-ingest-job", jobId=other["id"], body=before(job))
    shown = refused.replace(undo["id"], "UNDO").replace(undo["id"][:15], "UNDO").replace(job, "JOB")
    assert shown == snapshot("""\
DUPLICATE_VALUE: Some of these rows were sent again before: 2 of job JOB into job UNDO. Nothing was sent now.
Next: get-ingest-job-status {"jobId": "UNDO", "waitSeconds": 45} shows what became of the rows in that job; what fails there goes again from there. The rows that were not sent again go with skipSent: true in rowsOf. Only if the user wants these rows to go a second time, give again: true there.\
""")
    data = {"rowsOf": {**before(job)["rowsOf"], "skipSent": True}}
    refused = await refusal(client, "upload-data-ingest-job", jobId=other["id"], body=data)
    assert f"Skipped 2 rows of job {job} that went into job {undo['id'][:15]} before." in refused
    assert len(things(direct, "Once")) == 2


async def test_what_an_undo_left_out_comes_back_without_the_rest(client: Client, direct: Caller) -> None:
    job = await delete_job(client, made(direct, "Name\nRest 1\nRest 2\n"))
    await closed(client, job)
    data = before(job) | {"leaveOut": {"cells": {"Name": ["Rest 2"]}}}
    first = await call(client, "create-ingest-job", body=body("insert"), data=data)
    await closed(client, first["id"])
    data = {"rowsOf": {**before(job)["rowsOf"], "skipSent": True}}
    second = await call(client, "create-ingest-job", body=body("insert"), data=data)
    await closed(client, second["id"])
    assert [each["Name"] for each in things(direct, "Rest")] == ["Rest 1", "Rest 2"]


async def test_an_undo_whose_job_was_aborted_goes_again(client: Client, direct: Caller) -> None:
    job = await delete_job(client, made(direct, "Name\nAborted\n"))
    await closed(client, job)
    first = await call(client, "create-ingest-job", body=body("insert"), data=before(job))
    await call(client, "close-abort-ingest-job", jobId=first["id"], body={"state": "Aborted"})
    await undone(client, job)
    assert len(things(direct, "Aborted")) == 1


async def test_the_undo_of_an_insert_is_undone_and_the_rows_are_known_again(client: Client, direct: Caller) -> None:
    rows = {"csv": "Name\nThere\n"}
    insert = (await call(client, "create-ingest-job", body=body("insert"), data=rows))["id"]
    await closed(client, insert)
    deleting = await undone(client, insert)
    await undone(client, deleting["id"])
    assert len(things(direct, "There")) == 1
    other = await call(client, "create-ingest-job", body=body("insert"))
    assert "went into job" in await refusal(client, "upload-data-ingest-job", jobId=other["id"], body=rows)


async def test_a_record_that_the_job_did_not_delete_stays_as_it_is(client: Client, direct: Caller) -> None:
    ids = made(direct, "Name\nLocked 1\nLocked 2\n")
    job = await delete_job(client, ids)
    direct.go_wrong({"on": "processing", "fault": "locked-rows", "times": 1})
    assert (await closed(client, job))["numberRecordsFailed"] == 1
    direct.go_right()
    undo = await undone(client, job)
    assert len(things(direct, "Locked")) == 2
    assert told(undo, job, *ids) == snapshot(
        [
            "The rows insert again 1 record of Thing__c that job JOB deleted: deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children.",
            "Left out: 1 record that job JOB did not delete: ID.",
        ]
    )


async def test_rows_of_the_delete_that_failed_and_went_again_take_no_record_from_its_undo(
    client: Client, direct: Caller
) -> None:
    job = await delete_job(client, made(direct, "Name\nTried 1\nTried 2\n"))
    direct.go_wrong({"on": "processing", "fault": "locked-rows", "times": 1})
    assert (await closed(client, job))["numberRecordsFailed"] == 1
    direct.go_right()
    failed = {"rowsOf": {"jobs": [job], "which": ["failed"]}}
    again = await call(client, "create-ingest-job", body=body("delete"), data=failed)
    await closed(client, again["id"])
    data = {"rowsOf": {**before(job)["rowsOf"], "skipSent": True}}
    undo = await call(client, "create-ingest-job", body=body("insert"), data=data)
    assert (await closed(client, undo["id"]))["numberRecordsProcessed"] == 1
    await undone(client, again["id"])
    assert [each["Name"] for each in things(direct, "Tried")] == ["Tried 1", "Tried 2"]


async def test_records_that_a_short_result_leaves_out_come_back_all_the_same(tmp_path: Path) -> None:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    with running(org) as url, calling(url) as direct:
        ids = made(direct, "Name\nShort 1\nShort 2\nShort 3\n", "Account")
        org.alterations["successfulResults"] = [first_rows(1)]
        async with agent(url, allow_operation=("delete",)) as client:
            job = await delete_job(client, ids, "Account")
            await closed(client, job)
            tool, arguments = await undo_call(client, job)
            text = await refusal(client, tool, **arguments)
            assert "1 row, where by the counters of the job there are 3" in text
            undo = await undone(client, job)
        assert "did not delete" not in str(told(undo))
        assert direct.count("Name LIKE 'Short%'") == 3


async def test_the_download_of_results_takes_no_time_from_the_look_at_what_is_there(tmp_path: Path) -> None:
    org = Recorder(create_app(EmulatorConfig(data_dir=tmp_path / "org")))
    with running(org) as url, calling(url) as direct:
        async with agent(url, allow_operation=("delete",)) as client:
            job = await delete_job(client, made(direct, "Name\nSlow 1\n", "Account"), "Account")
            await closed(client, job)
            tool, arguments = await undo_call(client, job)
            org.calls.clear()
            await call(client, tool, **arguments)
    asked = [call for call in org.calls if "/successfulResults" in call or "/query" in call]
    assert ["successfulResults" in call for call in asked] == [True, False]


async def test_a_lookup_to_a_record_that_is_gone_is_left_blank_and_told(client: Client, direct: Caller) -> None:
    (parent,) = made(direct, "Name\nGone parent\n")
    ids = made(direct, f"Name,Parent__c\nGone child 1,{parent}\nGone child 2,{parent}\n")
    job = await delete_job(client, [parent, *ids])
    await closed(client, job)
    undo = await undone(client, job)
    assert [each["Parent__c"] for each in things(direct, "Gone child")] == [None, None]
    assert told(undo, job)[1:] == snapshot(
        ["Left blank: 2 cells of Parent__c, since the records that they name are gone."]
    )


async def test_an_object_with_more_fields_than_a_query_takes_comes_back(client: Client, direct: Caller) -> None:
    cells = [f"value {number}" for number in range(len(WIDE))]
    (wide,) = made(direct, f"Name,{','.join(WIDE)}\nWide,{','.join(cells)}\n", "Wide__c")
    job = await delete_job(client, [wide], "Wide__c")
    await closed(client, job)
    await undone(client, job)
    (record,) = direct.records(f"SELECT {','.join(WIDE)} FROM Wide__c")
    assert list(record.values()) == cells


async def test_a_record_that_was_there_twice_in_the_rows_comes_back_once(client: Client, direct: Caller) -> None:
    (twice,) = made(direct, "Name\nTwice\n")
    job = await delete_job(client, [twice, f" {twice[:15]}"])
    await closed(client, job)
    await undone(client, job)
    assert len(things(direct, "Twice")) == 1


async def test_several_deletes_are_undone_by_one_job_and_each_knows_that(client: Client, direct: Caller) -> None:
    held = made(direct, "Name,Stage__c,Text__c\nBoth 1,b,x\nBoth 2,c,\nBoth 3,,y\n")
    jobs = []
    for ids in (held[:2], held[2:]):
        jobs.append(await delete_job(client, ids))
        await closed(client, jobs[-1])
    undo = await call(client, "create-ingest-job", body=body("insert"), data=before(*jobs))
    assert (await closed(client, undo["id"]))["numberRecordsFailed"] == 0
    assert [each["Text__c"] for each in things(direct, "Both")] == ["x", None, "y"]
    assert told(undo, *reversed(jobs)) == snapshot(
        [
            "The rows insert again 3 records of Thing__c that jobs JOB, ID deleted: deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children."
        ]
    )
    for job, rows in zip(jobs, ("2 records", "1 record"), strict=True):
        status = await call(client, "get-ingest-job-status", jobId=job)
        assert (
            status["undo"].startswith(f'get-ingest-job-status {{"jobId": "{undo["id"]}"}}') and rows in status["undo"]
        )
    (fourth,) = made(direct, "Name\nBoth 4\n")
    late = await delete_job(client, [fourth])
    await closed(client, late)
    data = {"rowsOf": {**before(*jobs, late)["rowsOf"], "skipSent": True}}
    rest = await call(client, "create-ingest-job", body=body("insert"), data=data)
    await closed(client, rest["id"])
    assert len(things(direct, "Both")) == 4


async def test_before_of_a_delete_goes_into_an_insert_job(client: Client, direct: Caller) -> None:
    job = await delete_job(client, made(direct, "Name\nWrong job\n"))
    await closed(client, job)
    refused = await refusal(client, "create-ingest-job", body=body("update"), data=before(job))
    assert "goes back by an insert job: make the job with the operation insert" in refused


async def test_a_close_that_keeps_nothing_says_so_and_names_no_undo(client: Client, direct: Caller) -> None:
    job = await delete_job(client, made(direct, "Name\nNot kept\n"))
    answer = await call(client, "close-abort-ingest-job", jobId=job, body=CLOSE, withoutUndo=True, waitSeconds=30)
    assert "It can't be undone: the close asked for that with withoutUndo." in answer["summary"]
    assert "undo" not in answer
    assert "Nothing is kept here" in await refusal(client, "create-ingest-job", body=body("insert"), data=before(job))


async def test_who_confirms_a_delete_hears_that_records_come_back_as_new_ones(direct: Caller) -> None:
    async with agent(str(direct.http.base_url), confirm=("delete",)) as client:
        job = await delete_job(client, made(direct, "Name\nConfirmed\n"))
        told = await refusal(client, "close-abort-ingest-job", jobId=job, body=CLOSE)
        assert "Once closed, it can be undone, but deleted records come back as new records (new ids)" in told
