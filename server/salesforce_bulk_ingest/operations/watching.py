"""Watching a job for those who listen: the readings of a wait, which goes on until the job has ended."""

import math
from collections.abc import Awaitable, Callable

import anyio

from salesforce_bulk_ingest.operations.waiting import Now, ReadJob, Sleep, wait_until_terminal
from salesforce_bulk_ingest.salesforce.errors import LimitReached, Unavailable, UnexpectedAnswer, Unreachable
from salesforce_bulk_ingest.salesforce.models import Job

STANDSTILL_SHARE = 1 / 20
LONGEST_REST_SECONDS = 300.0

FAILURE_REST_SECONDS = 5.0
"""The least pause after a reading that failed."""

PASSING = (Unreachable, UnexpectedAnswer, Unavailable, LimitReached)
"""Failures of a reading that say nothing of the job, and may not be there at the next."""

Changed = Callable[[Job], Awaitable[None]]
RowsSent = Callable[[Job], Awaitable[int | None]]


class JobWatch:
    """Reads a job until it has ended, and remembers the last reading and the pause, so that another can go on from there.

    The pauses are those of a wait. But somebody may listen for days to a job that nobody closes, and each reading costs one
    of the org's daily requests: so a pause is at least a twentieth of the time that the job has stood still, up to 5 min.

    Args:
        read: reads the job.
        rows_sent: returns the number of rows that were sent to the job, None where it is not known.
        sleep: pauses between two readings.
        now: returns the time in seconds from any start.
    """

    def __init__(
        self, read: ReadJob, rows_sent: RowsSent, *, sleep: Sleep = anyio.sleep, now: Now = anyio.current_time
    ) -> None:
        self._read = read
        self._rows_sent = rows_sent
        self._sleep = sleep
        self._now = now
        self._last: Job | None = None
        self._moved_at = self._reads_at = now()

    @property
    def has_ended(self) -> bool:
        """Whether the job had ended when it was last read."""
        return self._last is not None and self._last.is_terminal

    async def run(self, changed: Changed) -> None:
        """Read the job until it has ended, or the caller breaks it off.

        Args:
            changed: called with each reading that differs from the one before; with the first only if the job has ended,
                since whoever listens may have read it before it did.

        Raises:
            SalesforceError: the job can't be read, and trying again would not help.
        """

        async def note(job: Job, rows: int | None) -> None:
            if job == self._last:
                return
            is_news = self._last is not None or job.is_terminal
            self._last, self._moved_at = job, self._now()
            if is_news:
                await changed(job)

        left = self._reads_at - self._now()
        if left > 0:  # of a pause that was broken off: else each of many who leave would cost a reading
            await self._sleep(left)
        while not self.has_ended:
            try:
                job = await self._read()
                rows = await self._rows_sent(job)
                await wait_until_terminal(job, self._read, note, math.inf, rows=rows, sleep=self._rest, now=self._now)
            except PASSING:
                await self._rest(FAILURE_REST_SECONDS)

    async def _rest(self, seconds: float) -> None:
        stood_still = self._now() - self._moved_at
        pause = max(seconds, min(stood_still * STANDSTILL_SHARE, LONGEST_REST_SECONDS))
        self._reads_at = self._now() + pause
        await self._sleep(pause)
