"""Reading jobs of which some are gone."""

import pytest

from salesforce_bulk_ingest.operations.job_reader import JobReader
from salesforce_bulk_ingest.salesforce.errors import Rejected
from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce.upstream import client_of, fixed
from tests.support.orgs import agent, call
from tests.support.watched_org import WatchedOrg

GONE = "750000000000001AAA"


async def test_a_job_is_read_once_and_one_that_is_gone_is_asked_for_once(org: WatchedOrg) -> None:
    async with agent(org.url) as agent_client:
        made = await call(agent_client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    async with client_of(fixed(org.url, ACCESS_TOKEN)) as client:
        jobs = JobReader(client)
        org.forget()
        found = [await jobs.find(job_id) for job_id in (made["id"], GONE, made["id"], GONE)]
    assert [job and job.id for job in found] == [made["id"], None, made["id"], None]
    assert len(org.recorder.calls) == 2


async def test_what_is_no_id_of_a_job_is_not_asked_for(org: WatchedOrg) -> None:
    async with client_of(fixed(org.url, ACCESS_TOKEN)) as client:
        org.forget()
        assert await JobReader(client).find("../limits") is None
    assert not org.recorder.calls


async def test_a_job_that_the_org_does_not_tell_of_is_not_taken_for_gone(org: WatchedOrg) -> None:
    async with client_of(fixed(org.url, ACCESS_TOKEN)) as client:
        org.go_wrong(
            {"on": "status", "times": 1, "fault": "answer", "status": 400, "errorCode": "API_ERROR", "message": "No."}
        )
        with pytest.raises(Rejected):
            await JobReader(client).find(GONE)
