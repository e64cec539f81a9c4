"""The answer about one job: its state and counters, and the next step."""

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.mcp_server.answers.halves import TOKEN_BUDGET, sized_halves, steady_halves
from tests.mcp_server.answers.hostile_org import hostile_org
from tests.support.next_call import next_call
from tests.support.orgs import (
    agent,
    agent_over,
    call,
    closed,
    loaded,
    steady,
)
from tests.support.result_org import OneJob
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID

INSERT = {"object": "Account", "operation": "insert"}
ACCOUNTS = "Name,BillingCity\nAcme,Oslo\n,Lyon\nInitech,\n"


async def test_the_state_of_an_open_job_says_what_is_known_of_its_rows(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await call(client, "create-ingest-job", body=INSERT)
        steps = [(await call(client, "get-ingest-job-status", jobId=job["id"]))["next"]]
        await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nA\n"})
        steps.append((await call(client, "get-ingest-job-status", jobId=job["id"]))["next"])
        assert [step.replace(job["id"], "<job>") for step in steps] == snapshot(
            [
                'upload-data-ingest-job {"jobId": "<job>", "body": "<rows>"} gives it its rows, once; then close-abort-ingest-job {"jobId": "<job>", "body": {"state": "UploadComplete"}, "waitSeconds": 45} loads them.',
                'close-abort-ingest-job {"jobId": "<job>", "body": {"state": "UploadComplete"}, "waitSeconds": 45} loads its rows, which it has.',
            ]
        )


async def test_a_job_with_an_endless_error_message_is_cut() -> None:
    async with agent_over(hostile_org([], [])) as client:
        for half in await sized_halves(client, "get-ingest-job-status", jobId=JOB_ID):
            assert len(half) / 4 <= TOKEN_BUDGET and "…[+199000]" in half


async def test_a_job_without_counters_is_not_taken_for_one_that_was_closed_without_rows() -> None:
    uncounted = {"operation": "insert", "object": "Account", "numberRecordsProcessed": None}
    async with agent_over(OneJob({}, uncounted)) as client:
        following = (await call(client, "get-ingest-job-status", jobId=JOB_ID))["next"]
    assert next_call(following) == ("get-successful-results-ingest-job", {"jobId": JOB_ID})


async def test_closing_with_a_wait_answers_with_the_outcome(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": ACCOUNTS})
    closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    assert await steady_halves(client, "close-abort-ingest-job", **closing) == snapshot(
        (
            {
                "id": "JOB",
                "state": "JobComplete",
                "object": "Account",
                "operation": "insert",
                "numberRecordsProcessed": 3,
                "numberRecordsFailed": 1,
                "columnDelimiter": "COMMA",
                "lineEnding": "LF",
                "contentType": "CSV",
                "apiVersion": 63.0,
                "jobType": "V2Ingest",
                "concurrencyMode": "Parallel",
                "createdById": "005000000000001AAA",
                "createdDate": "DATE",
                "systemModstamp": "DATE",
                "retries": 0,
                "totalProcessingTime": "MS",
                "apiActiveProcessingTime": "MS",
                "apexProcessingTime": "MS",
                "summary": "Closed the job. Job JOB (insert Account) in embedded org is JobComplete: 3 rows processed, 1 of them failed. New records: 2.",
                "next": 'get-failed-results-ingest-job {"jobId": "JOB"} shows why rows failed.',
                "org": "embedded org",
                "changed": True,
                "resourceUri": "salesforce-bulk://jobs/JOB",
                "rowCounts": {"sent": 3, "successful": 2, "failed": 1, "unprocessed": 0, "inNoResult": 0, "created": 2},
            },
            [
                "Closed the job. Job JOB (insert Account) in embedded org is JobComplete: 3 rows processed, 1 of them failed. New records: 2.",
                'Next: get-failed-results-ingest-job {"jobId": "JOB"} shows why rows failed.',
            ],
        )
    )


@pytest.mark.parametrize(("rows", "expected"), [("Acme,Oslo\n", "1 row processed, none failed. New records: 1."),
    (",Oslo\n", "1 row processed, and it failed."),
    (",Oslo\nAcme,Oslo\n", "2 rows processed, 1 of them failed. New records: 1.")])  # fmt: skip
async def test_a_status_tells_the_failed_rows_of_those_processed(client: Client, rows: str, expected: str) -> None:
    job_id = await loaded(client, f"Name,BillingCity\n{rows}")
    assert (await call(client, "get-ingest-job-status", jobId=job_id))["summary"].endswith(expected)


async def test_a_second_close_or_abort_changes_nothing_and_says_so(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    closed = await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"})
    assert (closed["changed"], steady(closed["summary"])) == snapshot(
        (
            False,
            "The job was already closed; nothing changed. Job JOB (insert Account) in embedded org is JobComplete: 1 row processed, none failed. New records: 1.",
        )
    )
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    first = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    second = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    assert [first["changed"], second["changed"], second["state"]] == [True, False, "Aborted"]


async def _aborted(client: Client, body: dict[str, str], csv: str) -> str:
    """The sentence about what comes next after a job with these rows was aborted before it was closed."""
    job = await call(client, "create-ingest-job", body=body, data={"csv": csv})
    answer = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    assert answer["rowCounts"]["unprocessed"] == 2
    return str(answer["next"]).replace(job["id"], "<job>")


async def test_an_abort_leads_to_the_rows_that_are_left(org: WatchedOrg) -> None:
    async with agent(org.url, allow_operation=("delete",)) as client:
        assert [
            await _aborted(client, INSERT, "Name\nA\nB\n"),
            await _aborted(client, {**INSERT, "operation": "delete"}, "Id\n001000000000001AAA\n001000000000002AAA\n"),
        ] == snapshot(
            [
                'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["<job>"]}}} loads the 2 rows left, if that is still meant.',
                'create-ingest-job {"body": {"object": "Account", "operation": "delete"}, "data": {"rowsOf": {"jobs": ["<job>"]}}} deletes the records of the 2 rows left, if that is still meant.',
            ]
        )


async def test_an_abort_of_a_job_of_which_no_rows_are_known_leads_to_its_unprocessed_rows(client: Client) -> None:
    job = await call(client, "create-ingest-job", body=INSERT)
    answer = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    assert next_call(answer["next"]) == ("get-unprocessed-records-ingest-job", {"jobId": job["id"]})


async def test_an_upsert_says_how_many_records_are_new_and_how_many_were_updated(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        await loaded(client, "LastName,External_Id__c\nAnn,UPS-1\n", object="Contact")
        upsert = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
        rows = {"csv": "LastName,External_Id__c\nAnna,UPS-1\nBob,UPS-2\nCid,UPS-3\n"}
        made = await call(client, "create-ingest-job", body=upsert, data=rows, loadAgain=True)
        answer = await closed(client, made["id"])
    assert answer["summary"].endswith("New records: 2, updated: 1.")
    counts = {"sent": 3, "successful": 3, "failed": 0, "unprocessed": 0, "inNoResult": 0, "created": 2, "updated": 1}
    assert answer["rowCounts"] == counts


async def test_an_insert_says_how_many_records_are_new_where_an_upsert_does(client: Client) -> None:
    made = await call(
        client, "create-ingest-job", body=INSERT, data={"csv": "Name,Site\nA,1\n,2\nB,3\n"}, preflight="off"
    )
    answer = await closed(client, made["id"])
    assert answer["summary"].endswith("1 of them failed. New records: 2.")
    assert answer["rowCounts"]["created"] == 2 and "updated" not in answer["rowCounts"]


async def test_where_no_results_are_kept_the_successful_rows_tell_which_records_are_new(org: WatchedOrg) -> None:
    upsert = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    async with agent(org.url, no_spool=True) as client:
        made = await call(
            client, "create-ingest-job", body=upsert, data={"csv": "LastName,External_Id__c\nDan,UPS-4\n"}
        )
        answer = await closed(client, made["id"])
    assert answer["summary"].endswith("sf__Created of the successful rows tells which records are new.")
