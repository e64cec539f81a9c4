"""The same rows a second time: which earlier jobs have rows that are to be sent, so that no insert doubles them unasked."""

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import InvalidArgument, LoadedBefore, NoRecord, StorageFailure
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.load_records import EarlierLoad, LoadRecord
from salesforce_bulk_ingest.loading.mapped_source import open_upload_source
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import make_plan
from salesforce_bulk_ingest.loading.row_sketch import KnownRows, RowSketch
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.job_reader import JobReader
from salesforce_bulk_ingest.operations.undos import UndoJob, Undos, by_operation, is_undone, standing_update
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.job_ids import shown_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES, Destination

logger = logging.getLogger(__name__)

MOST_JOBS = 20
"""The most earlier jobs that Salesforce is asked about for one load, those with the most of its rows first."""

JOBS_TOLD = 3

IF_MEANT = "Go on if that is meant, as with a file that comes again; else leave the rows out with leaveOut."
REFUSED = (
    "They will be refused: send the other rows alone, or give loadAgain: true if the user wants these a second time."
)
GO_AGAIN = "They go a second time, as was asked."


@dataclass(frozen=True, slots=True)
class JobWithRows:
    """An earlier job that loaded, or may still load, rows of a load.

    Attributes:
        job_id: the id of the job.
        job: the job; None if it is gone from Salesforce.
        sketch: the sketch of those rows of the job that are in the org, or may still get there.
        known: how many of the rows of the load it has.
        undone_by: the job that gave records back what they held before it; None if none did.
    """

    job_id: str
    job: Job | None
    sketch: RowSketch
    known: KnownRows
    undone_by: UndoJob | None = None

    def __str__(self) -> str:
        undo = self.undone_by
        undone = f"; job {undo.job.id} undid that for {counted(undo.undone, 'record')}" if undo else ""
        return f"job {shown_job_id(self.job_id)} ({_state_of(self.job)}{undone})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A load compared with earlier ones.

    Attributes:
        known: how many of the rows earlier jobs have.
        jobs: these jobs, the job with the most rows first.
        last_load: the number of the last upload that was recorded then; the load was compared with those up to it.
        left_out: the ids, of 15 characters, of the jobs that it was not compared with.
        failure: why the record can't be used; None if it was used.
    """

    known: KnownRows
    jobs: tuple[JobWithRows, ...] = ()
    last_load: int = 0
    left_out: frozenset[str] = frozenset()
    failure: str | None = None


class EarlierLoads:
    """The uploads of earlier jobs, by the rows that they have.

    Args:
        client: the client of the org.
        fetcher: fetches the rows that earlier jobs did not load; None on a server that caches no results.
        ledger: the record of uploads.
        tasks: compares rows; equal calls share the work.
        kept_seconds: how long the rows of an upload are remembered.
        now: the clock, in seconds since 1970.
    """

    def __init__(
        self,
        client: SalesforceClient,
        fetcher: ResultFetcher | None,
        ledger: Ledger,
        tasks: SharedTasks,
        *,
        kept_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._fetcher = fetcher
        self._ledger = ledger
        self._tasks = tasks
        self._kept_seconds = kept_seconds
        self._now = now

    def compare(
        self, org: Org, load: LoadRecord, to_job: str | None, from_jobs: Collection[str] = ()
    ) -> SharedTask[Comparison]:
        """Return the task that compares rows with those of earlier jobs.

        Args:
            org: the org of the jobs.
            load: the rows.
            to_job: the id of the job that the rows go to, which is left out; None if it does not exist yet.
            from_jobs: the ids of the jobs whose rows are retried. They are left out, with the jobs whose rows these jobs
                retried in turn: there the rows failed, or were not tried.
        """
        rows = hashlib.sha256(load.sketch.to_bytes()).digest()
        ids = frozenset(job_id[:15] for job_id in [*from_jobs, *([to_job] if to_job else ())])
        key = ("earlier loads", org.key, load.operation, load.columns, rows, ids)
        return self._tasks.start(key, lambda _: self._compare(org, load, ids))

    async def record(
        self, org: Org, load: LoadRecord, to_job: str, comparison: Comparison | None
    ) -> tuple[Finding, ...]:
        """Record that a job gets rows, before they are sent; return a warning where that can't be recorded.

        Args:
            org: the org of the job.
            load: the rows.
            to_job: the id of the job.
            comparison: what the rows were compared with; None if they may go into any number of jobs.

        Raises:
            LoadedBefore: another call has sent at least half of the rows to another job meanwhile.
        """
        now = self._now()
        try:
            meanwhile = await self._ledger.record_load(
                org.key,
                to_job,
                load,
                now=now,
                since=now - self._kept_seconds,
                after=comparison.last_load if comparison else None,
                ignored_jobs={*(comparison.left_out if comparison else ()), to_job[:15]},
            )
        except NoRecord as error:
            logger.warning("rows go into job %s without a record: %s", to_job, error)
            return (unrecorded(error),)
        if meanwhile is not None:
            job = await JobReader(self._client).find(meanwhile.job_id)
            found = JobWithRows(meanwhile.job_id, job, meanwhile.sketch, meanwhile.known)
            raise loaded_before(Comparison(meanwhile.known, (found,)))
        return ()

    async def _compare(self, org: Org, load: LoadRecord, left_out: frozenset[str]) -> Comparison:
        try:
            left_out = await self._ledger.with_retried_jobs(org.key, left_out)
            last_load, earlier = await self._ledger.earlier_loads(
                org.key, load, since=self._now() - self._kept_seconds, ignored_jobs=left_out
            )
        except NoRecord as error:
            return Comparison(load.sketch.known_in([]), left_out=left_out, failure=str(error))
        found, jobs = list[JobWithRows](), JobReader(self._client)
        known = load.sketch.known_in([])
        for upload in sorted(earlier, key=lambda upload: upload.known.count, reverse=True)[:MOST_JOBS]:
            job = await self._job_with_rows(org, load, upload, jobs)
            if job is not None:
                found.append(job)
                known = load.sketch.known_in([job.sketch for job in found])
                if known.count >= known.of:
                    break
        return Comparison(known, tuple(found), last_load, left_out)

    async def _job_with_rows(
        self, org: Org, load: LoadRecord, upload: EarlierLoad, jobs: JobReader
    ) -> JobWithRows | None:
        """Return the job of an earlier upload, or None if it has none of the rows in the org, and never will."""
        job = await jobs.find(upload.job_id)
        undos = () if job is None else await Undos(jobs, self._ledger, org).of(job.id)
        sketch = upload.sketch
        if job is None and await self._is_known_to_be_empty(org, upload.job_id):
            return None
        if job is not None and job.is_terminal:
            if job.number_records_loaded <= 0:
                return None
            if is_undone(job, by_operation(undos, DELETES)):
                return None
            if job.number_records_loaded < sketch.rows:
                sketch = sketch.without(await self._not_loaded(org, job))
        known = load.sketch.known_in([sketch])
        if not known.count:
            return None
        return JobWithRows(job.id if job else upload.job_id, job, sketch, known, standing_update(undos))

    async def _is_known_to_be_empty(self, org: Org, job_id: str) -> bool:
        """Return whether a job that is gone was deleted through these tools after it had ended without trying a row."""
        ended = await self._ledger.ended_job(org.key, job_id)
        return ended is not None and ended.is_terminal and ended.number_records_processed == 0

    async def _not_loaded(self, org: Org, job: Job) -> RowSketch:
        """Return the sketch of the rows that an ended job did not load; empty if these can't be known."""
        if self._fetcher is None:
            return RowSketch()
        request = RetryRequest((job.id,), ("failed", "unprocessed", "missing"))
        try:
            file = await self._fetcher.retry_file(org, [job], request, Destination.of_job(job)).finished()
            return await run_in_thread(_sketch_of, file, Destination.of_job(job))
        except (InvalidArgument, UnexpectedAnswer, StorageFailure) as error:
            logger.warning("which rows of job %s are not in the org is not known: %s", job.id, error)
            return RowSketch()


@dataclass(frozen=True, slots=True)
class NewLoad:
    """Rows that are to be sent: compare them, judge what is found, and record them before they go.

    Attributes:
        org: the org of the job.
        rows: the rows.
        earlier: the uploads of earlier jobs.
        load_again: whether rows that went before may go again.
        from_jobs: the ids of the jobs whose rows are retried; none for rows from elsewhere.
    """

    org: Org
    rows: LoadRecord
    earlier: EarlierLoads
    load_again: bool
    from_jobs: tuple[str, ...] = ()

    def compare(self, to_job: str | None) -> SharedTask[Comparison]:
        """Return the task that compares the rows with those of earlier jobs; see `EarlierLoads.compare`."""
        if not self._is_judged:
            return SharedTask.ended(Comparison(self.rows.sketch.known_in([])))
        return self.earlier.compare(self.org, self.rows, to_job, self.from_jobs)

    def judge(self, comparison: Comparison, *, dry_run: bool = False) -> tuple[Finding, ...]:
        """Return what the comparison found as warnings.

        Raises:
            LoadedBefore: an insert would load at least half of the rows a second time, and it is no dry run.
        """
        if comparison.failure is not None:
            # A retry needs the record before, and has told what is wrong with it.
            return () if self.from_jobs else (Finding("warning", comparison.failure, IF_MEANT),)
        if not comparison.jobs:
            return ()
        refusal = self.refusal(comparison)
        if refusal is None:
            return (Finding("warning", _report(comparison), GO_AGAIN if self.load_again else IF_MEANT),)
        if not dry_run:
            raise refusal
        return (Finding("warning", _report(comparison), REFUSED),)

    def refusal(self, comparison: Comparison) -> LoadedBefore | None:
        """Return why the rows are refused: an insert would load at least half of them a second time. None if they may go."""
        is_refused = self._is_insert and comparison.jobs and comparison.known.are_half and not self.load_again
        return loaded_before(comparison) if is_refused else None

    async def record(self, to_job: str, comparison: Comparison) -> tuple[Finding, ...]:
        """Record the rows; see `EarlierLoads.record`."""
        may_repeat = self.load_again or not self._is_insert
        return await self.earlier.record(self.org, self.rows, to_job, None if may_repeat else comparison)

    @property
    def _is_insert(self) -> bool:
        return self.rows.operation == "insert"

    @property
    def _is_judged(self) -> bool:
        """Whether rows that went before are told: a retry has a record of its own, so that only its inserts are judged."""
        return self._is_insert or not self.from_jobs


def unrecorded(error: NoRecord) -> Finding:
    """Return the warning that rows go without a record, so that nothing will know them again."""
    what = f"These rows go without a record of it, so they are not refused when they come a second time: {error.cause}"
    return Finding("warning", what, "Don't send them again unless their job shows that they are not in the org.")


def columns_of(sobject: str, header: Sequence[str]) -> str:
    """Return a text that is equal for rows of one object with the same columns, in any spelling of their names."""
    return hashlib.sha256("\n".join([sobject, *header]).lower().encode("utf-8", "surrogatepass")).hexdigest()


def loaded_before(comparison: Comparison) -> LoadedBefore:
    """Return the error that rows went before."""
    first = comparison.jobs[0]
    state = None if first.job is None else first.job.state
    return LoadedBefore(f"{_report(comparison)} Nothing was sent now.", first.job_id, state)


def _report(comparison: Comparison) -> str:
    """Return a sentence about the rows that went before."""
    what = str(comparison.known).capitalize()
    if len(comparison.jobs) == 1:
        return f"{what} went into {comparison.jobs[0]} before."
    jobs = [f"{job.known.count:,} into {job}" for job in comparison.jobs[:JOBS_TOLD]]
    more = f" and {len(comparison.jobs) - JOBS_TOLD} jobs more" if len(comparison.jobs) > JOBS_TOLD else ""
    return f"{what} went before, {', '.join(jobs)}{more}."


def _state_of(job: Job | None) -> str:
    """Return the state of a job that has rows, with what to do about a job that has not ended."""
    if job is None:
        return "gone from Salesforce, so what became of them is not known"
    if job.state == "Open":
        return "Open, so none are loaded yet: close it to load them, or abort it"
    return as_name(job.state) if job.is_terminal else f"{as_name(job.state)}: wait for it"


def _sketch_of(file: RetryFile, destination: Destination) -> RowSketch:
    with open_upload_source(file.source, ColumnMapping(), destination) as upload:
        plan = make_plan(upload, destination, preflight=False)
    return plan.sketch_of(None) or RowSketch()
