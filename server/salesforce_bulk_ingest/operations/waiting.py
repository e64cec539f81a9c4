"""Waiting for a job without hammering the org, and without ever touching the job."""

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
    """Poll until the job is done or the time is up, whichever is first.

    Polling costs the org's daily requests, so the pauses grow from 0.25 s to 5 s; they start over when rows move.

    Args:
        first: the job as just read.
        read: reads it again.
        report: told of every reading.
        seconds: how long at most.
        sleep: how to pause.

    Returns:
        The last reading.
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
