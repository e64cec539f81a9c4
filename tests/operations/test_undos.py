"""What counts as an undo of a job: delete jobs that got ids of its records; scenarios are in test_the_same_load_twice.py."""

from typing import Any

from mcp import Client

from tests.support.orgs import agent, call, closed, undo_call
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
