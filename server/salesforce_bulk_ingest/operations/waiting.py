"""Waiting until a job has ended, with few requests to the org."""

from collections.abc import Awaitable, Callable

import anyio

from salesforce_bulk_ingest.salesforce.models import Job

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
PAUSE_GROWTH = 1.6

ReadJob = Callable[[], Awaitable[Job]]
Report = Callable[[Job], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


async def wait_until_terminal(
    first: Job, read: ReadJob, report: Report, seconds: float, *, sleep: Sleep = anyio.sleep
) -> Job:
    """Read the job again and again until it is done or the time is up, and return the last reading.

    Each reading costs one of the org's daily requests, so the pauses grow from 0.25 s to 5 s; they begin again at 1 s when
    further rows are processed.

    Args:
        first: the job as it was just read.
        read: reads the job again.
        report: called with the job after every reading.
        seconds: the longest time to wait.
        sleep: pauses between two readings.
    """
    job, pause = first, FIRST_PAUSE_SECONDS
    await report(job)
    with anyio.move_on_after(seconds):
        while not job.is_terminal:
            await sleep(pause)
            before, job = job, await read()
            await report(job)
            moved = job.number_records_processed != before.number_records_processed
            pause = FIRST_PAUSE_SECONDS * 4 if moved else min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
    return job
