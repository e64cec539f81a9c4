"""Waiting until a job has ended, with few requests to the org."""

from collections.abc import Awaitable, Callable

import anyio

from salesforce_bulk_ingest.operations.pace import Pace
from salesforce_bulk_ingest.salesforce.models import Job

ReadJob = Callable[[], Awaitable[Job]]
Report = Callable[[Job, int | None], Awaitable[None]]
"""Tells how far a job is: the job as it was read, and the number of rows sent to it, None where that is not known."""

Sleep = Callable[[float], Awaitable[None]]
Now = Callable[[], float]


async def wait_until_terminal(
    first: Job,
    read: ReadJob,
    report: Report,
    seconds: float,
    *,
    rows: int | None = None,
    sleep: Sleep = anyio.sleep,
    now: Now = anyio.current_time,
) -> Job:
    """Read the job again and again until it is done or the time is up, and return the last reading.

    Each reading costs one of the org's daily requests, so the pauses between them are those of `Pace`.

    Args:
        first: the job as it was just read.
        read: reads the job again.
        report: called after every reading.
        seconds: the longest time to wait.
        rows: the number of rows that were sent to the job; None where it is not known.
        sleep: pauses between two readings.
        now: returns the time in seconds from any start.
    """
    job, pace = first, Pace(rows)
    await report(job, rows)
    with anyio.move_on_after(seconds):
        while not job.is_terminal:
            await sleep(pace.pause_after(job, now()))
            job = await read()
            await report(job, rows)
    return job
