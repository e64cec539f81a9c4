"""Suggestions: what a caller may mean, for hosts that list or complete it while a user types, so quickly or not at all."""

import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from salesforce_bulk_ingest.base.errors import IngestError, RefusedByPolicy
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.results.downloads import DownloadedResult
from salesforce_bulk_ingest.results.remedies import known_codes
from salesforce_bulk_ingest.results.result_file import CREATED_COLUMN, ID_COLUMN
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN, UNKNOWN_CODE
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import is_job_id, is_same_job
from salesforce_bulk_ingest.salesforce.models import RESULT_KINDS, Job, ResultKind

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 1.5
"""How long a question of a completion may take: a user is typing. What comes later is there for the next."""

LIST_PATIENCE_SECONDS = 5.0
"""How long the list of jobs may take for a host that lists resources: it may do so once, and first of all."""

JOBS_KEPT_SECONDS = 10.0
"""How long the list of jobs is kept for completions, of which each keystroke asks for some."""

_OUTCOME_COLUMNS: dict[ResultKind, tuple[str, ...]] = {
    "failedResults": (ID_COLUMN, ERROR_COLUMN),
    "successfulResults": (ID_COLUMN, CREATED_COLUMN),
    "unprocessedrecords": (),
}


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A result that is kept on this machine.

    Attributes:
        job: the job.
        kind: kind of the result.
        rows: number of rows.
        size: number of bytes.
    """

    job: Job
    kind: ResultKind
    rows: int
    size: int


class Suggestions:
    """What a caller may mean: names and codes, never cells.

    Every method answers with less, or with nothing, where the org can't be asked or does not answer in time.

    Args:
        jobs: lists and reads jobs.
        policy: the rules that the operator set.
        describes: the objects and fields of the org.
        fetcher: finds results that are kept; None on a server that keeps nothing.
        tasks: runs the questions, which go on when nobody waits any more.
        patience_seconds: the longest time of a question of a completion.
        clock: returns the time in seconds from any start.
    """

    def __init__(
        self,
        jobs: JobOperations,
        policy: Policy,
        describes: DescribeCache,
        fetcher: ResultFetcher | None,
        tasks: SharedTasks,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._policy = policy
        self._describes = describes
        self._fetcher = fetcher
        self._tasks = tasks
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._listed: tuple[float, tuple[Job, ...]] | None = None

    async def newest_jobs(self) -> tuple[Job, ...]:
        """Return the newest jobs of the org, the newest first, as they are now."""
        return await self._quickly("jobs", self._list_jobs, (), max(LIST_PATIENCE_SECONDS, self._patience_seconds))

    async def jobs(self) -> tuple[Job, ...]:
        """Return the newest jobs of the org, as they were some seconds ago."""
        if self._listed is not None and self._clock() - self._listed[0] < JOBS_KEPT_SECONDS:
            return self._listed[1]
        return await self._quickly("jobs", self._list_jobs, ())

    async def retryable_jobs(self) -> tuple[Job, ...]:
        """Return the newest jobs whose rows may be sent again: they have ended, and the policy allows them."""
        return tuple(job for job in await self.jobs() if job.is_terminal and self._allows(self._policy.check_job, job))

    async def objects_of_jobs(self) -> tuple[str, ...]:
        """Return the objects of the newest jobs."""
        return tuple(dict.fromkeys(job.object for job in await self.jobs() if job.object))

    async def objects(self) -> tuple[str, ...]:
        """Return the objects that rows may be loaded into, those of the newest jobs first."""
        everything: tuple[str, ...] = await self._quickly("objects", self._describes.loadable_objects, ())
        names = dict.fromkeys((*await self.objects_of_jobs(), *everything))
        return tuple(name for name in names if self._allows(self._policy.check_object, name))

    def operations(self, operations: Sequence[str]) -> tuple[str, ...]:
        """Return those of the operations that the policy allows."""
        return tuple(name for name in operations if self._allows(self._policy.check_operation, name))

    async def columns(self, job_id: str, kind: ResultKind) -> tuple[str, ...]:
        """Return the columns of a result: of the one that is kept, else those that rows of the job's object may have."""
        job = await self._job(job_id)
        if job is None:
            return ()
        kept = await self._kept(job, kind)
        if kept is not None:
            return kept.columns(job.delimiter)
        return (*_OUTCOME_COLUMNS[kind], *await self._fields(job))

    async def error_codes(self, job_id: str) -> tuple[str, ...]:
        """Return the status codes of failed rows: of those that are kept, else all that have a remedy."""
        job = await self._job(job_id)
        kept = None if job is None else await self._kept(job, "failedResults")
        if kept is None:
            return tuple(sorted(known_codes()))
        return tuple(dict.fromkeys(group.code for group in kept.error_groups if group.code != UNKNOWN_CODE))

    async def error_fields(self, job_id: str) -> tuple[str, ...]:
        """Return the fields that errors of failed rows name: of those that are kept, else all of the job's object."""
        job = await self._job(job_id)
        if job is None:
            return ()
        kept = await self._kept(job, "failedResults")
        if kept is None:
            return await self._fields(job)
        # An error may have any text in the place of a field, that of a cell among them.
        names = {name.lower() for name in kept.columns(job.delimiter)} | {
            name.lower() for name in await self._fields(job)
        }
        found = dict.fromkeys(name for group in kept.error_groups for name in group.fields)
        return tuple(name for name in found if name.lower() in names)

    async def kept_results(self, jobs: Sequence[Job]) -> tuple[KeptResult, ...]:
        """Return the results of jobs that are kept on this machine."""
        fetcher = self._fetcher
        if fetcher is None:
            return ()

        async def find() -> tuple[KeptResult, ...]:
            org = await self._jobs.org()
            ended = [(job, kind) for job in jobs if job.is_terminal for kind in RESULT_KINDS]
            found = [(job, kind, await fetcher.kept(org, job, kind)) for job, kind in ended]
            return tuple(
                KeptResult(job, kind, kept.index.rows, kept.index.size) for job, kind, kept in found if kept is not None
            )

        return await self._quickly(("kept", tuple(job.id for job in jobs)), find, ())

    async def _job(self, job_id: str) -> Job | None:
        if not is_job_id(job_id):
            return None
        listed = next((job for job in await self.jobs() if is_same_job(job.id, job_id)), None)
        return listed or await self._quickly(("job", job_id), lambda: self._jobs.read(job_id), None)

    async def _fields(self, job: Job) -> tuple[str, ...]:
        name = job.object
        if name is None:
            return ()

        async def ask() -> tuple[str, ...]:
            described = await self._describes.get(name)
            return tuple(field.name for field in described.fields if field.createable or field.updateable)

        return await self._quickly(("fields", name), ask, ())

    async def _kept(self, job: Job, kind: ResultKind) -> DownloadedResult | None:
        fetcher = self._fetcher
        if fetcher is None or not job.is_terminal:
            return None

        async def find() -> DownloadedResult | None:
            return await fetcher.kept(await self._jobs.org(), job, kind)

        return await self._quickly(("kept", job.id, kind), find, None)

    async def _list_jobs(self) -> tuple[Job, ...]:
        newest = (await self._jobs.list()).newest
        self._listed = self._clock(), newest
        return newest

    async def _quickly(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], nothing: T, seconds: float | None = None
    ) -> T:
        """Return the answer to a question, or nothing where there is none in time."""

        async def answer(_: object) -> T:
            return await ask()

        try:
            task = self._tasks.start(("suggestion", key), answer)
            return task.result if await task.wait(self._patience_seconds if seconds is None else seconds) else nothing
        except (SalesforceError, IngestError, OSError) as error:
            logger.info("nothing can be suggested: %s", error)
            return nothing

    def _allows(self, check: Callable[[T], None], value: T) -> bool:
        try:
            check(value)
        except (RefusedByPolicy, SalesforceError):
            return False
        return True
