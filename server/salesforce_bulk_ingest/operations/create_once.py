"""Making the job of a load once: an equal call goes on with the job of the first, since hosts repeat a call they gave up."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.operations.audit import Audit, Write
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.operations.lost_create import create_job
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.job_ids import is_same_job
from salesforce_bulk_ingest.salesforce.models import Job

REPEAT_SECONDS = 600 + CALL_SECONDS
"""How long after a job was made an equal call is a repeat: ten minutes from the end of the call that made the job."""

MOST_REMEMBERED = 1_000


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MadeJob(Generic[T]):
    """A job that was made for rows.

    Attributes:
        job: the job.
        checked: what the check before the making returned; None if an earlier call made the job.
    """

    job: Job
    checked: T | None = None


class CreateOnce:
    """Makes the jobs of loads, one for all equal calls.

    Args:
        client: the client of the org.
        uploads: knows the jobs that have rows.
        audit: notes each job that is made.
        tasks: makes the jobs; a call that ends meanwhile does not end the making.
        clock: returns the time in seconds, from any start.
    """

    def __init__(
        self,
        client: SalesforceClient,
        uploads: Uploads,
        audit: Audit,
        tasks: SharedTasks,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._audit = audit
        self._tasks = tasks
        self._clock = clock
        self._made: OrderedDict[Hashable, tuple[str, float]] = OrderedDict()  # call -> job id, when it was made

    async def make(
        self, call: Hashable, body: dict[str, object], check: Callable[[], Awaitable[T]]
    ) -> tuple[SharedTask[MadeJob[T] | None], bool]:
        """Begin to make a job, or find the job of an equal call.

        Args:
            call: a value that is equal for equal calls.
            body: the body of the request for the job.
            check: called before a new job is made; what it raises keeps the job from being made.

        Returns:
            The task that makes the job, and whether an equal call began it. The task has no job if every call had stopped
            waiting before the job was asked for. It ends with CreateUnanswered if the answer to the create is lost.
        """
        earlier = await self.made_before(call)
        if earlier is not None:
            return SharedTask.ended(MadeJob(earlier)), True

        async def work(task: SharedTask[MadeJob[T] | None]) -> MadeJob[T] | None:
            checked = await check()
            if not task.waiting_calls:
                return None
            write = Write(action="create", operation=_text(body, "operation"), sobject=_text(body, "object"))
            async with self._audit.of(write) as audited:
                await audited.tried()
                job = await create_job(self._client, body, self._is_earlier)
                audited.write = replace(write, job_id=job.id)
            self._remember(call, job.id)
            return MadeJob(job, checked)

        key = ("create", call)
        running: SharedTask[MadeJob[T] | None] | None = self._tasks.find(key)
        return running or self._tasks.start(key, work), running is not None

    async def made_before(self, call: Hashable) -> Job | None:
        """Return the job that an equal call made some minutes ago, if it can be gone on with."""
        while (job_id := self._remembered(call)) is not None:
            job = await self._usable_job(job_id)
            if job is not None:
                return job
            if self._remembered(call) == job_id:
                del self._made[call]
        return None

    async def _usable_job(self, job_id: str) -> Job | None:
        """Return the job unless it is gone, was aborted, has ended without a row in the org, or is being undone."""
        try:
            job = await self._client.get_job(job_id)
        except NotFound:
            return None
        is_lost = job.is_terminal and (job.state != "JobComplete" or not job.number_records_loaded)
        is_undone = job.is_terminal and await self._uploads.is_being_undone(await self._client.org(), job)
        return None if is_lost or is_undone else job

    async def _is_earlier(self, job: Job) -> bool:
        has_rows = await self._uploads.knows(await self._client.organization(), job)
        return has_rows or any(is_same_job(job.id, made) for made, _ in self._made.values())

    def _remembered(self, call: Hashable) -> str | None:
        job_id, made_at = self._made.get(call, (None, 0.0))
        return job_id if self._clock() - made_at < REPEAT_SECONDS else None

    def _remember(self, call: Hashable, job_id: str) -> None:
        self._made[call] = job_id, self._clock()
        self._made.move_to_end(call)
        if len(self._made) > MOST_REMEMBERED:
            self._made.popitem(last=False)


def _text(body: dict[str, object], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None
