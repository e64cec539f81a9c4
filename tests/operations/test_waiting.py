"""Waiting for a job: pauses that grow, an end that is kept, and nothing but reading."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from salesforce_bulk_ingest.operations.waiting import wait_until_terminal
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from salesforce_bulk_ingest.salesforce.models import Job
from tests.support.next_call import next_call
from tests.support.orgs import call
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.wire import JOB_ID


def _job(state: str, processed: int | None = None) -> Job:
    return Job(id="750000000000001AAA", state=state, number_records_processed=processed)


class Org:
    """Gives readings in turn, and keeps what was reported and how long the pauses were."""

    def __init__(self, *readings: Job) -> None:
        self.readings = list(readings)
        self.reported: list[Job] = []
        self.pauses: list[float] = []

    async def read(self) -> Job:
        return self.readings.pop(0)

    async def report(self, job: Job, rows: int | None) -> None:
        self.reported.append(job)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted"])
async def test_a_job_that_is_done_is_reported_and_not_read_again(state: str) -> None:
    org, job = Org(), _job(state)
    assert await wait_until_terminal(job, org.read, org.report, 45, sleep=org.sleep) is job
    assert (org.reported, org.pauses) == ([job], [])


async def test_every_reading_is_reported_until_the_job_is_done() -> None:
    readings = [_job("UploadComplete"), _job("InProgress", 200), _job("JobComplete", 400)]
    org = Org(*readings[1:])
    assert await wait_until_terminal(readings[0], org.read, org.report, 45, sleep=org.sleep) == readings[-1]
    assert org.reported == readings


async def test_pauses_grow_to_five_seconds_and_shorten_when_rows_move() -> None:
    still = [_job("InProgress", 0)] * 7
    org = Org(*still, _job("InProgress", 200), _job("InProgress", 200), _job("JobComplete", 400))
    await wait_until_terminal(_job("InProgress", 0), org.read, org.report, 45, sleep=org.sleep)
    assert org.pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 1.0, 2.0]


async def test_when_the_time_is_up_the_last_reading_is_the_answer() -> None:
    job = _job("InProgress", 1)
    org = Org()

    async def sleep(seconds: float) -> None:
        await anyio.sleep_forever()

    with anyio.fail_after(5):
        assert await wait_until_terminal(job, org.read, org.report, 0.01, sleep=sleep) is job


async def test_no_time_at_all_means_one_report_and_no_reading() -> None:
    job, org = _job("Open"), Org()
    assert await wait_until_terminal(job, org.read, org.report, 0, sleep=org.sleep) is job
    assert org.reported == [job]


async def test_an_error_of_a_reading_ends_the_wait() -> None:
    org = Org()

    async def read() -> Job:
        raise Unreachable("gone")

    with pytest.raises(Unreachable):
        await wait_until_terminal(_job("InProgress"), read, org.report, 45, sleep=org.sleep)


async def test_without_a_wait_the_job_is_read_once(tmp_path: Path) -> None:
    org = ScriptedOrg(("InProgress", 200))
    async with scripted_agent(org, tmp_path) as client:
        answer = await call(client, "get-ingest-job-status", jobId=JOB_ID)
    assert (org.read, answer["state"]) == (1, "InProgress")
    assert next_call(answer["next"]) == ("get-ingest-job-status", {"jobId": JOB_ID, "waitSeconds": 45})


async def test_a_wait_that_ends_first_leaves_the_job_alone_and_says_how_to_go_on(tmp_path: Path) -> None:
    org = ScriptedOrg(("InProgress", 200))
    async with scripted_agent(org, tmp_path, seconds_left=lambda: 0.0) as client:
        answer = await call(client, "get-ingest-job-status", jobId=JOB_ID, waitSeconds=45)
    assert answer["state"] == "InProgress" and org.patches == 0
    assert "waits until the job is done" in answer["next"]
