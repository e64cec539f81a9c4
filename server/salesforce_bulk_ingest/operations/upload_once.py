"""Uploading rows to a job once: equal uploads are joined or skipped, and any other second upload is refused."""

import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import anyio

from salesforce_bulk_ingest.base.errors import (
    IngestError,
    InvalidArgument,
    NoRecord,
    StorageFailure,
    UploadConflict,
    UploadUnclear,
    UploadUnderWay,
    WentBefore,
)
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.job_files import JobFiles, JobKey
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord, UploadRecordState
from salesforce_bulk_ingest.cache.load_parts import LoadOrigin, LoadPart
from salesforce_bulk_ingest.cache.upload_archiver import ArchivedContent
from salesforce_bulk_ingest.loading.by_record import LeftOutLines
from salesforce_bulk_ingest.loading.parts import PartContent
from salesforce_bulk_ingest.operations.audit import Audit, Write
from salesforce_bulk_ingest.operations.earlier_loads import unrecorded
from salesforce_bulk_ingest.operations.job_reader import JobReader
from salesforce_bulk_ingest.operations.undos import UndoJob, UndoOrRedo, Undos, is_being_undone, undo_or_redo_by
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError, Unreachable, WrongState
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.retries import may_have_happened

logger = logging.getLogger(__name__)

UNKNOWN_DIGEST = ""
"""Recorded in place of the SHA-256 of rows that streamed through the gateway and could not be counted."""

UNCOUNTED = UploadRecord("sent", UNKNOWN_DIGEST, 0)
"""The record of an upload through the gateway whose rows could not be counted."""

MOST_REMEMBERED = 10_000

UploadState = Literal["unknown", "under way", "unclear", "taken"]
"""What this server knows of a job's upload; another server may have sent rows without the knowledge of this server."""


@dataclass(frozen=True, slots=True)
class AllParts:
    """What became of the rows of a load whose parts each had a job; rows that were sent again count in no part.

    Attributes:
        loaded: the number of rows in the org, of the parts that have ended.
        failed: the number of rows that failed.
        running: the numbers of the parts whose jobs have not ended.
        unknown: the numbers of the parts of which no job is known, or none any more.
    """

    loaded: int
    failed: int
    running: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class JobLoad:
    """What this server knows of the rows of a job.

    Attributes:
        rows: the number of rows that were sent to it, or are on their way; None where they were not counted.
        part: what they are of the rows of their load; None where that is not known.
        next_job: the id, of 15 characters, of the job that got the next part; None if there is no such job.
        all_parts: for the last part, what became of the rows of all parts; None where that was not looked up.
        columns: the names of the columns that were sent; None where they are not known.
        skipped_part: the number of the first part before this one that no job is known to have; None if there is none.
    """

    rows: int | None
    part: LoadPart | None = None
    next_job: str | None = None
    all_parts: AllParts | None = None
    columns: tuple[str, ...] | None = None
    skipped_part: int | None = None


class Content(Protocol):
    """The bytes of an upload, which can be read as often as needed; reading may block."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes."""
        ...

    @property
    def rows(self) -> int:
        """The number of rows, without the header."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        ...

    def __iter__(self) -> Generator[bytes, None, None]:
        """Read the bytes in chunks, from the start."""
        ...


@dataclass(frozen=True, slots=True)
class UploadStream:
    """The body of an upload's request; a second iteration, after a refused session, begins anew.

    Attributes:
        content: the bytes to send.
        task: the task of the upload, whose `done_bytes` counts what was sent.
    """

    content: Content
    task: SharedTask[None]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.task.done_bytes = 0
        chunks = iter(self.content)
        try:
            while chunk := await run_in_thread(next, chunks, b""):
                yield chunk
                self.task.done_bytes += len(chunk)
        finally:
            chunks.close()


class Uploads:
    """The uploads to the jobs of an org, each of which takes rows once.

    Args:
        client: sends the rows.
        ledger: the record of earlier uploads.
        audit: notes each upload.
        tasks: runs the uploads; the end of the server breaks a PUT off, so that Salesforce does not take it for whole.
        job_files: archives uploads; None on a server that caches nothing.
    """

    def __init__(
        self,
        client: SalesforceClient,
        ledger: Ledger,
        audit: Audit,
        tasks: SharedTasks,
        job_files: JobFiles | None = None,
    ) -> None:
        self._client = client
        self._audit = audit
        self._ledger = ledger
        self._job_files = job_files
        self._tasks = tasks
        self._starting = anyio.Lock()
        self._sending: dict[str, str] = {}  # job id of 15 characters -> SHA-256 of its upload
        self._passing: Counter[str] = Counter()
        # By job id of 15 characters: how many uploads to the job are not under way any more.
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._sent_here: OrderedDict[tuple[str, str], UploadRecord] = OrderedDict()
        self._notes: OrderedDict[tuple[str, str], tuple[Finding, ...]] = OrderedDict()

    async def state_of(self, org: Org, job_id: str) -> UploadState:
        """Return what this server knows of the upload to a job."""
        while True:
            ended = self._ended.get(job_id[:15])
            earlier = await self._known(org, job_id)
            # Only after the record is read: else an upload that begins meanwhile would pass for an upload that was cut off.
            if job_id[:15] in self._sending or job_id[:15] in self._passing:
                return "under way"
            if ended == self._ended.get(job_id[:15]):
                break
            # The upload has ended meanwhile, so the record may be from before: as if the upload had been cut off.
        if earlier is None:
            return "unknown"
        return "taken" if earlier.state == "sent" else "unclear"

    async def record_of(self, org: Org, job_id: str) -> UploadRecord | None:
        """Return the record of an upload that Salesforce has taken; None if this server knows of none."""
        known = await self._known(org, job_id)
        return known if known is not None and known.state == "sent" else None

    async def are_of_own_jobs(self, org: Org, origin: LoadOrigin | None) -> bool:
        """Return whether rows are ids of records that jobs created whose rows this server sent, and nothing else."""
        jobs = () if origin is None else origin.created_by
        return bool(jobs) and all([await self.record_of(org, job_id) is not None for job_id in jobs])

    async def load_of(self, org: Org, job_id: str) -> JobLoad | None:
        """Return what a job's rows are, as far as this server knows; None if it knows of no upload to the job."""
        known = await self._known(org, job_id)
        if known is None:
            return None
        part = known.part
        load = JobLoad(known.rows, part, columns=known.columns)
        if part is None or part.of == 1:
            return load
        next_job = await self._ledger.next_job(org.key, job_id)
        others = await self._ledger.jobs_of_other_parts(org.key, job_id)
        skipped = next((number for number in range(1, part.number) if number not in others), None)
        return replace(load, next_job=next_job, skipped_part=skipped)

    async def jobs_of_other_parts(self, org: Org, job_id: str) -> dict[int, str]:
        """Return the ids of the jobs with the other parts of a job's load, by the number of the part, as far as known."""
        return await self._ledger.jobs_of_other_parts(org.key, job_id)

    async def look_of(self, org: Org, job_id: str, rows: str) -> LeftOutLines | None:
        """Return which of these rows a look at the org left out of a job; None if the job is not known to have others."""
        return await self._ledger.look_of(org.key, job_id, rows)

    async def record_look(self, org: Org, job_id: str, rows: str, found: LeftOutLines) -> None:
        """Record which rows a look at the org left out of a job, before the others are sent to it."""
        await self._ledger.record_look(org.key, job_id, rows, found)

    async def knows(self, org: Org, job: Job) -> bool:
        """Return whether rows were sent to the job, or are on their way to it, as far as this server knows."""
        return await self.state_of(org, job.id) != "unknown"

    async def undos_of(self, org: Org, jobs: Sequence[Job]) -> Mapping[str, tuple[UndoJob, ...]]:
        """Return the jobs that undid some jobs, or may still, by the ids of these, as far as this server knows."""
        undos = Undos(JobReader(self._client), self._ledger, org)
        return {job.id: await undos.of(job.id) for job in jobs}

    async def undo_or_redo_by(self, org: Org, job_id: str) -> UndoOrRedo | None:
        """Return what a job does to those that it undoes, as far as this server knows; None if it undoes none."""
        return await undo_or_redo_by(self._ledger, org, job_id)

    async def jobs_undone_by(self, org: Org, job_id: str) -> Mapping[str, int]:
        """Return the ids of the jobs that a job undoes, each with the number of its records, as far as this server knows."""
        return await self._ledger.jobs_undone_by(org.key, job_id)

    async def is_being_undone(self, org: Org, job: Job) -> bool:
        """Return whether some of what the job did is undone, or may be still, as far as this server knows."""
        return is_being_undone((await self.undos_of(org, [job]))[job.id])

    async def check_closable(self, org: Org, job_id: str) -> None:
        """Raise UploadConflict while rows are on their way to the job, or where it is unclear whether they arrived."""
        state = await self.state_of(org, job_id)
        if state == "under way":
            raise UploadUnderWay("The upload to this job is still under way, so it is not closed yet.")
        if state == "unclear":
            raise _cut_off()

    def archived(self, org: Org, job: Job, content: PartContent) -> Content:
        """Return content that is archived while it is sent, so that its rows can be retried as they were uploaded."""
        if self._job_files is None:
            return content
        return self._job_files.archived(JobKey.of(org.key, job), content)

    async def begin(
        self,
        org: Org,
        job: Job,
        content: Content,
        before_sending: Callable[[], Awaitable[tuple[Finding, ...]]] | None = None,
        part: LoadPart | None = None,
    ) -> SharedTask[None] | None:
        """Send the rows in the background, or join the upload that sends them already.

        Args:
            org: the org of the job.
            job: the job that the rows go to.
            content: the rows.
            before_sending: called once the job is reserved for these rows; what it raises ends the upload, and what it
                returns is among the notes of the upload.
            part: what the rows are of the rows of their load; None where that is not known.

        Returns:
            The task of the upload, or None if Salesforce has these rows already.

        Raises:
            UploadConflict: the job has other rows, or an earlier upload was cut off.
            WrongState: the job takes no rows any more.
        """
        # One call at a time: two calls must not both find no upload and both send their rows.
        async with self._starting:
            running: SharedTask[None] | None = self._tasks.find(_key(org, job.id))
            if running is not None:
                _check_same(job, self._sending[job.id[:15]], content)
                return running
            if job.id[:15] in self._passing:
                raise UploadUnderWay("Rows are on their way to this job through /v1, and Salesforce takes rows once.")
            earlier = await self._earlier(org, job, content, part)
            if earlier is not None:
                _check_repeat(job, earlier, content)
                return None
            if before_sending is not None:
                await self._prepare(org, job.id, before_sending)
            self._sending[job.id[:15]] = content.sha256
            return self._tasks.start(_key(org, job.id), lambda task: self._send(org, job, content, part, task))

    def notes_of(self, org: Org, job_id: str) -> tuple[Finding, ...]:
        """Return the warnings about what this server could not record or keep of the upload to a job."""
        return self._notes.get((org.key, job_id[:15]), ())

    @asynccontextmanager
    async def passing(self, org: Org | None, job_id: str) -> AsyncIterator[Callable[[UploadRecord], Awaitable[None]]]:
        """Mark the job while the gateway streams rows to it; yield a function that records them once Salesforce took them.

        Without an org, the upload is not recorded. Where the org has taken other rows before, only that is.
        """
        job = job_id[:15]

        async def record_upload(upload: UploadRecord) -> None:
            if org is not None:
                earlier = await self._known(org, job_id)
                is_only = earlier is None or earlier.sha256 == upload.sha256
                await self._remember(org, job_id, upload if is_only else UNCOUNTED)

        self._passing[job] += 1
        try:
            yield record_upload
        finally:
            self._passing -= Counter({job: 1})  # in-place subtraction drops a count of zero
            self._count_ended(job)

    async def record_end(self, org: Org, job: Job) -> None:
        """Record how a job has ended that is to be deleted: whether its rows may be retried depends on it."""
        await self._ledger.record_end(org.key, job)

    async def forget(self, org: Org, job_id: str) -> None:
        """Remove the record of the upload to a job that was deleted."""
        self._sent_here.pop((org.key, job_id[:15]), None)
        self._notes.pop((org.key, job_id[:15]), None)
        await self._ledger.forget(org.key, job_id)

    async def _earlier(self, org: Org, job: Job, content: Content, part: LoadPart | None) -> UploadRecord | None:
        """Return the record of an earlier upload to the job; if there is none, reserve the job for this upload.

        Raises:
            WrongState: there is no earlier upload, and the job takes no rows any more.
        """
        known = self._sent_here.get((org.key, job.id[:15]))
        if known is not None:
            return known
        if job.state == "Open":
            try:
                return await self._ledger.claim(org.key, job.id, _recorded("sending", content, part))
            except NoRecord as error:
                self._note(org, job.id, unrecorded(error))
                return None
        found = await self._ledger.find(org.key, job.id)
        if found is None:
            raise _closed(job)
        return found

    def _note(self, org: Org, job_id: str, *notes: Finding) -> None:
        """Add warnings to those about the upload to a job, each once."""
        key = org.key, job_id[:15]
        known = self._notes.get(key, ())
        self._notes[key] = (*known, *(note for note in notes if note not in known))
        if len(self._notes) > MOST_REMEMBERED:
            self._notes.popitem(last=False)

    async def _prepare(
        self, org: Org, job_id: str, before_sending: Callable[[], Awaitable[tuple[Finding, ...]]]
    ) -> None:
        try:
            self._note(org, job_id, *await before_sending())
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._ledger.release(org.key, job_id)
            raise

    async def _send(self, org: Org, job: Job, content: Content, part: LoadPart | None, task: SharedTask[None]) -> None:
        job_id = job.id
        write = replace(Write.to(job, "upload"), rows=content.rows, sha256=content.sha256)
        try:
            async with self._audit.of(write) as audited:
                await audited.tried()
                await self._client.upload(job_id, UploadStream(content, task), content.size)
            await self._remember(org, job_id, _recorded("sent", content, part))
            if isinstance(content, ArchivedContent) and content.not_kept is not None:
                self._note(org, job_id, _not_kept(content.not_kept))
        except Exception as error:
            logger.warning("the upload to job %s failed: %s", job_id[:15], error)
            if isinstance(error, SalesforceError | InvalidArgument | StorageFailure) and took_nothing(error):
                await self._ledger.release(org.key, job_id)
            raise
        except anyio.get_cancelled_exc_class():
            raise Unreachable("This server was stopped in the middle of the upload.") from None
        finally:
            del self._sending[job_id[:15]]
            self._count_ended(job_id[:15])

    def _count_ended(self, job: str) -> None:
        self._ended[job] = self._ended.get(job, 0) + 1
        self._ended.move_to_end(job)
        if len(self._ended) > MOST_REMEMBERED:
            self._ended.popitem(last=False)

    async def _known(self, org: Org, job_id: str) -> UploadRecord | None:
        return self._sent_here.get((org.key, job_id[:15])) or await self._ledger.find(org.key, job_id)

    async def _remember(self, org: Org, job_id: str, upload: UploadRecord) -> None:
        """Remember an upload in this process before the ledger, which may be locked or broken just now."""
        self._sent_here[org.key, job_id[:15]] = upload
        if len(self._sent_here) > MOST_REMEMBERED:
            self._sent_here.popitem(last=False)
        await self._ledger.record(org.key, job_id, upload)


def _key(org: Org, job_id: str) -> tuple[str, str, str]:
    return "upload", org.key, job_id[:15]


def _recorded(state: UploadRecordState, content: Content, part: LoadPart | None) -> UploadRecord:
    return UploadRecord(state, content.sha256, content.size, content.rows, content.columns, part)


def _check_repeat(job: Job, earlier: UploadRecord, content: Content) -> None:
    """Raise UploadConflict or WrongState unless Salesforce has the same rows from the earlier upload."""
    _check_same(job, earlier.sha256, content)
    if earlier.state == "sending":
        raise _cut_off() if job.state == "Open" else _closed(job)


def _check_same(job: Job, known_sha256: str, content: Content) -> None:
    if known_sha256 == content.sha256:
        return
    if job.state != "Open":
        raise _closed(job)
    if known_sha256 == UNKNOWN_DIGEST:
        raise UploadConflict(
            "This job already has rows, sent through /v1, and Salesforce takes rows once for each job."
        )
    raise UploadConflict("This job already has other rows, and Salesforce takes rows once for each job.")


def _not_kept(reason: str) -> Finding:
    """Return the warning that rows were sent of which this machine keeps no copy."""
    what = f"What was sent is not kept on this machine. {reason}"
    return Finding("warning", what, "Rows that fail go again as Salesforce gives them back; keep the source.")


def _cut_off() -> UploadUnclear:
    return UploadUnclear(
        "An upload to this job was cut off or not clearly answered, or goes on in another server: Salesforce may or may not "
        "have its rows."
    )


def _closed(job: Job) -> WrongState:
    return WrongState(400, "INVALIDJOBSTATE", f"The job is {as_name(job.state)}; it takes rows only while it is Open.")


def took_nothing(error: SalesforceError | IngestError) -> bool:
    """Return whether it is certain that Salesforce kept no rows of an upload that ended with this error.

    It is certain where the source could not be read to its end: the request was broken off, and is never taken for whole.
    """
    if isinstance(error, SalesforceError):
        return not may_have_happened(error)
    return isinstance(error, InvalidArgument | WentBefore | NoRecord | StorageFailure)
