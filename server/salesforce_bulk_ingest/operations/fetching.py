"""What jobs gave and were given, brought or made here once: in the background, for all callers and processes that ask."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.from_thread import check_cancelled
from filelock import FileLock, Timeout

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.findings import Unreadable
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey, ResultKey, retry_name
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, DamagedUpload
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.results.downloads import DownloadedResult, ResultNotReady, find_download, new_download
from salesforce_bulk_ingest.results.result_file import ResultFile
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import KINDS, RetryRequest
from salesforce_bulk_ingest.results.retry_rows import JobResult, write_retry_file
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, key_field, write_source_order
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOCK_SECONDS = 0.2
"""Between two looks whether another process is done with the same work."""


class ResultFetcher:
    """Keeps results of jobs that have ended, what was sent to them, and what is made of both.

    Args:
        client: of the org.
        store: where they are kept.
        ledger: knows which uploads were taken.
        tasks: runs the work; cancelled with the server.
    """

    def __init__(self, client: SalesforceClient, store: JobFiles, ledger: Ledger, tasks: SharedTasks) -> None:
        self._client = client
        self._store = store
        self._ledger = ledger
        self._tasks = tasks

    def fetch(self, org: Org, job: Job, kind: ResultKind) -> SharedTask[DownloadedResult]:
        """Return a result of a job that has ended: downloaded already, or on its way."""
        key = ResultKey.of(org.host, job, kind)
        return self._tasks.start(("result", key), lambda task: self._fetched(key, job, task))

    def source_order(self, org: Org, job: Job, kind: ResultKind) -> SharedTask[SourceOrderedResult | None]:
        """Return a result in the order of the source; None if the upload is not archived here."""
        key = ResultKey.of(org.host, job, kind)
        return self._tasks.start(("source order", key), lambda _: self._source_order(org, key, job))

    def retry_file(
        self, org: Org, jobs: Sequence[Job], wanted: RetryRequest, destination: Destination
    ) -> SharedTask[RetryFile]:
        """Return a file of rows of jobs that have ended, to be sent again."""
        kinds = [KINDS[which] for which in wanted.which]
        keys = [ResultKey.of(org.host, job, kind) for job in jobs for kind in kinds]
        name = retry_name(org.host, keys, wanted, destination.delimiter, destination.line_ending)
        return self._tasks.start(
            ("retry file", name), lambda task: self._retry_file(org, jobs, wanted, destination, name, task)
        )

    async def forget(self, org: Org, job_id: str) -> None:
        """Remove what is kept of a job that is gone."""
        try:
            await anyio.to_thread.run_sync(self._store.forget, org.host, job_id)
        except OSError as error:
            logger.warning("what is kept of job %s can't be removed: %s", job_id, error)

    async def _fetched(self, key: ResultKey, job: Job, task: SharedTask[DownloadedResult]) -> DownloadedResult:
        return await self._once(
            key.name, lambda: find_download(self._store, key), lambda: self._download(key, job, task)
        )

    async def _download(self, key: ResultKey, job: Job, task: SharedTask[DownloadedResult]) -> DownloadedResult:
        with new_download(self._store, key, job.delimiter) as writing:
            async with self._client.results(job.id, key.kind) as chunks:
                async for chunk in chunks:
                    await anyio.to_thread.run_sync(writing.add, chunk)
                    task.done_bytes += len(chunk)
            return await anyio.to_thread.run_sync(writing.finish)

    async def _source_order(self, org: Org, key: ResultKey, job: Job) -> SourceOrderedResult | None:
        kept = await self._kept(org, job)
        if kept is None:
            return None
        result = _told(await self._whole(org, job, key.kind), job, key.kind)
        if not _has_columns(result, kept):
            return None
        name, unique = key.source_order_name, key_field(job.operation, job.external_id_field_name)

        def find() -> SourceOrderedResult | None:
            found = self._read(name, SourceOrderedResult.read)
            return found if found is not None and found.made_from == (result.sha256, kept.origin.sha256) else None

        try:
            return await self._once(
                name,
                find,
                lambda: self._made(
                    name, lambda draft: write_source_order(result, kept, unique, draft, check_cancelled)
                ),
            )
        except DamagedUpload as error:
            logger.warning("what was sent to job %s is not kept any more: %s", job.id, error)
            await anyio.to_thread.run_sync(self._store.remove_upload, key.job)
            return None

    async def _kept(self, org: Org, job: Job) -> ArchivedUpload | None:
        """What was sent to the job, if that is what the job has: an upload may have been refused, and another taken."""
        kept = await anyio.to_thread.run_sync(self._store.find_upload, JobKey.of(org.host, job))
        sent = await self._ledger.find(org.host, job.id)
        return kept if kept is not None and sent is not None and sent.sha256 == kept.origin.sha256 else None

    async def _retry_file(
        self,
        org: Org,
        jobs: Sequence[Job],
        wanted: RetryRequest,
        destination: Destination,
        name: str,
        task: SharedTask[RetryFile],
    ) -> RetryFile:
        kinds = [KINDS[which] for which in wanted.which]

        async def make() -> RetryFile:
            results = []
            for job in jobs:
                for kind in kinds:
                    rows = await self._job_rows(org, job, kind)
                    if rows is not None:
                        results.append(rows)
                        task.done_bytes += rows.result.path.stat().st_size
            return await self._made(
                name, lambda draft: write_retry_file(wanted, results, destination, draft, check_cancelled)
            )

        return await self._once(name, lambda: self._read(name, RetryFile.read), make)

    async def _job_rows(self, org: Org, job: Job, kind: ResultKind) -> JobResult | None:
        try:
            result = _told(await self._whole(org, job, kind), job, kind)
        except ResultNotReady:
            if _has_none(job, kind):
                return None
            raise UnexpectedAnswer(
                f"Salesforce gave nothing for the {kind} of job {job.id}, not even a header, although there may be "
                "some: call again later."
            ) from None
        if kind != "failedResults":
            return JobResult(job.id, result)
        source = await self.source_order(org, job, kind).finished()
        return JobResult(job.id, result, None if source is None else await self._kept(org, job), source)

    async def _whole(self, org: Org, job: Job, kind: ResultKind) -> DownloadedResult:
        return await self.fetch(org, job, kind).finished()

    async def _once(self, name: str, find: Callable[[], T | None], make: Callable[[], Awaitable[T]]) -> T:
        """What is kept under this name, made by whoever asks for it first."""
        found = await anyio.to_thread.run_sync(find)
        if found is not None:
            return found
        lock = await anyio.to_thread.run_sync(self._store.files.lock, name)
        await _acquire(lock)
        try:
            # Whoever held the lock before may have made it.
            found = await anyio.to_thread.run_sync(find)
            return await make() if found is None else found
        finally:
            lock.release()

    async def _made(self, name: str, make: Callable[[NewFile], T]) -> T:
        def made() -> T:
            with self._store.files.new_file(name) as draft:
                return make(draft)

        try:
            return await anyio.to_thread.run_sync(made)
        except (Unreadable, EndlessRecord) as error:
            what = str(error).removesuffix(".")
            raise InvalidArgument(
                f"Rows of this job can't be told apart, since they are no whole CSV: {what}. Get the result from /v1 or its "
                "file, correct it, and send the rows from there."
            ) from None

    def _read(self, name: str, read: Callable[[CachedFile], T]) -> T | None:
        found = self._store.files.find(name)
        if found is None:
            return None
        try:
            made = read(found)
        except ValueError:  # of another version of this
            return None
        self._store.files.touch(name)
        return made


def _told(result: DownloadedResult, job: Job, kind: ResultKind) -> ResultFile:
    return ResultFile.open(result.path, Destination.of_job(job).dialect(), kind, result.sha256)


def _has_columns(result: ResultFile, kept: ArchivedUpload) -> bool:
    """Whether the result is one of such rows: another program may have sent others."""
    return sorted(map(str.lower, kept.uploaded_header())) == sorted(map(str.lower, result.upload_names))


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
