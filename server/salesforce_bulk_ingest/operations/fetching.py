"""Downloading the results of jobs and making files from them: in the background, once for all callers and processes."""

import logging
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import anyio
from filelock import FileLock, Timeout

from salesforce_bulk_ingest.base.errors import InvalidArgument, StorageFailure
from salesforce_bulk_ingest.base.findings import Finding, Unreadable
from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.base.threads import check_cancelled, run_in_thread
from salesforce_bulk_ingest.cache.file_cache import CachedFile, FileCache, NewFile
from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey, ResultKey, retry_name
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, DamagedUpload
from salesforce_bulk_ingest.csvio.records import EndlessRecord
from salesforce_bulk_ingest.loading.row_filter import LinesOut
from salesforce_bulk_ingest.results.completeness import Completeness, counted_rows
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, kept_download, new_download
from salesforce_bulk_ingest.results.missing_rows import ReturnedUpload, beyond_counters, not_kept
from salesforce_bulk_ingest.results.result_file import CREATED_COLUMN, ID_COLUMN, ResultFile, check_first_column
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import KINDS, RetryRequest, Which
from salesforce_bulk_ingest.results.retry_writer import JobResult, created_records, differing, write_retry_file
from salesforce_bulk_ingest.results.row_counts import RowAccounting, RowCounts, has_rows_in_no_result
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, key_field, write_source_order
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError, ShortResult
from salesforce_bulk_ingest.salesforce.models import RESULT_KINDS, Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.key_forms import same_id

logger = logging.getLogger(__name__)

T = TypeVar("T")

COUNTING_SECONDS = 5.0
"""The longest time that a call waits for the results in which rows are counted, which a later call finds in any case."""

LOCK_SECONDS = 0.2
"""The pause between two tries to take the lock of a file that another process is making."""


class ResultFetcher:
    """Downloads results of jobs that have ended, and makes results in source order and retry files; all of them are cached.

    Args:
        client: the client of the org.
        job_files: the cached files of jobs.
        ledger: the record of which upload went into which job.
        tasks: runs the work; equal calls share one task, and the end of the server cancels it.
        hidden: the fields whose cells no error group has; files have them.
    """

    def __init__(
        self,
        client: SalesforceClient,
        job_files: JobFiles,
        ledger: Ledger,
        tasks: SharedTasks,
        hidden: HiddenFields = NOTHING_HIDDEN,
    ) -> None:
        self._client = client
        self._job_files = job_files
        self._ledger = ledger
        self._tasks = tasks
        self._hidden = hidden
        self._endless = set[ResultKey]()
        """The results that were longer than a result may be: they are not begun again."""

    def fetch(self, org: Org, job: Job, kind: ResultKind) -> SharedTask[DownloadedResult]:
        """Return the task that finds or downloads a result of a job that has ended."""
        key = ResultKey.of(org.key, job, kind)
        return self._start(("result", key), lambda task: self._find_or_download(org, key, job, task))

    async def kept(self, org: Org, job: Job, kind: ResultKind) -> DownloadedResult | None:
        """Return a result that is kept, or None; nothing is downloaded, and it does not count as read.

        Raises:
            OSError: what is kept can't be read.
        """
        key = ResultKey.of(org.key, job, kind)
        return await run_in_thread(kept_download, self._job_files, key, counted_rows(job, kind, None))

    async def accounting(self, org: Org, job: Job, seconds: float) -> RowAccounting | None:
        """Return where the rows are that were sent to a job that has ended, as far as that is known.

        Args:
            org: the org of the job.
            job: the job.
            seconds: the longest time to wait for results that have to be counted, if it is shorter than `COUNTING_SECONDS`.

        Returns:
            None where the job has not ended, or the number of rows that were sent is not known on this machine.
        """
        sent = await self._rows_sent(org, job) if job.is_terminal else None
        if sent is None or not await self._have_arrived(org, job):
            return None
        counts = RowCounts.by_counters(job, sent)
        if counts is None:
            key = JobKey.of(org.key, job)
            counting = self._tasks.start(("row counts", key), lambda _: self._count_rows(org, job, sent))
            try:
                counts = counting.result if await counting.wait(min(seconds, COUNTING_SECONDS)) else None
            except (StorageFailure, SalesforceError) as error:
                logger.warning("the rows of job %s can't be counted: %s", job.id, error)
        return RowAccounting(sent, counts)

    async def created(self, org: Org, job: Job, seconds: float) -> int | None:
        """Return how many records the rows of an upsert created; None where that is not learned in time.

        Args:
            org: the org of the job.
            job: the job, which has ended.
            seconds: the longest time to wait, if it is shorter than `COUNTING_SECONDS`.
        """
        counting = self._start(("created", JobKey.of(org.key, job)), lambda _: self._count_created(org, job))
        try:
            return counting.result if await counting.wait(min(seconds, COUNTING_SECONDS)) else None
        except (StorageFailure, SalesforceError, InvalidArgument) as error:
            logger.warning("the new records of job %s can't be counted: %s", job.id, error)
            return None

    async def written_ids(self, org: Org, job: Job) -> frozenset[str] | None:
        """Return the ids of the records that a job's successful rows updated or deleted, of 15 characters.

        Returns:
            None where the result differs from the counters of the job each time, so that it does not tell of all rows.

        Raises:
            ShortResult: the result may lack rows.
            InvalidArgument: the result can't be read.
        """
        downloaded = await self._whole(org, job, "successfulResults")
        if downloaded.completeness.differs:
            return None
        if not downloaded.index.rows:
            return frozenset()
        result = _result_file(downloaded, job, "successfulResults")

        def ids() -> frozenset[str]:
            columns = (
                [result.outcome_cells(block, name) for name in (ID_COLUMN, CREATED_COLUMN)]
                for _, block in result.blocks()
            )
            rows = (row for ids, created in columns for row in zip(ids, created, strict=True))
            return frozenset(same_id(record_id) for record_id, created in rows if created != "true")

        with _rows_told_apart():
            return await run_in_thread(ids)

    def source_order(self, org: Org, job: Job, kind: ResultKind) -> SharedTask[SourceOrderedResult | None]:
        """Return the task that finds or makes a result in source order, which is None if the upload is not archived here."""
        key = ResultKey.of(org.key, job, kind)
        return self._start(("source order", key), lambda _: self._source_order(org, key, job))

    async def source_lines(self, org: Org, job: Job, kind: ResultKind) -> Sequence[int]:
        """Return the line of the source of a job on which each row of a result begins, 0 where it is not known.

        Raises:
            InvalidArgument: the upload is not archived here, or has other columns than the result.
        """
        source = await self.source_order(org, job, kind).finished()
        if source is None:
            raise InvalidArgument(
                f"From which lines of its source the rows of job {job.id} came is not known: name rows by their cells.",
                ("leaveOut", "lines"),
            )
        return source.lines

    async def record_lines(self, org: Org, job: Job, records: Iterable[str], left_out: LinesOut) -> Sequence[int]:
        """Return the line of the source of a job that wrote to each record, 0 where it is not known.

        Args:
            org: the org of the job.
            job: the job, which has ended.
            records: the ids of the records.
            left_out: the lines to leave out: a record that several lines wrote to has the line of these, if there is one.

        Raises:
            ShortResult, InvalidArgument: see `written_ids` and `source_lines`.
        """
        downloaded = await self._whole(org, job, "successfulResults")
        if not downloaded.index.rows:
            return ()
        lines = await self.source_lines(org, job, "successfulResults")
        result = _result_file(downloaded, job, "successfulResults")

        def found() -> Sequence[int]:
            ids = (record_id for _, block in result.blocks() for record_id in result.outcome_cells(block, ID_COLUMN))
            by_record = dict[str, int]()
            for record_id, line in zip(ids, lines, strict=False):  # the last rows may have no line
                known = by_record.setdefault(same_id(record_id), line)
                if known not in left_out and (not line or line in left_out):
                    by_record[same_id(record_id)] = line
            return array("Q", (by_record.get(same_id(each), 0) for each in records))

        with _rows_told_apart():
            return await run_in_thread(found)

    async def uploaded_columns(self, org: Org, job: Job) -> Sequence[str] | None:
        """Return the names of the columns of a job's source, and of its upload; None if the upload is not archived here."""
        upload = await self.archived_upload(org, job)
        return (
            None if upload is None else tuple(dict.fromkeys((*upload.origin.source_columns, *upload.uploaded_header())))
        )

    def retry_file(
        self,
        org: Org,
        jobs: Sequence[Job],
        request: RetryRequest,
        destination: Destination,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> SharedTask[RetryFile]:
        """Return the task that finds or makes a file of rows to retry.

        Args:
            org: the org of the jobs.
            jobs: the jobs, which have ended.
            request: the request, which chooses rows of the jobs.
            destination: the job that the rows are for.
            check: checks the request before the file is made; an error of it ends the task. None for no check.
        """
        keys = [ResultKey.of(org.key, job, kind) for job in jobs for kind in RESULT_KINDS]
        counters = [(job.number_records_processed, job.number_records_failed) for job in jobs]  # they may lag
        name = retry_name(
            org.key, keys, counters, request, destination.delimiter, destination.line_ending, self._hidden
        )
        return self._start(
            ("retry file", name), lambda task: self._retry_file(org, jobs, request, destination, name, task, check)
        )

    async def forget(self, org: Org, job_id: str) -> None:
        """Remove the cached files of a job that was deleted."""
        try:
            await run_in_thread(self._job_files.forget, org.key, job_id)
        except OSError as error:
            logger.warning("what is kept of job %s can't be removed: %s", job_id, error)

    @asynccontextmanager
    async def locked(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of a cached file, which one process at a time makes.

        Raises:
            OSError: the folder can't be used.
        """
        await self._ledger.open()
        lock = await run_in_thread(self._job_files.files.lock, name)
        await _acquire(lock)
        try:
            yield
        finally:
            lock.release()

    @property
    def files(self) -> FileCache:
        """The cache of the files."""
        return self._job_files.files

    @property
    def most_bytes(self) -> int:
        """The most bytes of one file."""
        return self._job_files.most_result_bytes

    def _start(self, key: Hashable, work: Callable[[SharedTask[T]], Awaitable[T]]) -> SharedTask[T]:
        """Begin work on cached files, or join it; it ends with StorageFailure where the machine keeps it from a file."""

        async def told(task: SharedTask[T]) -> T:
            with storage_failures("What Salesforce gives can't be kept", self._job_files.files.folder):
                return await work(task)

        return self._tasks.start(key, told)

    async def _find_or_download(
        self, org: Org, key: ResultKey, job: Job, task: SharedTask[DownloadedResult]
    ) -> DownloadedResult:
        sent = await self._rows_sent(org, job) if key.kind == "unprocessedrecords" else None
        counted = counted_rows(job, key.kind, sent)

        async def make() -> DownloadedResult:
            result = await self._download(key, job, counted, task)
            if key.kind != "unprocessedrecords" or result.completeness.is_whole:
                return result
            # No counter speaks against it, only the number of rows sent: some may be in no result, or have never arrived.
            if result.index.header:
                return await self._download(key, job, counted, task)
            is_unclear = sent is not None and not await self._have_arrived(org, job)
            return await self._download(key, job, None, task) if is_unclear else result

        return await self._find_or_make(key.name, lambda: find_download(self._job_files, key, counted), make)

    async def _rows_sent(self, org: Org, job: Job) -> int | None:
        """Return the number of rows that were sent to the job; None where its upload is not archived here."""
        try:
            upload = await self.archived_upload(org, job)
        except OSError as error:
            logger.warning("what was sent to job %s can't be read: %s", job.id, error)
            return None
        return None if upload is None else upload.origin.rows

    async def _have_arrived(self, org: Org, job: Job) -> bool:
        """Return whether the rows that were sent to the job have arrived: the upload was answered, or some were tried.

        None of the rows of an upload that never arrived would ever be in a result.
        """
        record = await self._ledger.find(org.key, job.id)
        return bool(job.number_records_processed) or (record is not None and record.state == "sent")

    async def _count_rows(self, org: Org, job: Job, sent: int) -> RowCounts | None:
        """Return where the rows of the job are; None as long as one of its results is not whole."""
        results: dict[ResultKind, Completeness] = {}
        for kind in RESULT_KINDS:
            result = await self._downloaded(org, job, kind)
            if not result.completeness.is_whole:
                return None
            results[kind] = result.completeness
        return RowCounts.by_results(sent, results)

    async def _count_created(self, org: Org, job: Job) -> int | None:
        downloaded = await self._downloaded(org, job, "successfulResults")
        if not downloaded.completeness.is_whole or not downloaded.index.rows:
            return None
        result = _result_file(downloaded, job, "successfulResults")
        if result.outcome_index(CREATED_COLUMN) is None:
            return None

        def count() -> int:
            return sum(list(result.outcome_cells(block, CREATED_COLUMN)).count("true") for _, block in result.blocks())

        with _rows_told_apart():
            return await run_in_thread(count)

    async def _download(
        self, key: ResultKey, job: Job, counted: int | None, task: SharedTask[DownloadedResult]
    ) -> DownloadedResult:
        if key in self._endless:
            raise self._too_long(key, job)
        task.done_bytes = 0
        with new_download(self._job_files, key, job.delimiter, self._hidden.on(job.object)) as writing:
            async with self._client.results(job.id, key.kind) as chunks:
                async for chunk in chunks:
                    task.done_bytes += len(chunk)
                    if task.done_bytes > self._job_files.most_result_bytes:
                        self._endless.add(key)
                        raise self._too_long(key, job)
                    await run_in_thread(writing.add, chunk)
            writing.check_header()
            result = await run_in_thread(writing.finish, counted)
        if result.completeness.is_whole:
            await run_in_thread(self._job_files.files.remove, key.short_name)
        return result

    def _too_long(self, key: ResultKey, job: Job) -> StorageFailure:
        return StorageFailure(
            f"The {key.kind} of job {job.id} have more than {self._job_files.most_result_bytes:,} bytes, which is all that "
            "this server keeps of a result.",
            "Raise --spool-max-bytes where there is room on the disk, or get the result from /v1.",
        )

    async def _source_order(self, org: Org, key: ResultKey, job: Job) -> SourceOrderedResult | None:
        upload = await self.archived_upload(org, job)
        if upload is None:
            return None
        result = _result_file(await self._downloaded(org, job, key.kind), job, key.kind)
        if not _has_columns(result, upload):
            return None
        name, unique = key.source_order_name, key_field(job.operation, job.external_id_field_name)

        def find() -> SourceOrderedResult | None:
            found = self._find_file(name, SourceOrderedResult.read)
            return found if found is not None and found.made_from == (result.sha256, upload.origin.sha256) else None

        try:
            return await self._find_or_make(
                name,
                find,
                lambda: self._make_file(
                    name, lambda file: write_source_order(result, upload, unique, file, check_cancelled)
                ),
            )
        except DamagedUpload as error:
            logger.warning("what was sent to job %s is not kept any more: %s", job.id, error)
            await run_in_thread(self._job_files.remove_upload, key.job)
            return None

    async def archived_upload(self, org: Org, job: Job) -> ArchivedUpload | None:
        """Return the archived upload, or None if the job has other rows: Salesforce may have refused the archived rows."""
        upload = await run_in_thread(self._job_files.find_upload, JobKey.of(org.key, job))
        sent = await self._ledger.find(org.key, job.id)
        return upload if upload is not None and sent is not None and sent.sha256 == upload.origin.sha256 else None

    async def _retry_file(
        self,
        org: Org,
        jobs: Sequence[Job],
        request: RetryRequest,
        destination: Destination,
        name: str,
        task: SharedTask[RetryFile],
        check: Callable[[], Awaitable[None]] | None,
    ) -> RetryFile:
        async def make() -> RetryFile:
            if check is not None:
                await check()
            sources, notes = list[JobResult | ReturnedUpload](), list[Finding]()
            for job in jobs:
                upload = await self.archived_upload(org, job)
                for which in request.which:
                    found = await self._rows_to_retry(org, job, which, upload, needs_lines=bool(request.left_out))
                    if isinstance(found, Finding):
                        notes.append(found)
                    elif found is not None:
                        sources.append(found)
                        task.done_bytes += _size_of(found)
            try:
                return await self._make_file(
                    name,
                    lambda file: write_retry_file(request, sources, destination, file, check_cancelled, notes=notes),
                )
            except DamagedUpload as error:
                logger.warning("an upload is not kept any more: %s", error)
                for job in jobs:
                    await run_in_thread(self._job_files.remove_upload, JobKey.of(org.key, job))
                return await make()

        made = await self._find_or_make(name, lambda: self._find_file(name, RetryFile.read), make)
        if "created" not in request.which:
            return made
        found = [await self._rows_to_retry(org, job, "created", None, needs_lines=False) for job in jobs]
        results = {each.job_id: each for each in found if isinstance(each, JobResult)}
        return replace(made, effects=partial(created_records, results, made))

    async def _rows_to_retry(
        self, org: Org, job: Job, which: Which, upload: ArchivedUpload | None, *, needs_lines: bool
    ) -> JobResult | ReturnedUpload | Finding | None:
        """Return rows of a job, whose upload may be archived, or why there can be none; None where the job has no such rows.

        Raises:
            ShortResult: a result of the job may lack rows.
            InvalidArgument: the lines of the rows are needed, and not known.
        """
        if which == "missing":
            missing = await self._missing_rows(org, job, upload)
            return replace(missing, needs_lines=needs_lines) if isinstance(missing, ReturnedUpload) else missing
        kind = KINDS[which]
        downloaded = await self._whole(org, job, kind)
        if not downloaded.index.rows:
            given = downloaded.completeness
            return differing(job.id, kind, given) if given.differs else None
        result = _result_file(downloaded, job, kind)
        lines = await self.source_lines(org, job, kind) if needs_lines else ()
        if kind != "failedResults":
            hidden = self._hidden.on(job.object)
            return JobResult(job.id, result, completeness=downloaded.completeness, hidden=hidden, lines=lines)
        source = await self.source_order(org, job, kind).finished()
        archived = None if source is None else upload
        return JobResult(job.id, result, archived, source, downloaded.completeness, lines=lines)

    async def _missing_rows(self, org: Org, job: Job, upload: ArchivedUpload | None) -> ReturnedUpload | Finding | None:
        if upload is None:
            return not_kept(job.id) if has_rows_in_no_result(job) else None
        sent = upload.origin.rows
        if RowCounts.by_counters(job, sent) is not None:
            return None
        downloads = {kind: await self._whole(org, job, kind) for kind in RESULT_KINDS}
        given = {kind: result.completeness for kind, result in downloads.items()}
        counts = RowCounts.by_results(sent, given)
        if not counts.in_no_result:
            return None
        if counts.successful + counts.failed > given["successfulResults"].rows + given["failedResults"].rows:
            return beyond_counters(job.id, counts.in_no_result)
        results = [_result_file(result, job, kind) for kind, result in downloads.items() if result.index.rows]
        if not all(_has_columns(result, upload) for result in results):
            return not_kept(job.id)
        key = key_field(job.operation, job.external_id_field_name)
        return ReturnedUpload(job.id, upload, tuple(results), key, counts)

    async def _whole(self, org: Org, job: Job, kind: ResultKind) -> DownloadedResult:
        """Return a result that is whole, or raise ShortResult."""
        result = await self._downloaded(org, job, kind)
        if not result.completeness.is_whole:
            raise ShortResult(
                f"Salesforce gave {result.completeness}, in the {kind} of job {job.id}: none of its rows are sent again yet."
            )
        return result

    async def _downloaded(self, org: Org, job: Job, kind: ResultKind) -> DownloadedResult:
        return await self.fetch(org, job, kind).finished()

    async def _find_or_make(self, name: str, find: Callable[[], T | None], make: Callable[[], Awaitable[T]]) -> T:
        """Return the cached file under this name; the first caller or process that asks for it makes it."""
        found = await run_in_thread(find)
        if found is not None:
            return found
        async with self.locked(name):
            # The process that held the lock before may have made the file.
            found = await run_in_thread(find)
            return await make() if found is None else found

    async def _make_file(self, name: str, make: Callable[[NewFile], T]) -> T:
        def made() -> T:
            with self._job_files.files.new_file(name) as file:
                return make(file)

        with _rows_told_apart():
            return await run_in_thread(made)

    def _find_file(self, name: str, read: Callable[[CachedFile], T]) -> T | None:
        found = self._job_files.files.find(name)
        if found is None:
            return None
        try:
            made = read(found)
        except ValueError:  # another version of this program wrote it
            return None
        self._job_files.files.touch(name)
        return made


@contextmanager
def _rows_told_apart() -> Iterator[None]:
    """Raise InvalidArgument where the block can't tell rows of a job apart."""
    try:
        yield
    except (Unreadable, EndlessRecord) as error:
        what = str(error).removesuffix(".")
        raise InvalidArgument(
            f"Rows of this job can't be told apart, since they are no whole CSV: {what}. Get the result from /v1 or its "
            "file, correct it, and send the rows from there."
        ) from None


def _result_file(downloaded: DownloadedResult, job: Job, kind: ResultKind) -> ResultFile:
    """Return the downloaded result, with its header read.

    Raises:
        InvalidArgument: the header can't be read.
        UnexpectedAnswer: the result is not one of Salesforce's.
    """
    dialect = Destination.of_job(job).dialect()
    with _rows_told_apart():
        result = ResultFile.open(downloaded.path, dialect, kind, downloaded.sha256, downloaded.use)
    check_first_column(kind, result.names[0])
    return result


def _has_columns(result: ResultFile, upload: ArchivedUpload) -> bool:
    """Return whether the result has the columns of the archived upload: another program may have sent other rows."""
    return sorted(map(str.lower, upload.uploaded_header())) == sorted(map(str.lower, result.upload_names))


def _size_of(rows: JobResult | ReturnedUpload) -> int:
    return (rows.upload if isinstance(rows, ReturnedUpload) else rows.result).path.stat().st_size


async def _acquire(lock: FileLock) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            await anyio.sleep(LOCK_SECONDS)
        else:
            return
