"""The answer about a new job."""

from inline_snapshot import snapshot
from mcp import Client

from tests.mcp_server.answers.halves import steady_halves


async def test_a_created_job_is_open_and_names_the_next_call(client: Client) -> None:
    body = {"object": "account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    assert await steady_halves(client, "create-ingest-job", body=body) == snapshot(
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
                "next": 'upload-data-ingest-job {"jobId": "JOB", "body": "<rows>"} gives it its rows, once; then close-abort-ingest-job {"jobId": "JOB", "body": {"state": "UploadComplete"}, "waitSeconds": 45} loads them.',
                "systemModstamp": "DATE",
                "org": "embedded org",
                "resourceUri": "salesforce-bulk://jobs/JOB",
            },
            [
                "Created job JOB (upsert Account) in embedded org; it is Open and has no rows yet.",
                'Next: upload-data-ingest-job {"jobId": "JOB", "body": "<rows>"} gives it its rows, once; then close-abort-ingest-job {"jobId": "JOB", "body": {"state": "UploadComplete"}, "waitSeconds": 45} loads them.',
            ],
        )
    )
