"""The answer about a deleted job."""

from inline_snapshot import snapshot
from mcp import Client

from tests.mcp_server.answers.halves import steady_halves
from tests.support.orgs import loaded


async def test_a_deleted_job_is_gone_and_a_second_delete_says_so(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    first = await steady_halves(client, "delete-ingest-job", jobId=job_id)
    second = await steady_halves(client, "delete-ingest-job", jobId=job_id)
    assert (first, second) == snapshot(
        (
            (
                {
                    "summary": "Deleted job JOB with its stored rows and results from embedded org; records are as they were.",
                    "next": "list-all-ingest-jobs {} shows the jobs that are left.",
                    "jobId": "JOB",
                    "deleted": True,
                    "org": "embedded org",
                },
                [
                    "Deleted job JOB with its stored rows and results from embedded org; records are as they were.",
                    "Next: list-all-ingest-jobs {} shows the jobs that are left.",
                ],
            ),
            (
                {
                    "summary": "There is no job JOB in embedded org (any more); nothing was deleted.",
                    "next": "list-all-ingest-jobs {} shows the jobs that are left.",
                    "jobId": "JOB",
                    "deleted": False,
                    "org": "embedded org",
                },
                [
                    "There is no job JOB in embedded org (any more); nothing was deleted.",
                    "Next: list-all-ingest-jobs {} shows the jobs that are left.",
                ],
            ),
        )
    )
