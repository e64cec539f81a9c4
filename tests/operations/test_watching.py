"""Watching a job: what is told of it, how the pauses grow, and what ends it."""

import anyio.lowlevel
import pytest

from salesforce_bulk_ingest.operations.watching import JobWatch
from salesforce_bulk_ingest.salesforce.errors import NotFound, Unreachable
from salesforce_bulk_ingest.salesforce.models import Job


def _job(state: str, processed: int | None = None) -> Job:
    return Job(id="750000000000001AAA", state=state, number_records_processed=processed)


class Org:
    """Gives readings in turn on a clock that only pauses move, and keeps what was told and how long the pauses were.

    Args:
        readings: jobs, or the errors of readings that failed; the last is given again and again.
        most_pauses: how many pauses there may be before the watch is broken off.
    """

    def __init__(self, *readings: Job | Exception, most_pauses: int = 1_000) -> None:
        self.readings = list(readings)
        self.reads = 0
        self.told: list[str] = []
        self.pauses: list[float] = []
        self.time = 0.0
        self.scope = anyio.CancelScope()
        self._most_pauses = most_pauses
        self.watch = JobWatch(self.read, self.rows, sleep=self.sleep, now=lambda: self.time)

    async def read(self) -> Job:
        self.reads += 1
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading

    async def rows(self, job: Job) -> int | None:
        return None

    async def tell(self, job: Job) -> None:
        self.told.append(f"{job.state} {job.number_records_processed or 0}")

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
        if len(self.pauses) == self._most_pauses:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()

    async def run(self) -> None:
        with self.scope:
            await self.watch.run(self.tell)


async def test_each_change_is_told_once_and_the_end_is_the_last() -> None:
    running = _job("InProgress", 200)
    org = Org(_job("UploadComplete"), _job("UploadComplete"), running, running, _job("JobComplete", 400))
    await org.run()
    assert org.told == ["InProgress 200", "JobComplete 400"]
    assert (org.reads, org.watch.has_ended) == (5, True)


async def test_a_job_that_has_ended_before_is_told_and_read_once() -> None:
    org = Org(_job("JobComplete", 1))
    await org.run()
    await org.run()
    assert (org.told, org.reads, org.pauses) == (["JobComplete 1"], 1, [])


async def test_what_changed_between_two_listeners_is_told() -> None:
    org = Org(_job("UploadComplete"), most_pauses=1)
    await org.run()
    org.readings, org.scope = [_job("InProgress", 1), _job("Aborted", 1)], anyio.CancelScope()
    await org.run()
    assert org.told == ["InProgress 1", "Aborted 1"]


async def test_a_pause_that_was_broken_off_goes_on_with_the_next_listener() -> None:
    org = Org(_job("UploadComplete"), most_pauses=1)
    await org.run()
    org.time = 0.125  # half of the pause
    org.readings, org.scope = [_job("Aborted")], anyio.CancelScope()
    await org.run()
    assert (org.pauses, org.reads, org.told) == ([0.25, 0.125], 2, ["Aborted 0"])


async def test_a_job_that_stands_still_is_read_ever_less_often() -> None:
    org = Org(_job("Open"), most_pauses=300)
    await org.run()
    assert org.pauses[10] == 5.0
    assert max(org.pauses) == org.pauses[-1] == 300.0
    assert org.time > 12 * 3600


async def test_a_failure_that_passes_is_waited_out() -> None:
    gone = Unreachable("gone")
    org = Org(gone, _job("InProgress", 1), gone, gone, _job("JobComplete", 1))
    await org.run()
    assert org.told == ["JobComplete 1"]
    assert org.pauses == [5.0, 0.25, 5.0, 5.0]


async def test_a_job_that_is_gone_ends_the_watch() -> None:
    org = Org(_job("Open"), NotFound(404, "NOT_FOUND", "The job is not there."))
    with pytest.raises(NotFound):
        await org.run()
    assert org.told == []
