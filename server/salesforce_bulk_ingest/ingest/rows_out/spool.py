"""What jobs gave and were given, brought or made here once: in the background, for all callers and processes that ask."""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from anyio.from_thread import check_cancelled
from filelock import FileLock, Timeout

from salesforce_bulk_ingest.ingest.background import Background, Pending
from salesforce_bulk_ingest.ingest.org import Org
from salesforce_bulk_ingest.ingest.rows_in.blocks import EndlessRecord
from salesforce_bulk_ingest.ingest.rows_in.destination import Destination
from salesforce_bulk_ingest.ingest.rows_in.dialect import Dialect
from salesforce_bulk_ingest.ingest.rows_in.findings import Unreadable
from salesforce_bulk_ingest.ingest.rows_in.plan import PartContent
from salesforce_bulk_ingest.ingest.rows_out.kept import RecordedContent
from salesforce_bulk_ingest.ingest.rows_out.rows_again import KINDS, JobRows, RowsAgain, RowsOf, make_rows_again
from salesforce_bulk_ingest.ingest.rows_out.shelf import Draft, Shelved
from salesforce_bulk_ingest.ingest.rows_out.source_rows import SourceRows, ToldRows, key_of, make_source_rows
from salesforce_bulk_ingest.ingest.rows_out.store import JobKey, NothingCame, ResultKey, Store, StoredResult, again_name
from salesforce_bulk_ingest.ingest.transfers import Content
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOCK_SECONDS = 0.2
"""Between two looks whether another process is done with the same work."""


class Spool:
    """Keeps results of jobs that have ended, what was sent to them, and what is made of both.

    Args:
        client: of the org.
        store: where they are kept.
        tasks: runs the work; cancelled with the server.
    """

    def __init__(self, client: SalesforceClient, store: Store, tasks: TaskGroup) -> None:
        self._client = client
        self._store = store
        self._background = Background(tasks)

    def recorded(self, org: Org, job: Job, content: PartContent) -> Content:
        """The content of an upload; while it is sent, it is kept."""
        recorder = self._store.recorder(JobKey.of(org.host, job), content)
        return RecordedContent(content, recorder) if recorder else content

    def fetch(self, org: Org, job: Job, kind: ResultKind) -> Pending[StoredResult]:
        """The result, here or on its way."""
        key = ResultKey.of(org.host, job, kind)
        return self._background.start(key, lambda pending: self._fetched(key, job, pending))

    def source_rows(self, org: Org, job: Job, kind: ResultKind) -> Pending[SourceRows | None]:
        """The result tied to what was sent; None where that is not kept here."""
        key = ResultKey.of(org.host, job, kind)
        return self._background.start(("source rows", key), lambda pending: self._source_rows(org, key, job))

    def rows_again(self, org: Org, jobs: Sequence[Job], wanted: RowsOf, dialect: Dialect) -> Pending[RowsAgain]:
        """Rows of jobs that have ended, to be sent again."""
        key = ("rows again", org.host, tuple((job.id, job.system_modstamp) for job in jobs), wanted, dialect)
        return self._background.start(key, lambda pending: self._rows_again(org, jobs, wanted, dialect, pending))

    async def forget(self, org: Org, job_id: str) -> None:
        """The job is gone."""
        try:
            await anyio.to_thread.run_sync(self._store.forget, org.host, job_id)
        except OSError as error:
            logger.warning("what is kept of job %s can't be removed: %s", job_id, error)

    async def _fetched(self, key: ResultKey, job: Job, pending: Pending[StoredResult]) -> StoredResult:
        return await self._once(key.name, lambda: self._store.find(key), lambda: self._download(key, job, pending))

    async def _download(self, key: ResultKey, job: Job, pending: Pending[StoredResult]) -> StoredResult:
        with self._store.writing(key, job.delimiter) as writing:
            async with self._client.results(job.id, key.kind) as chunks:
                async for chunk in chunks:
                    await anyio.to_thread.run_sync(writing.add, chunk)
                    pending.done_bytes += len(chunk)
            return await anyio.to_thread.run_sync(writing.finish)

    async def _source_rows(self, org: Org, key: ResultKey, job: Job) -> SourceRows | None:
        kept = await anyio.to_thread.run_sync(self._store.upload, key.job)
        if kept is None:
            return None

        async def make() -> SourceRows:
            result = _told(await self._whole(org, job, key.kind), job, key.kind)
            unique = key_of(job.operation, job.external_id_field_name)
            return await self._made(
                key.source_rows_name, lambda draft: make_source_rows(result, kept, unique, draft, check_cancelled)
            )

        name = key.source_rows_name
        return await self._once(name, lambda: self._read(name, SourceRows.read), make)

    async def _rows_again(
        self, org: Org, jobs: Sequence[Job], wanted: RowsOf, dialect: Dialect, pending: Pending[RowsAgain]
    ) -> RowsAgain:
        kinds = [KINDS[which] for which in wanted.which]
        keys = [ResultKey.of(org.host, job, kind) for job in jobs for kind in kinds]
        name = again_name(org.host, keys, wanted, dialect)

        async def make() -> RowsAgain:
            results = []
            for job in jobs:
                for kind in kinds:
                    rows = await self._job_rows(org, job, kind)
                    if rows is not None:
                        results.append(rows)
                        pending.done_bytes += rows.result.path.stat().st_size
            return await self._made(
                name, lambda draft: make_rows_again(wanted, results, dialect, draft, check_cancelled)
            )

        return await self._once(name, lambda: self._read(name, RowsAgain.read), make)

    async def _job_rows(self, org: Org, job: Job, kind: ResultKind) -> JobRows | None:
        try:
            result = _told(await self._whole(org, job, kind), job, kind)
        except NothingCame:
            if _has_none(job, kind):
                return None
            raise UnexpectedAnswer(
                f"Salesforce gave nothing for the {kind} of job {job.id}, not even a header, although there may be "
                "some: call again later."
            ) from None
        if kind != "failedResults":
            return JobRows(job.id, result)
        kept = await anyio.to_thread.run_sync(self._store.upload, JobKey.of(org.host, job))
        source = None if kept is None else await self.source_rows(org, job, kind).wait(math.inf)
        return JobRows(job.id, result, kept, source)

    async def _whole(self, org: Org, job: Job, kind: ResultKind) -> StoredResult:
        result = await self.fetch(org, job, kind).wait(math.inf)
        assert result is not None
        return result

    async def _once(self, name: str, find: Callable[[], T | None], make: Callable[[], Awaitable[T]]) -> T:
        """What is kept under this name, made by whoever asks for it first."""
        found = await anyio.to_thread.run_sync(find)
        if found is not None:
            return found
        lock = await anyio.to_thread.run_sync(self._store.shelf.lock, name)
        await _acquire(lock)
        try:
            # Whoever held the lock before may have made it.
            found = await anyio.to_thread.run_sync(find)
            return await make() if found is None else found
        finally:
            lock.release()

    async def _made(self, name: str, make: Callable[[Draft], T]) -> T:
        def made() -> T:
            with self._store.shelf.writing(name) as draft:
                return make(draft)

        try:
            return await anyio.to_thread.run_sync(made)
        except (Unreadable, EndlessRecord) as error:
            raise UnexpectedAnswer(
                f"Rows of this job can't be told apart, since they are no whole CSV: {error}"
            ) from None

    def _read(self, name: str, read: Callable[[Shelved], T]) -> T | None:
        found = self._store.shelf.find(name)
        if found is None:
            return None
        try:
            made = read(found)
        except ValueError:  # of another version of this
            return None
        self._store.shelf.touch(name)
        return made


def _told(result: StoredResult, job: Job, kind: ResultKind) -> ToldRows:
    return ToldRows.of(result.path, Destination.of_job(job).dialect(), kind)


def _has_none(job: Job, kind: ResultKind) -> bool:
    """Whether the job says that it has no such rows."""
    if kind == "unprocessedrecords":
        return job.state == "JobComplete"
    if kind == "failedResults":
        return job.number_records_failed == 0
    return job.number_records_processed is not None and job.number_records_processed == job.number_records_failed


async def _acquire(lock: FileLock) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            await anyio.sleep(LOCK_SECONDS)
        else:
            return
