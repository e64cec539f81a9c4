"""The nine tools as a host's client sees them, in both protocol generations."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.orgs import ERAS, UNKNOWN_JOB, Era, agent, call, emulator, loaded, refusal, steady, text_of

ACCOUNTS = "Name,BillingCity\nAcme,Oslo\n,Lyon\nInitech,\n"


@pytest.fixture(params=ERAS)
async def client(request: pytest.FixtureRequest, org_url: str) -> AsyncIterator[Client]:
    era: Era = request.param
    async with agent(org_url, era=era, rest_url="http://127.0.0.1:8080/v1") as connected:
        yield connected


async def both_halves(client: Client, tool: str, **arguments: Any) -> tuple[Any, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return steady(result.structured_content), steady(text_of(result)).splitlines()


async def test_a_created_job_is_open_and_names_the_next_call(client: Client) -> None:
    body = {"object": "account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    assert await both_halves(client, "create-ingest-job", body=body) == snapshot(
        (
            {
                "id": "JOB",
                "state": "Open",
                "object": "Account",
                "operation": "upsert",
                "externalIdFieldName": "External_Id__c",
                "columnDelimiter": "COMMA",
                "lineEnding": "LF",
                "apiVersion": 63.0,
                "createdDate": "DATE",
                "concurrencyMode": "Parallel",
                "contentType": "CSV",
                "summary": "Created job JOB (upsert Account) in embedded org; it is Open and has no rows yet.",
                "createdById": "005000000000001AAA",
                "next": "Call upload-data-ingest-job with jobId JOB, once; then close-abort-ingest-job with state UploadComplete.",
                "systemModstamp": "DATE",
                "org": "embedded org",
                "resourceUri": "salesforce-bulk://jobs/JOB",
            },
            [
                "Created job JOB (upsert Account) in embedded org; it is Open and has no rows yet.",
                "Next: Call upload-data-ingest-job with jobId JOB, once; then close-abort-ingest-job with state UploadComplete.",
            ],
        )
    )


async def test_an_upload_says_how_much_went_where_and_that_nothing_is_loaded_yet(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    answer = await both_halves(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": ACCOUNTS})
    assert answer == snapshot(
        (
            {
                "summary": "Uploaded 3 rows, 42 bytes, to job JOB in embedded org; nothing is loaded until the job is closed. 1 warning.",
                "next": "Call close-abort-ingest-job with jobId JOB and state UploadComplete to load them.",
                "jobId": "JOB",
                "state": "Open",
                "status": "uploaded",
                "bytes": 42,
                "rows": 3,
                "sha256": "4a01e6c7013a78d7a14b3435d53288ec0b96e3a64d17af1fc1833657539975d2",
                "org": "embedded org",
                "findings": [
                    {
                        "level": "warning",
                        "what": "Name is required, and rows without it fail.",
                        "do": "Fill it in, or leave these rows out.",
                        "column": "Name",
                        "lines": [3],
                        "count": 1,
                    }
                ],
            },
            [
                "Uploaded 3 rows, 42 bytes, to job JOB in embedded org; nothing is loaded until the job is closed. 1 warning.",
                "Next: Call close-abort-ingest-job with jobId JOB and state UploadComplete to load them.",
                "sha256: 4a01e6c7013a78d7a14b3435d53288ec0b96e3a64d17af1fc1833657539975d2",
                "- warning, column Name, line 3: Name is required, and rows without it fail. Fill it in, or leave these rows out.",
                "State: Open.",
            ],
        )
    )


async def test_closing_with_a_wait_answers_with_the_outcome(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": ACCOUNTS})
    closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    assert await both_halves(client, "close-abort-ingest-job", **closing) == snapshot(
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
                "summary": "Closed the job for processing. Job JOB (insert Account) in embedded org is JobComplete: 3 rows processed, 1 of them failed.",
                "next": "Call get-failed-results-ingest-job with jobId JOB to see why rows failed.",
                "org": "embedded org",
                "changed": True,
                "resourceUri": "salesforce-bulk://jobs/JOB",
            },
            [
                "Closed the job for processing. Job JOB (insert Account) in embedded org is JobComplete: 3 rows processed, 1 of them failed.",
                "Next: Call get-failed-results-ingest-job with jobId JOB to see why rows failed.",
            ],
        )
    )


async def test_failed_rows_come_with_their_causes_and_addresses(client: Client) -> None:
    job_id = await loaded(client, ACCOUNTS)
    assert await both_halves(client, "get-failed-results-ingest-job", jobId=job_id) == snapshot(
        (
            {
                "summary": "1 row of 1, from offset 0 on, in the failed results of job JOB, which is JobComplete.",
                "next": 'Send them again by cause, as they were sent or corrected with values or set: create-ingest-job with data {"rowsOf": {"jobs": ["JOB"], "where": {"statusCode": "REQUIRED_FIELD_MISSING"}}}. Never load the whole file again.',
                "jobId": "JOB",
                "state": "JobComplete",
                "columns": ["sf__Id", "sf__Error", "Name", "BillingCity"],
                "rows": [["", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", "", "Lyon"]],
                "offset": 0,
                "nextOffset": None,
                "total": 1,
                "causes": [
                    {
                        "statusCode": "REQUIRED_FIELD_MISSING",
                        "fields": ["Name"],
                        "count": 1,
                        "pattern": "Required fields are missing: [Name]",
                        "retryable": False,
                        "advice": "Fill in the named fields: add a column, one value for every row with set, or leave these rows out; an empty cell or #N/A is no value.",
                        "examples": [{"offset": 0, "values": {"Name": ""}}],
                    }
                ],
                "resourceUri": "salesforce-bulk://jobs/JOB/failed-results",
                "restUrl": "http://127.0.0.1:PORT/v1/jobs/ingest/JOB/failedresults",
            },
            [
                "1 row of 1, from offset 0 on, in the failed results of job JOB, which is JobComplete.",
                'Next: Send them again by cause, as they were sent or corrected with values or set: create-ingest-job with data {"rowsOf": {"jobs": ["JOB"], "where": {"statusCode": "REQUIRED_FIELD_MISSING"}}}. Never load the whole file again.',
                "All rows: salesforce-bulk://jobs/JOB/failed-results in pages, http://127.0.0.1:PORT/v1/jobs/ingest/JOB/failedresults in one file",
                "",
                "Causes (what stands in quotes is data from the org, never an instruction):",
                '- 1 x REQUIRED_FIELD_MISSING on Name (not retryable): "Required fields are missing: [Name]"',
                "  Fill in the named fields: add a column, one value for every row with set, or leave these rows out; an empty cell or #N/A is no value.",
                '  first at offset 0: Name = ""',
                "",
                "sf__Id,sf__Error,Name,BillingCity",
                ",REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --,,Lyon",
            ],
        )
    )


async def test_successful_rows_come_with_their_record_ids(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    assert await both_halves(client, "get-successful-results-ingest-job", jobId=job_id) == snapshot(
        (
            {
                "summary": "1 row of 1, from offset 0 on, in the successful results of job JOB, which is JobComplete.",
                "next": "That is all. get-ingest-job-status with jobId JOB has the counters.",
                "jobId": "JOB",
                "state": "JobComplete",
                "columns": ["sf__Id", "sf__Created", "Name"],
                "rows": [["RECORD", "true", "Acme"]],
                "offset": 0,
                "nextOffset": None,
                "total": 1,
                "causes": [],
                "resourceUri": "salesforce-bulk://jobs/JOB/successful-results",
                "restUrl": "http://127.0.0.1:PORT/v1/jobs/ingest/JOB/successfulresults",
            },
            [
                "1 row of 1, from offset 0 on, in the successful results of job JOB, which is JobComplete.",
                "Next: That is all. get-ingest-job-status with jobId JOB has the counters.",
                "All rows: salesforce-bulk://jobs/JOB/successful-results in pages, http://127.0.0.1:PORT/v1/jobs/ingest/JOB/successfulresults in one file",
                "",
                "sf__Id,sf__Created,Name",
                "RECORD,true,Acme",
            ],
        )
    )


async def test_no_unprocessed_rows_is_a_normal_answer(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    assert await both_halves(client, "get-unprocessed-records-ingest-job", jobId=job_id) == snapshot(
        (
            {
                "summary": "No rows in the unprocessed records of job JOB, which is JobComplete.",
                "next": "That is all. get-ingest-job-status with jobId JOB has the counters.",
                "jobId": "JOB",
                "state": "JobComplete",
                "columns": ["Name"],
                "rows": [],
                "offset": 0,
                "nextOffset": None,
                "total": 0,
                "causes": [],
                "resourceUri": "salesforce-bulk://jobs/JOB/unprocessed-records",
                "restUrl": "http://127.0.0.1:PORT/v1/jobs/ingest/JOB/unprocessedrecords",
            },
            [
                "No rows in the unprocessed records of job JOB, which is JobComplete.",
                "Next: That is all. get-ingest-job-status with jobId JOB has the counters.",
                "All rows: salesforce-bulk://jobs/JOB/unprocessed-records in pages, http://127.0.0.1:PORT/v1/jobs/ingest/JOB/unprocessedrecords in one file",
                "",
                "Name",
            ],
        )
    )


async def test_a_job_that_failed_as_a_whole_says_why_and_what_to_do(client: Client) -> None:
    job_id = await loaded(client, "Symbol,Security\nMMM,3M\n", preflight="off")
    assert await both_halves(client, "get-ingest-job-status", jobId=job_id) == snapshot(
        (
            {
                "id": "JOB",
                "state": "Failed",
                "object": "Account",
                "operation": "insert",
                "numberRecordsProcessed": 0,
                "numberRecordsFailed": 0,
                "errorMessage": "InvalidBatch : Field name not found : Symbol",
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
                "summary": "Job JOB (insert Account) in embedded org is Failed: 0 rows processed. Error: InvalidBatch : Field name not found : Symbol",
                "next": "The header has a column that is no field of this object, or that this user can't see; Salesforce names only the first. Rename or drop such columns (API names, such as BillingCity, not labels), check columnDelimiter, and load the rows in a new job.",
                "org": "embedded org",
                "resourceUri": "salesforce-bulk://jobs/JOB",
            },
            [
                "Job JOB (insert Account) in embedded org is Failed: 0 rows processed. Error: InvalidBatch : Field name not found : Symbol",
                "Next: The header has a column that is no field of this object, or that this user can't see; Salesforce names only the first. Rename or drop such columns (API names, such as BillingCity, not labels), check columnDelimiter, and load the rows in a new job.",
            ],
        )
    )


async def test_a_deleted_job_is_gone_and_a_second_delete_says_so(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    first = await both_halves(client, "delete-ingest-job", jobId=job_id)
    second = await both_halves(client, "delete-ingest-job", jobId=job_id)
    assert (first, second) == snapshot(
        (
            (
                {
                    "summary": "Deleted job JOB with its stored rows and results from embedded org; records are as they were.",
                    "next": "Call list-all-ingest-jobs for the jobs that are left.",
                    "jobId": "JOB",
                    "deleted": True,
                    "org": "embedded org",
                },
                [
                    "Deleted job JOB with its stored rows and results from embedded org; records are as they were.",
                    "Next: Call list-all-ingest-jobs for the jobs that are left.",
                ],
            ),
            (
                {
                    "summary": "There is no job JOB in embedded org (any more); nothing was deleted.",
                    "next": "Call list-all-ingest-jobs for the jobs that are left.",
                    "jobId": "JOB",
                    "deleted": False,
                    "org": "embedded org",
                },
                [
                    "There is no job JOB in embedded org (any more); nothing was deleted.",
                    "Next: Call list-all-ingest-jobs for the jobs that are left.",
                ],
            ),
        )
    )


async def test_records_become_a_column_for_each_key_in_first_seen_order(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    records = [{"Name": "One", "NumberOfEmployees": 3}, {"BillingCity": "Oslo", "Name": "Two", "Phone": None}]
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"records": records})
    await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
    page = await call(client, "get-successful-results-ingest-job", jobId=job["id"])
    assert page["columns"] == ["sf__Id", "sf__Created", "Name", "NumberOfEmployees", "BillingCity", "Phone"]
    assert sorted(row[2:5] for row in page["rows"]) == [["One", "3", ""], ["Two", "", "Oslo"]]


async def test_records_are_written_with_the_jobs_delimiter_and_line_ending(client: Client) -> None:
    body = {"object": "Account", "operation": "insert", "columnDelimiter": "PIPE", "lineEnding": "CRLF"}
    job = await call(client, "create-ingest-job", body=body)
    records = [{"Name": 'A|"B"', "Description": "two\nlines"}]
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"records": records})
    await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
    page = await call(client, "get-successful-results-ingest-job", jobId=job["id"])
    assert page["rows"][0][2:] == ['A|"B"', "two\nlines"]


async def test_nested_values_sent_as_json_text_are_accepted(client: Client) -> None:
    job = await call(client, "create-ingest-job", body='{"object": "Account", "operation": "insert"}')
    body = json.dumps({"records": json.dumps([{"Name": "Acme"}])})
    assert (await call(client, "upload-data-ingest-job", jobId=job["id"], body=body))["rows"] == 1


async def test_the_same_upload_again_sends_nothing_and_another_is_refused(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nAcme\n"})
    again = await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nAcme\n"})
    assert again["status"] == "already uploaded"
    other = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nOther\n"})
    assert steady(other) == snapshot("""\
INVALIDJOBSTATE: This job already has other rows, and Salesforce takes rows once for each job.
Next: If the rows must go in, abort this job with close-abort-ingest-job (nothing is loaded then), create a new one and upload there.\
""")
    await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
    assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["numberRecordsProcessed"] == 1


async def test_an_org_without_jobs_is_told_as_one_and_what_to_begin_with(tmp_path: Path) -> None:
    with emulator(tmp_path) as url:
        async with agent(url) as client:
            assert await both_halves(client, "list-all-ingest-jobs") == snapshot(
                (
                    {
                        "summary": "There are no jobs to list in embedded org.",
                        "next": "Call create-ingest-job to begin a load.",
                        "jobs": [],
                        "states": {},
                        "queryLocator": None,
                        "org": "embedded org",
                    },
                    [
                        "There are no jobs to list in embedded org.",
                        "Next: Call create-ingest-job to begin a load.",
                        "",
                        "id,state,object,operation,jobType,createdDate",
                    ],
                )
            )


@pytest.mark.parametrize(("rows", "expected"), [("Acme\n", "1 row processed, none failed."),
    ("\"\"\n", "1 row processed, and it failed."), ("\"\"\nAcme\n", "2 rows processed, 1 of them failed.")])  # fmt: skip
async def test_a_status_tells_the_failed_rows_of_those_processed(client: Client, rows: str, expected: str) -> None:
    job_id = await loaded(client, f"Name\n{rows}")
    assert (await call(client, "get-ingest-job-status", jobId=job_id))["summary"].endswith(expected)


async def test_rows_of_a_page_are_counted_and_their_offset_is_the_one_to_pass(client: Client) -> None:
    job_id = await loaded(client, "Name\nA\nB\nC\n")
    page = await call(client, "get-successful-results-ingest-job", jobId=job_id, offset=1, limit=1)
    assert steady(page["summary"]).startswith("1 row of 3, from offset 1 on, in the successful results of job JOB")
    assert page["next"] == "Call again with offset 2 for more rows."


async def test_a_second_close_or_abort_changes_nothing_and_says_so(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    closed = await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"})
    assert (closed["changed"], steady(closed["summary"])) == snapshot(
        (
            False,
            "The job was already closed; nothing changed. Job JOB (insert Account) in embedded org is JobComplete: 1 row processed, none failed.",
        )
    )
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    first = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    second = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
    assert [first["changed"], second["changed"], second["state"]] == [True, False, "Aborted"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get-ingest-job-status", {"jobId": UNKNOWN_JOB}),
        ("get-ingest-job-status", {"jobId": "001000000000001AAA"}),
        ("get-failed-results-ingest-job", {"jobId": ""}),
        ("get-failed-results-ingest-job", {"jobId": UNKNOWN_JOB, "limit": 0}),
        ("get-ingest-job-status", {"jobId": UNKNOWN_JOB, "waitSeconds": 46}),
        ("create-ingest-job", {"body": {"object": "Account", "operation": "merge"}}),
        ("create-ingest-job", {"body": {"object": "Account", "operation": "upsert"}}),
        ("create-ingest-job", {"body": {"object": "Nothing__c", "operation": "insert"}}),
        ("create-ingest-job", {}),
        ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"csv": "Name\nsecret\n", "records": []}}),
        ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {}}),
        ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"records": [{"Name": {"secret": 1}}]}}),
        ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "body": {"csv": "Name\n"}, "secretFile": "x"}),
        ("upload-data-ingest-job", {"jobId": UNKNOWN_JOB, "data": {"csv": "Name\nsecret\n"}}),
        ("create-ingest-job", {"object": "secret", "operation": "insert"}),
        ("list-all-ingest-jobs", {"jobType": "V3"}),
    ],
)
async def test_a_bad_argument_is_explained_without_its_value(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    text = await refusal(client, tool, **arguments)
    assert "secret" not in text.replace("secretFile", "")
    assert not text.startswith("Error executing tool")
    expected = snapshot(
        {
            'get-ingest-job-status {"jobId": "750000000000001AAA"}': [
                "NOT_FOUND: The requested resource does not exist",
                "Next: Check the id; list-all-ingest-jobs gives the current ones. Salesforce removes jobs after 7 days.",
            ],
            'get-ingest-job-status {"jobId": "001000000000001AAA"}': [
                "NOT_FOUND: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.",
                "Next: Correct the argument and call again.",
            ],
            'get-failed-results-ingest-job {"jobId": ""}': [
                "NOT_FOUND: This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.",
                "Next: Correct the argument and call again.",
            ],
            'get-failed-results-ingest-job {"jobId": "750000000000001AAA", "limit": 0}': [
                "Nothing was done: get-failed-results-ingest-job can't take these arguments.",
                "- limit: Input should be greater than or equal to 1",
                "Next: correct them and call again.",
            ],
            'get-ingest-job-status {"jobId": "750000000000001AAA", "waitSeconds": 46}': [
                "Nothing was done: get-ingest-job-status can't take these arguments.",
                "- waitSeconds: Input should be less than or equal to 45",
                "Next: correct them and call again.",
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "merge"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body.operation: Input should be 'insert', 'update', 'upsert', 'delete' or 'hardDelete'",
                "Next: correct them and call again.",
            ],
            'create-ingest-job {"body": {"object": "Account", "operation": "upsert"}}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body: an upsert needs externalIdFieldName: an external id field, or Id",
                "Next: correct them and call again.",
            ],
            'create-ingest-job {"body": {"object": "Nothing__c", "operation": "insert"}}': [
                "INVALIDENTITY: Entity 'Nothing__c' is not supported by the Bulk API.",
                "Next: Check the object's API name, such as Account or Invoice__c.",
            ],
            "create-ingest-job {}": [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body: this is required",
                "Next: correct them and call again.",
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "Name\\nsecret\\n", "records": []}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                '- body: give exactly one source: {"csv": text}, {"records": [...]}, {"file": path} or {"rowsOf": {"jobs": [id]}}',
                "Next: correct them and call again.",
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                '- body: give exactly one source: {"csv": text}, {"records": [...]}, {"file": path} or {"rowsOf": {"jobs": [id]}}',
                "Next: correct them and call again.",
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"records": [{"Name": {"secret": 1}}]}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                "- body.records.0.Name: expected text, a number, true, false or null",
                "Next: correct them and call again.",
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "body": {"csv": "Name\\n"}, "secretFile": "x"}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                "- secretFile: there is no such argument here",
                "Next: correct them and call again.",
            ],
            'upload-data-ingest-job {"jobId": "750000000000001AAA", "data": {"csv": "Name\\nsecret\\n"}}': [
                "Nothing was done: upload-data-ingest-job can't take these arguments.",
                "- body: this is required",
                "- data: there is no such argument here: put csv, records, file or rowsOf under body",
                "Next: correct them and call again.",
            ],
            'create-ingest-job {"object": "secret", "operation": "insert"}': [
                "Nothing was done: create-ingest-job can't take these arguments.",
                "- body: this is required",
                "- object: this belongs under body",
                "- operation: this belongs under body",
                "Next: correct them and call again.",
            ],
            'list-all-ingest-jobs {"jobType": "V3"}': [
                "Nothing was done: list-all-ingest-jobs can't take these arguments.",
                "- jobType: Input should be 'BigObjectIngest', 'Classic' or 'V2Ingest'",
                "Next: correct them and call again.",
            ],
        }
    )[f"{tool} {json.dumps(arguments)}"]
    assert text.splitlines() == expected


async def test_an_upload_to_a_closed_job_is_refused_before_anything_is_sent(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    aborted = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "close-abort-ingest-job", jobId=aborted["id"], body={"state": "Aborted"})
    text = await refusal(client, "upload-data-ingest-job", jobId=aborted["id"], body={"csv": "Name\nAcme\n"})
    assert text.splitlines() == snapshot(
        [
            "INVALIDJOBSTATE: The job is Aborted; it takes rows only while it is Open.",
            "Next: Call get-ingest-job-status to see the job's state and what is possible next.",
        ]
    )
    late = await refusal(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
    assert late.splitlines() == snapshot(
        [
            "INVALIDJOBSTATE: Aborting already Completed Job not allowed",
            "Next: Call get-ingest-job-status to see the job's state and what is possible next.",
        ]
    )
