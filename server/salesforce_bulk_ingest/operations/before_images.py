"""Before-images: what records hold is kept before a job that writes to them is closed, and given back by another job."""

import json
import logging
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Self, TypeVar

import anyio

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoSuchRows, StorageFailure
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.base.text import as_name, as_sentence, counted, quoted_names
from salesforce_bulk_ingest.base.threads import check_cancelled, run_in_thread
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.cache.job_files import JobKey, retry_name
from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, DamagedUpload
from salesforce_bulk_ingest.comparison.before_image import (
    JobChanges,
    NoImage,
    RowsWritten,
    UndoRows,
    WrittenFields,
    held_before,
    holds,
    id_key,
    image_rows,
    rows_together,
    undo_in_turn,
)
from salesforce_bulk_ingest.comparison.org_comparison import MORE_CALLS, ROWS_OF_A_CALL
from salesforce_bulk_ingest.comparison.record_reader import KeyField, RecordReader, RecordsFound
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.operations.deleted_images import AS_NEW, DeletedImages
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.errors import RecordsUnread
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.limits import RECORDS_SECONDS
from salesforce_bulk_ingest.operations.state_change import is_open_still
from salesforce_bulk_ingest.operations.undos import GIVEN_BACK_BY
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import BEFORE, RetryRequest
from salesforce_bulk_ingest.results.retry_writer import NumberedRow
from salesforce_bulk_ingest.results.undo_writer import JobToUndo, jobs_in_words, left_out, read_image, write_undo
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES, Destination, LoadTarget

logger = logging.getLogger(__name__)

T = TypeVar("T")

NOT_KEPT = "its rows are not kept on this machine"
ASKED = "the close asked for that with withoutUndo"
SWITCHED_OFF = "the operator switched that off (--undo-rows 0)"

_DIALECT = Dialect()


@dataclass(frozen=True, slots=True)
class Undoable:
    """Whether what a job does to records that are there can be undone.

    Attributes:
        why_not: the reason why it can't, as the rest of a sentence; empty if it can.
        but: what does not come back, as the rest of a sentence; empty if everything does.
    """

    why_not: str = ""
    but: str = ""

    def __str__(self) -> str:
        if self.why_not:
            return f"can't be undone: {self.why_not}"
        return f"can be undone, but {self.but}" if self.but else "can be undone"

    @classmethod
    def of(cls, operation: str | None, unread: Sequence[str] = ()) -> Self:
        """Return that a job with this operation can be undone, and what does not come back.

        Args:
            operation: the operation.
            unread: the names of the fields of deleted records that can't be read.
        """
        if operation not in DELETES:
            return cls()
        return cls(but=f"{AS_NEW}, and without {quoted_names(unread)}, which can't be read" if unread else AS_NEW)


class BeforeImages:
    """Keeps before-images, and makes the rows that give records back what they held.

    Args:
        client: the client of the org.
        describes: the cache of the describes of objects.
        fetcher: finds the kept rows of jobs, beside which the images lie; None on a server that keeps nothing.
        tasks: runs the work.
        most_rows: the most rows of a job whose records are read; 0 for none.
    """

    def __init__(
        self,
        client: SalesforceClient,
        describes: DescribeCache,
        fetcher: ResultFetcher | None,
        tasks: SharedTasks,
        most_rows: int,
    ) -> None:
        self._client = client
        self._describes = describes
        self._fetcher = fetcher
        self._deleted = None if fetcher is None else DeletedImages(client, describes, fetcher)
        self._tasks = tasks
        self._most_rows = most_rows

    async def foreseen(self, org: Org, job: Job, *, without: bool) -> Undoable | None:
        """Return whether a job can be undone once it is closed, as far as that is known without the org.

        Returns:
            None where the job changes no records that are there.
        """
        if job.operation not in GIVEN_BACK_BY:
            return None
        found = Undoable(ASKED) if without else await self._upload_of(org, job)
        return found if isinstance(found, Undoable) else Undoable.of(job.operation)

    async def keep(self, org: Org, job: Job, *, without: bool, seconds: float) -> Undoable | None:
        """Read what the records of a job hold, and keep it; what an earlier call kept, which closed nothing, is replaced.

        Args:
            org: the org of the job.
            job: the job, which is open.
            without: whether the job is to be closed without an image.
            seconds: the longest time to wait.

        Returns:
            Whether the job can be undone; None where it changes no records that are there, or another call has closed or
            aborted it meanwhile: what that call kept stays.

        Raises:
            RecordsUnread: the org did not give the records, or they can't be kept.
            SalesforceError: the job could not be read once more.
        """
        if job.operation not in GIVEN_BACK_BY:
            return None
        found = Undoable(ASKED) if without else await self._upload_of(org, job)
        if isinstance(found, Undoable):
            await self._remove(org, job)
            return found
        name = JobKey.of(org.key, job).before_name
        keeping = self._start(name, lambda: self._keep(name, job, found))
        try:
            if not await keeping.wait(seconds):
                raise RecordsUnread("Salesforce did not answer in time.")
        except StorageFailure as error:
            raise RecordsUnread(as_sentence(str(error))) from error
        kept = keeping.result
        if kept is not None and kept.why_not:
            await self._remove(org, job)
        return kept

    async def has_image(self, org: Org, job: Job) -> bool:
        """Return whether there is an image of the records of a job."""
        return job.operation in GIVEN_BACK_BY and await self._image_of(org, job) is not None

    async def undo_file(
        self,
        org: Org,
        jobs: Sequence[Job],
        request: RetryRequest,
        destination: Destination,
        check: Callable[[], Awaitable[None]],
    ) -> SharedTask[RetryFile]:
        """Return the task that makes the file of rows which give the records of jobs back what they held.

        Each job is undone as if the newer ones were undone before it. Records that somebody changed since, or restored, are
        left out, and the file says so.

        Args:
            org: the org of the jobs.
            jobs: the jobs, which have ended.
            request: the request, which says what is left out: lines of the sources of the jobs, and rows that inserted
                deleted records in other jobs before.
            destination: the job that the rows are for.
            check: checks the request before the file is made; an error of it ends the task.

        Raises:
            InvalidArgument: no single job undoes all of these, or there is no image of the records of one.
        """
        in_order = _in_order(jobs)
        jobs = [job for together in in_order for job in together]
        images = [(job, await self._needed_image_of(org, job)) for job in jobs]
        assert self._fetcher is not None  # only kept rows lead here
        fetcher, deleted = self._fetcher, self._deleted
        _check_undone_by(jobs, destination)
        keys = [JobKey.of(org.key, job) for job in jobs]
        name = retry_name(org.key, BEFORE, keys, request, destination.delimiter, destination.line_ending)

        async def make() -> RetryFile:
            await check()
            if deleted is not None and jobs[0].operation in DELETES:
                return await deleted.undo_file(org, images, request, destination, name)
            changes = {job.id: await self._changes_of(org, job, image, fetcher) for job, image in images}
            in_turn = [[changes[job.id] for job in together] for together in in_order]
            return await self._undo_updates(org, images, in_turn, request, destination, name)

        return self._start(name, make)

    async def _upload_of(self, org: Org, job: Job) -> ArchivedUpload | Undoable:
        """Return the kept rows of a job, or why its records are not read."""
        if not self._most_rows:
            return Undoable(SWITCHED_OFF)
        try:
            upload = None if self._fetcher is None else await self._fetcher.archived_upload(org, job)
        except OSError as error:
            logger.warning("what was sent to job %s can't be read: %s", job.id, error)
            upload = None
        if upload is None:
            return Undoable(NOT_KEPT)
        if upload.origin.rows > self._most_rows:
            return Undoable(f"it has more than {counted(self._most_rows, 'row')} (--undo-rows)")
        return upload

    async def _keep(self, name: str, job: Job, upload: ArchivedUpload) -> Undoable | None:
        try:
            if self._deleted is not None and job.operation in DELETES:
                return await _keep_deleted(name, job, upload, self._deleted)
            written = await self._written(job, upload, closing=True)
            keys = await run_in_thread(_cells_of, upload, written.key[0].index)
            found = await self._read(written.key[1], keys, written.names)
        except NoImage as reason:
            return Undoable(str(reason))
        except DamagedUpload:
            return Undoable(NOT_KEPT)
        if found.failure is not None:
            raise RecordsUnread(found.failure)
        if found.unseen:
            return Undoable(f"this user can't read {quoted_names(found.unseen)}")
        if not await is_open_still(self._client, job):
            # The records may hold already what the job wrote.
            return None
        label = json.dumps({"sha256": upload.origin.sha256, "columns": written.names}).encode()

        def write(file: NewFile) -> None:
            file.file.write(csv_bytes([(ID_FIELD, *written.names), *image_rows(written, found)], _DIALECT))
            file.finish(label)

        await self._make(name, write)
        return Undoable()

    async def _changes_of(self, org: Org, job: Job, image: CachedFile, fetcher: ResultFetcher) -> JobChanges:
        upload = await fetcher.archived_upload(org, job)
        if upload is None:
            raise InvalidArgument(f"Job {job.id} can't be undone: {NOT_KEPT}.")
        try:
            written = await self._written(job, upload, closing=False)
            wrote = await run_in_thread(_wrote, upload, written)
        except (NoImage, DamagedUpload) as reason:
            raise InvalidArgument(f"Job {job.id} can't be undone: {reason}.") from None
        rows = await run_in_thread(lambda: list(read_image(image)))
        return JobChanges(job.id, wrote, rows, await fetcher.written_ids(org, job))

    async def _undo_updates(
        self,
        org: Org,
        images: Sequence[tuple[Job, CachedFile]],
        in_turn: Sequence[Sequence[JobChanges]],
        request: RetryRequest,
        destination: Destination,
        name: str,
    ) -> RetryFile:
        sobject, changes = images[0][0].object or "", list(chain.from_iterable(in_turn))
        ids = dict.fromkeys(record_id for each in changes for record_id, *_ in each.image)
        paths = dict.fromkeys(path for each in changes for path in each.wrote.written.paths)
        found = await self._read(id_key(sobject), list(ids), list(paths))
        if found.failure is not None or found.unseen:
            raise RecordsUnread(found.failure or f"This user can't read {quoted_names(found.unseen)}.", closing=False)
        lines = [await self._lines_of(org, job, each, request) for (job, _), each in zip(images, changes, strict=True)]
        undone = await run_in_thread(undo_in_turn, in_turn, found)

        def in_words(records: str, of_jobs: str) -> str:
            return f"The rows give back what {records} of {as_name(sobject)} held before {of_jobs}."

        def written(file: NewFile, undone: Sequence[UndoRows]) -> RetryFile:
            header, undos = _to_undo(images, undone, lines)
            return write_undo(file, undos, header, request, destination, in_words, check_cancelled)

        def write(file: NewFile) -> RetryFile:
            try:
                return written(file, undone)
            except InvalidArgument:  # nothing is left to undo
                if not request.looks:
                    raise
            held = [held_before(each, found, undo) for each, undo in zip(changes, undone, strict=True)]
            return replace(made := written(file, held), differing=_differing(made, images, held, found))

        return await self._make(name, write)

    async def _lines_of(self, org: Org, job: Job, changes: JobChanges, request: RetryRequest) -> Sequence[int]:
        """Return the line of the source of a job for each row of its image; none where no rows are left out by lines."""
        assert self._fetcher is not None  # only kept rows lead here
        if not request.left_out:
            return ()
        ids = [record_id for record_id, *_ in changes.image]
        return await self._fetcher.record_lines(org, job, ids, request.left_out)

    async def _written(self, job: Job, upload: ArchivedUpload, *, closing: bool) -> WrittenFields:
        header = upload.uploaded_header()
        described = await self._describes.for_upload(job.object or "", header)
        if described.sobject is None:
            failure = next(iter(described.failures.values()), None)
            raise RecordsUnread(f"The object could not be looked at. {failure or ''}".strip(), closing=closing)
        target = LoadTarget.of(described.sobject, job.operation or "", job.external_id_field_name)
        return WrittenFields.of(header, target, described.parents)

    async def _read(self, key: KeyField, cells: Sequence[str], names: Sequence[str]) -> RecordsFound:
        most_calls = len(cells) // ROWS_OF_A_CALL + MORE_CALLS
        reader = RecordReader(self._client, most_calls, anyio.current_time() + RECORDS_SECONDS)
        return await reader.find(key, cells, names)

    async def _needed_image_of(self, org: Org, job: Job) -> CachedFile:
        if job.operation not in GIVEN_BACK_BY:
            raise NoSuchRows(f"Job {job.id} ({_of(job)}) made new records, so nothing was held before it.", job.id)
        image = await self._image_of(org, job)
        if image is None:
            raise InvalidArgument(
                f"Nothing is kept here of what records held before job {job.id}, so it can't be undone from here."
            )
        return image

    async def _image_of(self, org: Org, job: Job) -> CachedFile | None:
        if self._fetcher is None:
            return None
        try:
            return await run_in_thread(self._fetcher.files.find, JobKey.of(org.key, job).before_name)
        except OSError as error:
            logger.warning("what records held before job %s can't be read: %s", job.id, error)
            return None

    async def _remove(self, org: Org, job: Job) -> None:
        if self._fetcher is not None:
            with storage_failures("What records held can't be removed", self._fetcher.files.folder):
                await run_in_thread(self._fetcher.files.remove, JobKey.of(org.key, job).before_name)

    def _start(self, name: str, work: Callable[[], Awaitable[T]]) -> SharedTask[T]:
        """Begin the work that makes a file, or join it; one process at a time does it, since it tells what is there now."""
        assert self._fetcher is not None  # only kept rows lead here
        fetcher = self._fetcher

        async def locked(_: SharedTask[T]) -> T:
            with storage_failures("What records hold can't be kept", fetcher.files.folder):
                async with fetcher.locked(name):
                    return await work()

        return self._tasks.start(("before-image", name), locked)

    async def _make(self, name: str, write: Callable[[NewFile], T]) -> T:
        assert self._fetcher is not None  # only kept rows lead here
        files = self._fetcher.files

        def made() -> T:
            with files.new_file(name) as file:
                return write(file)

        return await run_in_thread(made)


def _cells_of(upload: ArchivedUpload, index: int) -> list[str]:
    """Return the cells of a column of an upload."""
    return [cell for block in upload.blocks() for cell in block.uploaded.column(index)[: block.row_count]]


async def _keep_deleted(name: str, job: Job, upload: ArchivedUpload, deleted: DeletedImages) -> Undoable | None:
    ids = await run_in_thread(_cells_of, upload, _index_of_ids(upload))
    read = await deleted.write(job, ids, name, {"sha256": upload.origin.sha256})
    return None if read is None else Undoable.of(job.operation, read.unread)


def _index_of_ids(upload: ArchivedUpload) -> int:
    """Return the index of the column of an upload that has the ids of records.

    Raises:
        NoImage: there is none.
    """
    names = [name.strip().lower() for name in upload.uploaded_header()]
    if ID_FIELD.lower() not in names:
        raise NoImage("no column of the rows finds their records")
    return names.index(ID_FIELD.lower())


def _wrote(upload: ArchivedUpload, written: WrittenFields) -> RowsWritten:
    wrote, width = RowsWritten(written), len(upload.uploaded_header())
    for block in upload.blocks():
        wrote.add(block.uploaded_columns(width))
    return wrote


def _in_order(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return jobs in groups, the newest first: a job is in one with those that had not ended when it was made.

    The jobs of a group may have written in any order, whichever ended first. Times are of whole seconds.
    """
    in_order = list[list[Job]]()
    for job in sorted(jobs, key=_ended_and_made, reverse=True):
        ended, _, _ = _ended_and_made(job)
        if in_order and any(_ended_and_made(newer)[1] <= ended for newer in in_order[-1]):
            in_order[-1].append(job)
        else:
            in_order.append([job])
    return in_order


def _ended_and_made(job: Job) -> tuple[datetime, datetime, str]:
    """Return when a job ended, when it was made, and its id, by which jobs of one second are sorted."""
    never = datetime.min.replace(tzinfo=UTC)
    return job.changed_at or never, job.created_at or never, job.id


def _check_undone_by(jobs: Sequence[Job], destination: Destination) -> None:
    """Raise InvalidArgument where no job undoes all of these, or the destination is none that does."""
    newest = jobs[0]
    by = GIVEN_BACK_BY[newest.operation or ""]
    for other in jobs[1:]:
        if (other.object, GIVEN_BACK_BY[other.operation or ""]) != (newest.object, by):
            raise InvalidArgument(
                f"No job undoes both job {newest.id} ({_of(newest)}) and job {other.id} ({_of(other)}): undo each by a "
                f"job of its own, {newest.id} first, which is newer."
            )
    if destination.operation != by:
        raise InvalidArgument(
            f"What records held before {jobs_in_words([job.id for job in jobs])} goes back by an {by} job: make the job "
            f"with the operation {by}.",
            () if destination.is_made else ("body", "operation"),
            by,
        )


def _of(job: Job) -> str:
    return f"{job.operation} of {as_name(job.object or '')}"


def _to_undo(
    images: Sequence[tuple[Job, CachedFile]], undone: Sequence[UndoRows], lines: Sequence[Sequence[int]]
) -> tuple[Sequence[str], list[JobToUndo]]:
    """Return the names of the columns of the rows that undo jobs, and these rows by job."""
    header, rows = rows_together(undone)
    undos = [
        JobToUndo(
            job.id,
            BEFORE,
            str(json.loads(image.label)["sha256"]),
            of_job,
            partial(_notes, job.id, undo),
            shared=shared,
            lines=on_lines,
        )
        for (job, image), of_job, undo, shared, on_lines in zip(
            images, rows, undone, _shared(undone, rows), lines, strict=True
        )
    ]
    return header, undos


def _differing(
    file: RetryFile, images: Sequence[tuple[Job, CachedFile]], held: Sequence[UndoRows], found: RecordsFound
) -> dict[int, str]:
    """Return the ids of the records that do not hold what a file says that they held, by the number of their row in it."""
    header, rows = rows_together(held)
    cells = {(job.id, number): row for (job, _), of_job in zip(images, rows, strict=True) for number, row in of_job}
    in_file = (cells[origin.from_job, number] for origin in file.origins for number in origin.row_numbers)
    return {index: row[0] for index, row in enumerate(in_file) if not holds(header[1:], row, found)}


def _shared(undone: Sequence[UndoRows], rows: Sequence[Sequence[NumberedRow]]) -> list[Sequence[int]]:
    """Return the numbers of the rows that undo each job and are those of newer ones; see `JobToUndo`."""
    numbers = {cells[0]: number for number, (_, cells) in enumerate(chain.from_iterable(rows))}
    own = [{cells[0] for _, cells in of_job} for of_job in rows]
    return [
        array("Q", [numbers[cells[0]] for _, cells in undo.rows if cells[0] not in of_job])
        for undo, of_job in zip(undone, own, strict=True)
    ]


def _notes(job_id: str, undo: UndoRows) -> list[Finding]:
    """Return the findings about records that get nothing back."""
    since = "Someone changed or deleted them since. Tell the user."
    notes = list(left_out(undo.changed, f"no longer as job {job_id} left them", since))
    order = "Undo the job that came last first, if the user knows it; else tell the user."
    notes += left_out(
        undo.doubtful, f"that job {job_id} and another of these jobs wrote, in an order that is not known", order
    )
    late = "They came after it was kept. Tell the user."
    notes += left_out(undo.unknown, f"that job {job_id} updated, of which nothing is kept", late)
    if undo.as_before:
        what = f"Already as before job {job_id}: {counted(undo.as_before, 'record')}."
        notes.append(Finding("warning", what, "Nothing to do.", count=undo.as_before))
    return notes
