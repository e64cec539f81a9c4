"""What is said of a job that failed as a whole."""

from inline_snapshot import snapshot
from mcp import Client

from tests.mcp_server.answers.halves import steady_halves
from tests.support.orgs import (
    loaded,
)


async def test_a_job_that_failed_as_a_whole_says_why_and_what_to_do(client: Client) -> None:
    job_id = await loaded(client, "Symbol,Security\nMMM,3M\n", preflight="off")
    assert await steady_halves(client, "get-ingest-job-status", jobId=job_id) == snapshot(
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
                "summary": 'Job JOB (insert Account) in embedded org is Failed: 0 rows processed. Of 1 row sent, 0 succeeded, 0 failed, 1 not processed, 0 in no result. Error: "InvalidBatch : Field name not found : Symbol"',
                "next": 'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": "<the corrected rows>"} loads the rows, corrected. The header has a column that is no field of this object, or that this user can\'t see; Salesforce names only the first. Rename or drop such columns (API names, such as BillingCity, not labels), and check columnDelimiter.',
                "org": "embedded org",
                "resourceUri": "salesforce-bulk://jobs/JOB",
                "rowCounts": {"sent": 1, "successful": 0, "failed": 0, "unprocessed": 1, "inNoResult": 0},
            },
            [
                'Job JOB (insert Account) in embedded org is Failed: 0 rows processed. Of 1 row sent, 0 succeeded, 0 failed, 1 not processed, 0 in no result. Error: "InvalidBatch : Field name not found : Symbol"',
                'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": "<the corrected rows>"} loads the rows, corrected. The header has a column that is no field of this object, or that this user can\'t see; Salesforce names only the first. Rename or drop such columns (API names, such as BillingCity, not labels), and check columnDelimiter.',
            ],
        )
    )
