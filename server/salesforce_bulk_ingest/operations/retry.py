"""Retrying rows of earlier jobs in another job: the rows are fetched first, and each row is retried once."""

import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from salesforce_bulk_ingest.base.errors import (
    AllSentAgain,
    InvalidArgument,
    JobNotEnded,
    NoRecord,
    NoRowLeft,
    SentAgain,
)
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask
from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.retried_rows import ALL_ROWS, EarlierRetry, RetriedRows, SentRows
from salesforce_bulk_ingest.loading.row_filter import NOTHING, LeaveOut
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.operations.before_images import BeforeImages
from salesforce_bulk_ingest.operations.earlier_loads import unrecorded
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.job_reader import JobReader
from salesforce_bulk_ingest.operations.source_lines import SourceLines
from salesforce_bulk_ingest.operations.undos import DoneUndo, Undos, by_operation, standing_updates, undo_or_redo_of
from salesforce_bulk_ingest.results.pages import RetriedInJob
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import BEFORE, DELETED, KINDS, NOT_LOADED, RetryRequest
from salesforce_bulk_ingest.results.undo_writer import jobs_in_words
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, Rejected, SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id, long_job_id, shown_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES, Destination

logger = logging.getLogger(__name__)

NO_CACHE = (
    "This server keeps no results (no_spool), so rows of jobs can't be sent again from it: the operator can change that, or "
    "give the rows as csv."
)

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of this machine and of Salesforce may differ: a job that is this little younger may be older."""

GO_AGAIN = "They go a second time, as again says."

JOBS_TOLD = 3

UNDONE = "Rows of records that are deleted already fail. See in that job what became of them."


class Retries:
    """Fetches the rows of earlier jobs that are to be retried.

    Args:
        client: the client of the org.
        fetcher: fetches the rows; None on a server that caches no results.
        ledger: the record of which rows were retried in which job.
        before_images: makes the rows that give records back what they held.
    """

    def __init__(
        self, client: SalesforceClient, fetcher: ResultFetcher | None, ledger: Ledger, before_images: BeforeImages
    ) -> None:
        self._client = client
        self._fetcher = fetcher
        self._ledger = ledger
        self._before_images = before_images

    async def fetch(
        self,
        org: Org,
        request: RetryRequest,
        sobject: str | None,
        destination: Destination,
        leave_out: LeaveOut = NOTHING,
        to_job: str | None = None,
    ) -> SharedTask[RetryFile]:
        """Begin to write the rows into a file, or join the task that does.

        Args:
            org: the org of the jobs.
            request: the request, which names the jobs and chooses their rows.
            sobject: the object of the job that the rows will be sent to; None if it is not known.
            destination: that job.
            leave_out: the rows to leave out, of which those on its lines are left out here.
            to_job: the id of the job that the rows will be sent to; None if it does not exist yet.

        Raises:
            InvalidArgument: a job has not ended, or is of another object and to be undone; or this server caches no results.
                The task ends with it where from which lines of a source the rows came is asked for, and not known.
            NoRecord: rows that were sent before are to be skipped, and the ledger can't be read.
        """
        if self._fetcher is None:
            raise InvalidArgument(NO_CACHE)
        jobs, lines = await self._ended_jobs(request.jobs), SourceLines(self._fetcher, self._ledger)
        _check_object(jobs, request, sobject, destination)
        # In the task, since it reads what was sent to the jobs, which may take longer than the call.
        check = partial(lines.check, org, jobs, request, leave_out)
        if leave_out.lines:
            request = replace(request, left_out=leave_out.lines)
        if request.skip_sent:
            history = _History(org, self._client, self._ledger)
            request = replace(request, skipped=await self._skipped(org, jobs, to_job, history))
        if BEFORE in request.which:
            return await self._before_images.undo_file(org, jobs, request, destination, check)
        return self._fetcher.retry_file(org, jobs, replace(request, again=False), destination, check)

    def retry(self, org: Org, request: RetryRequest, file: RetryFile, operation: str | None) -> "Retry":
        """Return the retry of the rows in a file that was fetched for this request, in a job with this operation."""
        return Retry(org, request, file, operation, self._client, self._ledger)

    async def all_sent(self, org: Org, error: NoRowLeft) -> AllSentAgain:
        """Return the error that every row was sent before, with the job that has the rows."""
        job = await _History(org, self._client, self._ledger).job(error.to_job)
        return AllSentAgain(str(error), job.id if job else error.to_job, job.state if job else None)

    async def of_rows(self, org: Org, job: Job, results: Collection[str], rows: int) -> RetriedInJob | None:
        """Return where rows of a job went again; None where none did, or what is known of it can't be read.

        Args:
            org: the org of the job.
            job: the job.
            results: the kinds of the results that have the rows; `MISSING` for those that are in none.
            rows: the number of all rows of these results.
        """
        try:
            history = _History(org, self._client, self._ledger)
            sent = [each for each in await self._skipped(org, [job], None, history) if each.result in results]
            if not sent:
                return None
            last = max(each.to_job for each in sent)
            to_job = await history.job(last)
        except (NoRecord, SalesforceError) as error:
            logger.warning("whether rows of job %s went again is not known: %s", job.id, error)
            return None
        to_job_id = shown_job_id(last) if to_job is None else to_job.id
        return RetriedInJob(to_job_id, to_job is None or to_job.is_terminal, _count(sent, rows), rows)

    async def _skipped(
        self, org: Org, jobs: Sequence[Job], to_job: str | None, history: "_History"
    ) -> tuple[SentRows, ...]:
        """Return the rows of jobs that were retried in other jobs, which loaded some or may still load them."""
        sent = await self._ledger.sent_rows(org.key, [job.id for job in jobs])
        unloaded = await history.unloaded_jobs((rows.to_job for rows in sent), {job.id[:15] for job in jobs})
        return tuple(rows for rows in sent if rows.to_job not in unloaded | _ids(to_job))

    async def _ended_jobs(self, job_ids: Sequence[str]) -> list[Job]:
        """Return the jobs, each once, or raise JobNotEnded."""
        by_id = dict.fromkeys(checked_job_id(job_id)[:15] for job_id in job_ids)
        jobs = [await self._job(job_id) for job_id in by_id]
        for job in jobs:
            if not job.is_terminal:
                raise JobNotEnded(
                    f"Job {job.id} is {as_name(job.state)}: which of its rows fail is known only when it has ended."
                )
        return jobs

    async def _job(self, job_id: str) -> Job:
        """Return one of several jobs, or raise NotFound, which says that it is this one."""
        try:
            return await self._client.get_job(job_id)
        except NotFound as error:
            what = f"There is no job {shown_job_id(job_id)} (any more): {error}"
            raise NotFound(error.status, error.code, what, error.retry_after_seconds) from None


class _History:
    """What became of rows that were retried before, for one call.

    Args:
        org: the org of the jobs.
        client: the client of the org.
        ledger: the record of which rows were retried in which job.
    """

    def __init__(self, org: Org, client: SalesforceClient, ledger: Ledger) -> None:
        self._org = org
        self._client = client
        self._ledger = ledger
        self._jobs = JobReader(client)

    async def unloaded_jobs(self, to_jobs: Iterable[str], from_jobs: set[str]) -> frozenset[str]:
        """Return the ids of jobs that retried rows and loaded none, and of the jobs that retried their rows in turn.

        Args:
            to_jobs: the ids of the jobs that retried rows.
            from_jobs: the ids of the jobs whose rows are retried: where a chain of retries leads to one of these jobs, the
                same rows would be sent twice.
        """
        unloaded = frozenset[str]()
        for to_job in dict.fromkeys(to_jobs):
            chain = await self._chain(to_job)
            if not chain & from_jobs and all([await self._loaded_none(job) for job in sorted(chain)]):
                unloaded |= chain
        return unloaded

    async def _chain(self, job_id: str) -> frozenset[str]:
        """Return the ids of a job and of all jobs that retried its rows, directly or in turn."""
        chain, left = set[str](), [job_id]
        while left:
            chain.add(job := left.pop())
            left += await self._ledger.jobs_retrying(self._org.key, job) - chain
        return frozenset(chain)

    async def _loaded_none(self, job_id: str) -> bool:
        """Return whether the job has ended without having tried any of its rows."""
        job = await self.job(job_id)
        if job is None or not job.is_terminal:
            return False
        if job.number_records_processed is None:
            return await self._has_no_results(job_id)
        return job.number_records_processed == 0

    async def _has_no_results(self, job_id: str) -> bool:
        """Return whether the job has results, and they have no rows: where no counter tells, they are the only evidence."""
        try:
            for which in ("failed", "created"):
                async with self._client.results(job_id, KINDS[which]) as chunks:
                    if not await _is_header_alone(chunks):
                        return False
        except Rejected:
            return False
        return True

    async def job(self, job_id: str) -> Job | None:
        """Return the job, as it ended if it was deleted through this server; None if nothing is known of it."""
        return await self._jobs.find(job_id) or await self._ledger.ended_job(self._org.key, job_id)


class Retry:
    """The retry of rows of earlier jobs in one load: call `check`, then `record`, then send the rows.

    Args:
        org: the org of the jobs.
        request: the request, which may allow rows that were retried before.
        file: the file of the rows.
        operation: the operation of the job that they are for.
        client: the client of the org.
        ledger: the record of which rows were retried in which job.

    Attributes:
        jobs: the ids of the jobs that the request names.
        inserts_again: whether the rows are of records that a job deleted: only those that are gone, so that no earlier load
            has them.
    """

    def __init__(
        self,
        org: Org,
        request: RetryRequest,
        file: RetryFile,
        operation: str | None,
        client: SalesforceClient,
        ledger: Ledger,
    ) -> None:
        self._org = org
        self._again = request.again
        self.jobs = request.jobs
        self._file = file
        kinds = {origin.result for origin in file.origins}
        self._is_of_ids = KINDS["created"] in kinds
        self.inserts_again = DELETED in kinds
        self._is_undo = BEFORE in kinds or self.inserts_again or (self._is_of_ids and operation in DELETES)
        # A second time, a record is deleted already, or holds already what it held before.
        self._may_repeat = kinds <= {KINDS["created"], BEFORE}
        self._client = client
        self._ledger = ledger
        self._history = _History(org, client, ledger)
        self._rows: tuple[RetriedRows, ...] = ()
        self._undone: Counter[str] = Counter()
        self._unloaded: frozenset[str] = frozenset()

    @property
    def source(self) -> RowSource:
        """The rows as a source of a load."""
        return self._file.source

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings about the rows from when the file was written."""
        return self._file.notes

    async def effects(self, rows: Sequence[int]) -> Sequence[Finding]:
        """Return what rows do to records that are there, for the user to agree to; nothing for rows that only go again.

        Args:
            rows: the numbers of the rows of the file, from 0, in their order.
        """
        return await run_in_thread(self._file.effects, rows)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to undo, so that the rows are what records held: to look at, not to send."""
        return self._file.differing is not None

    async def done(self, rows: Sequence[int]) -> DoneUndo:
        """Return how the records of an undo that is done are now.

        Args:
            rows: the numbers of the rows of the file to look at, from 0, in their order.
        """
        undos, by = Undos(JobReader(self._client), self._ledger, self._org), Counter[str]()
        for job_id in self.jobs:
            for undo in standing_updates(await undos.of(job_id)):
                # Several of the jobs may have changed the same records.
                by[undo.job.id] = min(by[undo.job.id] + undo.undone, undo.job.number_records_loaded)
        differing = self._file.differing or {}
        others = tuple(differing[row] for row in rows if row in differing)
        jobs = tuple(dict.fromkeys(shown_job_id(long_job_id(job_id)) for job_id in self.jobs))
        return DoneUndo(jobs, by, len(rows), others)

    async def check(self, rows: Sequence[int], to_job: str | None = None) -> tuple[Finding, ...]:
        """Check whether rows may be sent; return warnings about rows that are sent a second time.

        Args:
            rows: the numbers of the rows of the file to send, from 0, in their order.
            to_job: the id of the job that the rows are sent to; None if it does not exist yet.

        Raises:
            SentAgain: some of the rows were retried in another job.
            NoRecord: the ledger can't be read, or is not whole for the jobs of the rows.
        """
        if self._is_undo or self._is_of_ids:
            self._undone = await run_in_thread(_counts, self._file, rows)
        notes = [note async for note in self._redone()]
        if self._is_of_ids:
            notes += [note async for note in self._undone_before(_ids(to_job))]
        if not self._may_repeat:
            notes += await self._check_once(rows, to_job)
        return tuple(notes)

    async def _check_once(self, rows: Sequence[int], to_job: str | None) -> tuple[Finding, ...]:
        """Check whether rows of the file were retried before; see `check`."""
        self._rows = await run_in_thread(_retried_rows, self._file, rows)
        try:
            before = await self._ledger.earlier_retries(self._org.key, self._rows, _ids(to_job))
            to_jobs, from_jobs = (earlier.to_job for earlier in before), {row.from_job[:15] for row in self._rows}
            self._unloaded = await self._history.unloaded_jobs(to_jobs, from_jobs)
            if all(earlier.to_job in self._unloaded for earlier in before):
                await self._check_record_is_whole()
        except NoRecord as error:
            if not self._again:
                raise
            return (Finding("warning", f"{error}", GO_AGAIN),)
        elsewhere = [earlier for earlier in before if earlier.to_job not in self._unloaded]
        if not elsewhere:
            return ()
        if not self._again:
            raise await self._sent_again(elsewhere)
        return (Finding("warning", await self._report(elsewhere), GO_AGAIN),)

    async def record(self, to_job: str) -> tuple[Finding, ...]:
        """Record that a job retries the rows, before the rows are sent; return a warning where that can't be recorded.

        Raises:
            SentAgain: some of the rows were retried in another job meanwhile.
            NoRecord: the ledger can't be written.
        """
        notes = await self._record_rows(to_job) if self._rows else ()
        if self._undone and self._is_undo:
            await self._ledger.record_undo(self._org.key, to_job, self._undone)
        return notes

    async def _record_rows(self, to_job: str) -> tuple[Finding, ...]:
        ignored = None if self._again else self._unloaded | _ids(to_job)
        replaced = dict.fromkeys(self._unloaded, NOT_LOADED)
        try:
            before = await self._ledger.record_retry(
                self._org.key, self._rows, to_job, ignored_jobs=ignored, replaced_jobs=replaced
            )
        except NoRecord as error:
            if not self._again:
                raise
            logger.warning("rows go into job %s a second time without a record: %s", to_job, error)
            return (unrecorded(error),)
        if before:
            raise await self._sent_again(before)
        return ()

    async def _redone(self) -> AsyncIterator[Finding]:
        """Yield what the rows do to earlier jobs, where those that they undo undid or redid these."""
        undone = tuple(self._undone) if self._is_undo else ()
        does = await undo_or_redo_of(self._ledger, self._org, undone)
        if {job_id[:15] for job_id in does.jobs} != {job_id[:15] for job_id in undone}:
            again, did = ("", "undid") if does.is_redo else (" again", "redid")
            what = f"This {does}{again}, which {jobs_in_words(undone)} {did}."
            yield Finding("warning", what, "Make sure with the user that this is meant.")

    async def _undone_before(self, but_by: frozenset[str]) -> AsyncIterator[Finding]:
        """Yield a warning for each job of which other jobs have deleted records, or may still."""
        undos = Undos(JobReader(self._client), self._ledger, self._org)
        for from_job in self._undone:
            undone_by = [undo.job for undo in by_operation(await undos.of(from_job), DELETES)]
            others = [job for job in undone_by if job.id[:15] not in but_by]
            if others:
                jobs = ", ".join(f"{job.id} ({as_name(job.state)})" for job in others[:JOBS_TOLD])
                what = f"Ids of records that job {from_job} created went into a delete job before: {jobs}."
                yield Finding("warning", what, UNDONE)

    async def _check_record_is_whole(self) -> None:
        """Raise NoRecord where a job of the rows is older than the ledger, and an earlier ledger was lost."""
        whole_since = await self._ledger.whole_since()
        if not whole_since:
            return
        began = datetime.fromtimestamp(whole_since, UTC)
        for job_id in dict.fromkeys(row.from_job for row in self._rows):
            job = await self._client.get_job(job_id)
            if job.created_at is None or job.created_at < began + CLOCKS_DIFFER:
                raise NoRecord(
                    f"This server's record of rows sent again was lost and begins anew at {began:%Y-%m-%d %H:%M} UTC. Job "
                    f"{job_id} is older, so its rows may have been sent again before."
                )

    async def _sent_again(self, before: Sequence[EarlierRetry]) -> SentAgain:
        job = await self._history.job(before[0].to_job)
        message = f"{await self._report(before)} Nothing was sent now."
        return SentAgain(message, job.id if job else before[0].to_job, job.state if job else None)

    async def _report(self, before: Sequence[EarlierRetry]) -> str:
        jobs = [
            f"{earlier.count:,} of job {earlier.from_job} into job {shown_job_id(earlier.to_job)}"
            f"{_state_of(await self._history.job(earlier.to_job))}"
            for earlier in before[:3]
        ]
        more = f" and {len(before) - 3} jobs more" if len(before) > 3 else ""
        return f"Some of these rows were sent again before: {', '.join(jobs)}{more}.{_by_host(self._org)}"


def _check_object(jobs: Sequence[Job], request: RetryRequest, sobject: str | None, destination: Destination) -> None:
    """Raise InvalidArgument where jobs of another object are to be undone: the rows would all fail."""
    is_undo = BEFORE in request.which or ("created" in request.which and destination.operation in DELETES)
    if sobject is None or not is_undo or any(_is_of(job, sobject) for job in jobs):
        return
    raise InvalidArgument(
        f"Job {jobs[0].id} is of {as_name(jobs[0].object or '')}: a job of {as_name(sobject)} can't undo it. Make the job "
        "for the same object.",
        () if destination.is_made else ("body", "object"),
        jobs[0].object,
    )


def _is_of(job: Job, sobject: str) -> bool:
    """Return whether a job is of an object, as far as that is known; names of objects have no case."""
    return job.object is None or job.object.lower() == sobject.lower()


async def _is_header_alone(chunks: AsyncIterator[bytes]) -> bool:
    """Return whether a result has its header and no row."""
    text = b""
    async for chunk in chunks:
        text += chunk
        if b"\n" in text.strip():
            return False
    return bool(text.strip())


def _by_host(org: Org) -> str:
    """Return a sentence about what is not known where the login does not tell the organization, or nothing."""
    if org.organization_id is not None:
        return ""
    return (
        f" The login does not tell the organization, so only rows sent again under the host name {org.host} are known."
    )


def _state_of(job: Job | None) -> str:
    """Return the state of a job that retried rows, in brackets, with what to do; empty for a job that has ended."""
    if job is None:
        return " (which is gone, so it is not known whether it loaded them)"
    if job.state == "Open":
        return " (which is Open, so none are loaded yet: upload them there and close it, or abort it and call again)"
    return "" if job.is_terminal else f" (which is {as_name(job.state)}: wait for it)"


def _count(sent: Sequence[SentRows], rows: int) -> int:
    """Return how many of so many rows were retried for sure."""
    # The numbers of rows are those of one download; another may have the same rows in another order.
    of_downloads = defaultdict[tuple[str, str], int](int)
    for each in sent:
        if each.rows == ALL_ROWS:
            return rows
        of_downloads[each.result, each.sha256] |= int.from_bytes(each.rows, "little")
    most = Counter[str]()
    for (result, _), numbers in of_downloads.items():
        most[result] = max(most[result], numbers.bit_count())
    return min(most.total(), rows)


def _ids(job_id: str | None) -> frozenset[str]:
    return frozenset() if job_id is None else frozenset([job_id[:15]])


def _counts(file: RetryFile, rows: Sequence[int]) -> Counter[str]:
    """Return how many of some rows of the file are of each job; those that jobs share count for each of them."""
    counts = Counter({origin.from_job: len(of_origin) for origin, of_origin in file.by_origin(rows)})
    chosen = frozenset(rows) if file.shared else frozenset()
    for from_job, shared in file.shared.items():
        counts[from_job] += sum(row in chosen for row in shared)
    return +counts


def _retried_rows(file: RetryFile, rows: Sequence[int]) -> tuple[RetriedRows, ...]:
    """Return the origins of some rows of the file, by job and result."""
    return tuple(
        RetriedRows(origin.from_job, origin.result, origin.sha256, origin.bits(of_origin))
        for origin, of_origin in file.by_origin(rows)
        if of_origin
    )
