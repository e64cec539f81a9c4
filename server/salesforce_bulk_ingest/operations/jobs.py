"""The operations on jobs themselves: list, create, read, close, abort, delete."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal
from urllib.parse import urlencode

import anyio

from salesforce_bulk_ingest.base.errors import IngestError, RefusedByPolicy
from salesforce_bulk_ingest.operations.audit import Action, Write
from salesforce_bulk_ingest.operations.before_images import BeforeImages, Undoable
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.confirmation import NO_CONSENT, Consent
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.limits import seconds_left
from salesforce_bulk_ingest.operations.load_request import CreateRequest
from salesforce_bulk_ingest.operations.lost_create import create_job
from salesforce_bulk_ingest.operations.policy import UNDOING
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.operations.state_change import TargetState, change_state, is_reached
from salesforce_bulk_ingest.operations.undos import CREATING, GIVEN_BACK_BY, GIVING_BACK, LoadUndo, UndoOrRedo
from salesforce_bulk_ingest.operations.upload_once import AllParts, JobLoad, Uploads, UploadState
from salesforce_bulk_ingest.operations.waiting import Now, Report, Sleep, wait_until_terminal
from salesforce_bulk_ingest.operations.watching import JobWatch
from salesforce_bulk_ingest.results.pages import RetriedInJob
from salesforce_bulk_ingest.results.retry_request import NOT_LOADED
from salesforce_bulk_ingest.results.row_counts import RowAccounting
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Job, JobType
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES

NEWEST_SHOWN = 25

COUNTED_SHOWN = 10
"""The newest jobs of a listing that are read for their counters, which Salesforce's list lacks."""

COUNTERS_SECONDS = 10.0
"""The longest time that a listing waits for counters; jobs that are not read by then have none."""

MOST_FETCHED_ROWS = 50_000
"""The most rows of an upsert whose results are fetched for the answer about it, to learn which records are new."""

MOST_PARTS_READ = 50
"""The most parts of a load whose jobs are read for the answer about the last, to sum their counters."""

CANT_BE_UNDONE = "can't be undone"
"""What is said of the close of a job of which nothing better is known."""

WayToDelete = Literal["possible", "by ids", "refused"]
"""How the records that a job created can be deleted: by `rowsOf`, by ids alone since no results are kept, or not here."""


@dataclass(frozen=True, slots=True)
class JobListing:
    """The newest jobs of one page of the org's list.

    Attributes:
        org: the org that was asked.
        newest: at most 25 jobs, the newest first; the first ten may have counters.
        states: the number of jobs of the page in each state.
        on_page: the number of jobs on the page.
        query_locator: the locator of the next page, or None on the last page.
        user_id: the id of the caller's user; None where the login does not tell it, or it was not asked for.
    """

    org: Org
    newest: tuple[Job, ...]
    states: Mapping[str, int]
    on_page: int
    query_locator: str | None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job with its current state.

    Attributes:
        org: the org of the job.
        job: the job, with its state and counters.
        upload: the state of the upload to an open job; `unknown` for any other job.
        changed: for a close or an abort, whether this call changed the state; else None.
        accounting: where the rows of an ended job are; None where their number is not known on this machine.
        retried: where those of its rows went again that are not in the org; None where none did, or that is not known.
        load: what the rows of the job are; None where this machine knows of no upload to it.
        created: how many of the records of an insert or upsert are new; None where that is not known.
        way_to_delete: how the records that it created can be deleted; None where it created none, or nothing may be changed.
        deletes: the undo that deletes them; None like `way_to_delete`.
        gives_back: the undo that gives records back what they held, or inserts deleted ones again; None where that can't be.
        undoes: what it does to jobs that it undoes; None if it undoes none.
        undoable: for the close of a job that updates or deletes records, whether that can be undone; else None.
    """

    org: Org
    job: Job
    upload: UploadState = "unknown"
    changed: bool | None = None
    accounting: RowAccounting | None = None
    retried: RetriedInJob | None = None
    load: JobLoad | None = None
    created: int | None = None
    way_to_delete: WayToDelete | None = None
    deletes: LoadUndo | None = None
    gives_back: LoadUndo | None = None
    undoes: UndoOrRedo | None = None
    undoable: Undoable | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """The outcome of a delete.

    Attributes:
        org: the org of the job.
        deleted: whether this call deleted the job; false where no job has the id.
    """

    org: Org
    deleted: bool


class JobOperations:
    """The operations on jobs themselves.

    Args:
        client: the client of the org.
        rules: the operator's rules for changes.
        uploads: the uploads to jobs, as far as this server knows them.
        fetcher: removes the cached files of deleted jobs; None on a server that caches nothing.
        before_images: keeps what records hold before a close.
        retries: tells which rows of a job went again.
        sleep: pauses between two readings of a job.
        now: returns the time in seconds from any start, for the pace of a job.
        seconds_left: returns the seconds that the current call may still wait.

    Every method raises `SalesforceError` where Salesforce refuses the call or can't be reached, and `IngestError` where this
    server refuses the call.
    """

    def __init__(
        self,
        client: SalesforceClient,
        rules: ChangeRules,
        uploads: Uploads,
        fetcher: ResultFetcher | None,
        before_images: BeforeImages,
        retries: Retries,
        *,
        sleep: Sleep = anyio.sleep,
        now: Now = anyio.current_time,
        seconds_left: Callable[[], float] = seconds_left,
    ) -> None:
        self._client = client
        self._rules = rules
        self._uploads = uploads
        self._fetcher = fetcher
        self._before_images = before_images
        self._retries = retries
        self._sleep = sleep
        self._now = now
        self._seconds_left = seconds_left

    async def org(self) -> Org:
        """Return the org that the operations are made in."""
        return await self._client.org()

    async def list(
        self,
        *,
        pk_chunking: bool | None = None,
        job_type: JobType | None = None,
        query_locator: str | None = None,
        with_counters: bool = False,
    ) -> JobListing:
        """Return the newest jobs of one page of the org's list; with counters, the newest ten are read, too."""
        filters = {
            "isPkChunkingEnabled": None if pk_chunking is None else str(pk_chunking).lower(),
            "jobType": job_type,
            "queryLocator": query_locator,
        }
        org = await self._client.org()
        page = await self._client.list_jobs(urlencode({name: value for name, value in filters.items() if value}))
        newest = sorted(page.records, key=lambda job: job.created_date or "", reverse=True)[:NEWEST_SHOWN]
        identity = await self._client.identity() if with_counters else None
        if with_counters:
            newest[:COUNTED_SHOWN] = await self._with_counters(newest[:COUNTED_SHOWN])
        return JobListing(
            org=org,
            newest=tuple(newest),
            states=Counter(job.state for job in page.records),
            on_page=len(page.records),
            query_locator=page.query_locator,
            user_id=identity.user_id if identity else None,
        )

    async def _with_counters(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return jobs as they are now, read side by side; one that can't be read in time stays as it is in the list."""
        # Jobs of other types are not of this API, and an open job has no counters yet.
        counted = [job.id for job in jobs if job.job_type in (None, "V2Ingest") and job.state != "Open"]
        found = await self._read_side_by_side(counted)
        return [found.get(job.id, job) for job in jobs]

    async def _read_side_by_side(self, job_ids: Iterable[str]) -> dict[str, Job]:
        """Return jobs by the ids that were asked for, without those that can't be read in time."""
        found = dict[str, Job]()

        async def read(job_id: str) -> None:
            with suppress(SalesforceError, IngestError):
                found[job_id] = await self._client.get_job(job_id)

        with anyio.move_on_after(min(COUNTERS_SECONDS, self._seconds_left())):
            async with anyio.create_task_group() as reading:
                for job_id in job_ids:
                    reading.start_soon(read, job_id)
        return found

    async def check_write(self, action: Action) -> None:
        """Raise RefusedByPolicy where nothing may be changed, before the rest of the call is looked at."""
        async with self._rules.audit.of(Write(action=action)):
            self._rules.policy.check_write()

    async def note_refusal(self) -> None:
        """Note that the current caller, who may only read, asked for a change; the port answers the caller."""
        with suppress(RefusedByPolicy):
            await self.check_write("write")

    async def create(self, create: CreateRequest) -> JobStatus:
        """Make a job without rows.

        Raises:
            CreateUnanswered: the answer is lost, so a job may have been made.
        """
        write = Write(action="create", operation=create.operation, sobject=create.sobject)
        async with self._rules.audit.of(write) as audited:
            self._rules.policy.check_create(create.sobject, create.operation)
            self._rules.policy.check_recipe(is_by_recipe=False)
            org = await self._client.org()
            await audited.tried()
            job = await create_job(
                self._client, create.body(), lambda job: self._uploads.knows(org, job), self._seconds_left
            )
            audited.write = replace(write, job_id=job.id)
        return JobStatus(org, job)

    async def status(self, job_id: str, *, wait_seconds: float = 0, report: Report) -> JobStatus:
        """Return the status of the job: at once, or when the job has ended or `wait_seconds` are over."""
        job = await self._client.get_job(checked_job_id(job_id))
        org = await self._client.org()
        job = await self._wait(job, wait_seconds, report)
        upload = await self._uploads.state_of(org, job.id) if job.state == "Open" else "unknown"
        return await self._whole(JobStatus(org, job, upload))

    async def read(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return await self._client.get_job(checked_job_id(job_id))

    async def read_with_load(self, job_id: str) -> tuple[Job, JobLoad | None]:
        """Return the job as it is now, and what its rows are; None where this server knows of no upload to it."""
        job = await self.read(job_id)
        return job, await self._uploads.load_of(await self._client.org(), job.id)

    def watch(self, job_id: str) -> JobWatch:
        """Return what reads the job until it has ended, for those who listen."""
        read = partial(self._client.get_job, checked_job_id(job_id))
        return JobWatch(read, self._rows_sent, sleep=self._sleep, now=self._now)

    async def change_state(
        self,
        job_id: str,
        state: TargetState,
        *,
        consent: Consent = NO_CONSENT,
        without_undo: bool = False,
        wait_seconds: float = 0,
        report: Report,
    ) -> JobStatus:
        """Close or abort the job. A job for which there is nothing left to close or abort stays as it is.

        Before a close, what the records of its rows hold is read and kept, unless `without_undo` is given.

        Raises:
            ConfirmationNeeded: the operator wants a person to confirm the close.
            RecordsUnread: the org did not give what the records hold, so the job was not closed.
            ChangeUnanswered: the answer is lost, and it is not known whether the change took effect.
        """
        write = Write(action="close" if state == "UploadComplete" else "abort", job_id=checked_job_id(job_id))
        async with self._rules.audit.of(write) as audited:
            self._rules.policy.check_write()
            job = await self._client.get_job(job_id)
            org = await self._client.org()
            audited.write = Write.to(job, write.action)
            is_to_change = not is_reached(job, state)
            undoable = undoes = None
            if state == "UploadComplete":
                if is_to_change:
                    await self._uploads.check_closable(org, job.id)
                undoes = await self._undoes(org, job)
                foreseen = close_in_words(undoes, await self._foreseen(org, job, without=without_undo))
                await self._rules.close_guard.check(org, job, consent, audited, undo=foreseen)
                if is_to_change and not job.is_terminal:
                    undoable = await self._before_images.keep(
                        org, job, without=without_undo, seconds=self._seconds_left()
                    )
            changed = False
            if is_to_change:
                await audited.tried()
                job, changed = await change_state(self._client, job, state, self._seconds_left)
        try:
            job = await self._wait(job, wait_seconds, report)
        except SalesforceError:
            # The change took effect, and the caller must hear of it even where the job can't be read afterwards.
            if not changed:
                raise
        return await self._whole(JobStatus(org, job, changed=changed, undoes=undoes, undoable=undoable))

    async def delete(self, job_id: str) -> Deletion:
        """Delete the job in the org, and its cached files and its upload record on this machine; how it ended is kept."""
        async with self._rules.audit.of(Write(action="delete", job_id=checked_job_id(job_id))) as audited:
            self._rules.policy.check_write()
            org = await self._client.org()
            try:
                job = await self._client.get_job(job_id)
                audited.write = Write.to(job, "delete")
                if job.is_terminal:
                    await self._uploads.record_end(org, job)
                await audited.tried()
                await self._client.delete_job(job_id)
            except NotFound as error:
                audited.answered(error.status)
                return Deletion(org, deleted=False)
        await self._uploads.forget(org, job_id)
        if self._fetcher is not None:
            await self._fetcher.forget(org, job_id)
        return Deletion(org, deleted=True)

    async def _whole(self, status: JobStatus) -> JobStatus:
        """Return the status with what this machine knows of the job's rows."""
        org, job = status.org, status.job
        load = await self._uploads.load_of(org, job.id)
        parts = await self._jobs_of_parts(org, job, load)
        if load is not None and load.part is not None and parts:
            load = replace(load, all_parts=_all_parts(parts, load.part.of))
        # An undo takes the jobs of all parts, of which the last one tells, also where it has no row in the org itself.
        loaded = [each for each in parts.values() or [job] if _has_loaded(each)]
        way_to_delete = await self._way_to_delete_all(org, job, loaded)
        gives_back = await self._with_image(org, job, loaded)
        undos = await self._uploads.undos_of(org, loaded) if way_to_delete or gives_back else {}
        accounting = await self._accounting(org, job)
        return replace(
            status,
            load=load,
            accounting=accounting,
            retried=await self._retried(org, job, accounting),
            created=await self._created(org, job),
            way_to_delete=way_to_delete,
            deletes=LoadUndo.of(loaded, undos, DELETES) if way_to_delete else None,
            undoes=status.undoes or await self._uploads.undo_or_redo_by(org, job.id),
            gives_back=LoadUndo.of(gives_back, undos, GIVING_BACK) if gives_back else None,
        )

    async def _with_image(self, org: Org, job: Job, loaded: Sequence[Job]) -> Sequence[Job]:
        """Return those of some jobs, of one load, of which another job of this caller can give back what records held."""
        try:
            self._rules.policy.check_create(job.object, GIVEN_BACK_BY.get(job.operation or ""))
        except RefusedByPolicy:
            return []
        return [each for each in loaded if await self._before_images.has_image(org, each)]

    async def _jobs_of_parts(self, org: Org, job: Job, load: JobLoad | None) -> dict[int, Job]:
        """Return the jobs of all parts of a load, as far as known, by number, the last one being this; none of another job.

        Parts that are too many to read are none, and so is a load of one part.
        """
        part = None if load is None else load.part
        if part is None or not job.is_terminal or part.number < part.of or not 1 < part.of <= MOST_PARTS_READ:
            return {}
        job_ids = await self._uploads.jobs_of_other_parts(org, job.id)
        read = await self._read_side_by_side(job_ids.values())
        # The same rows may have gone into jobs of another kind.
        found = {number: read[job_id] for number, job_id in job_ids.items() if job_id in read} | {part.of: job}
        return {number: each for number, each in sorted(found.items()) if _counts_with(each, job)}

    async def _created(self, org: Org, job: Job) -> int | None:
        """Return how many records a job created that has ended; None for a large upsert, or if that is not known."""
        if not job.is_terminal or job.operation not in CREATING or job.number_records_loaded <= 0:
            return None
        if job.operation == "insert":
            return job.number_records_loaded
        if self._fetcher is None or job.number_records_loaded > MOST_FETCHED_ROWS:
            return None
        return await self._fetcher.created(org, job, self._seconds_left())

    async def _way_to_delete_all(self, org: Org, job: Job, loaded: Sequence[Job]) -> WayToDelete | None:
        """Return how what jobs of one load created can be deleted; None if they created none, or nothing may be changed."""
        if job.operation not in CREATING or job.object is None or not loaded:
            return None
        way = await self._way_to_delete(org, job)
        # Ids are those of one job.
        return way if way != "by ids" or job in loaded else None

    async def _way_to_delete(self, org: Org, job: Job) -> WayToDelete | None:
        """Return how records that the job created, or will create, can be deleted; None where nothing may be changed."""
        try:
            self._rules.policy.check_write()
        except RefusedByPolicy:
            return None
        # An undo goes by rowsOf, which takes results that are kept.
        is_own = self._fetcher is not None and await self._uploads.record_of(org, job.id) is not None
        try:
            self._rules.policy.check_create(job.object, UNDOING, is_undo=is_own)
            self._rules.policy.check_recipe(is_by_recipe=False)
        except RefusedByPolicy:
            return "refused"
        return "by ids" if self._fetcher is None else "possible"

    async def _undoes(self, org: Org, job: Job) -> UndoOrRedo | None:
        """Return what the job does to those that it undoes, of a single one for how many records; None if it undoes none."""
        undoes = await self._uploads.undo_or_redo_by(org, job.id)
        undone = await self._uploads.jobs_undone_by(org, job.id)
        if undoes is None or len(undone) != 1:
            return undoes
        [(job_id, rows)] = undone.items()
        # A close says so much of its undo; it does not fail for want of it.
        with suppress(SalesforceError, IngestError):
            other = await self._client.get_job(job_id)
            of = records_written(other, await self._created(org, other), are_new=job.operation in DELETES)
            return replace(undoes, part=(rows, of)) if of is not None and rows < of else undoes
        return undoes

    async def _foreseen(self, org: Org, job: Job, *, without: bool) -> Undoable | str:
        """Return whether the job can be undone once it is closed; an empty text for one that can't be for sure."""
        undoable: Undoable | str | None = await self._before_images.foreseen(org, job, without=without)
        if undoable is None:
            is_deletable = job.operation == "insert" and await self._way_to_delete(org, job) in ("possible", "by ids")
            undoable = "can be undone by deleting what it creates" if is_deletable else ""
        return undoable

    async def _retried(self, org: Org, job: Job, accounting: RowAccounting | None) -> RetriedInJob | None:
        """Return where rows of the job went again that are not in the org; None where none did, or that is not known."""
        counts = None if accounting is None else accounting.counts
        if counts is not None:
            left = counts.sent - counts.successful
        else:
            left = job.number_records_failed or 0 if job.state == "JobComplete" else 0
        return await self._retries.of_rows(org, job, NOT_LOADED, left) if left and job.is_terminal else None

    async def _accounting(self, org: Org, job: Job) -> RowAccounting | None:
        return None if self._fetcher is None else await self._fetcher.accounting(org, job, self._seconds_left())

    async def _rows_sent(self, job: Job) -> int | None:
        """Return the number of rows that were sent to the job; None where that is not known on this machine."""
        upload = await self._uploads.record_of(await self._client.org(), job.id)
        return None if upload is None else upload.rows

    async def _wait(self, job: Job, seconds: float, report: Report) -> Job:
        if not seconds or job.is_terminal:
            return job
        return await wait_until_terminal(
            job,
            partial(self._client.get_job, job.id),
            report,
            min(seconds, self._seconds_left()),
            rows=await self._rows_sent(job),
            sleep=self._sleep,
            now=self._now,
        )


def records_written(job: Job, created: int | None, *, are_new: bool) -> int | None:
    """Return the number of records that a job created, or that it updated or deleted; None where that is not known.

    Args:
        job: the job.
        created: the number of records that it created; None where that is not known.
        are_new: whether those that it created are meant.
    """
    if job.operation != "upsert":
        return job.number_records_loaded
    if created is None:
        return None
    return created if are_new else job.number_records_loaded - created


def close_in_words(undoes: UndoOrRedo | None, undoable: Undoable | str) -> str:
    """Return what a job undoes, and whether it can be undone once it is closed, as the rest of a sentence."""
    return str(undoable) if undoes is None else f"{undoes}; that {undoable or CANT_BE_UNDONE}"


def _counts_with(other: Job, job: Job) -> bool:
    """Return whether a job with the same rows is of the same load, and tells what became of its part."""
    is_told = not other.is_terminal or other.number_records_processed is not None
    return is_told and (other.object, other.operation) == (job.object, job.operation)


def _has_loaded(job: Job) -> bool:
    """Return whether a job has ended, and rows of it are in the org."""
    return job.is_terminal and job.number_records_loaded > 0


def _all_parts(jobs: Mapping[int, Job], parts: int) -> AllParts:
    """Return what became of the rows of all parts of a load, by the jobs of those that are known."""
    ended = [each for each in jobs.values() if each.is_terminal]
    return AllParts(
        loaded=sum(each.number_records_loaded for each in ended),
        failed=sum(each.number_records_failed or 0 for each in ended),
        running=tuple(number for number, each in jobs.items() if not each.is_terminal),
        unknown=tuple(number for number in range(1, parts + 1) if number not in jobs),
    )
