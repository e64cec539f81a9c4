"""Checks of the lines by which rows of earlier jobs are left out: they are those of one source, and have rows."""

from collections.abc import Sequence

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.findings import LINES_SHOWN
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.load_parts import names_jobs
from salesforce_bulk_ingest.cache.upload_archive import DamagedUpload
from salesforce_bulk_ingest.loading.row_filter import LeaveOut
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.results.retry_request import BEFORE, RetryRequest
from salesforce_bulk_ingest.results.undo_writer import jobs_in_words
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES


class SourceLines:
    """The lines of the source from which rows of jobs came.

    Args:
        fetcher: finds what was sent to the jobs.
        ledger: the record of where that came from.
    """

    def __init__(self, fetcher: ResultFetcher, ledger: Ledger) -> None:
        self._fetcher = fetcher
        self._ledger = ledger

    async def check(self, org: Org, jobs: Sequence[Job], request: RetryRequest, leave_out: LeaveOut) -> None:
        """Check that rows of jobs can be left out by lines, if some are to be.

        Args:
            org: the org of the jobs.
            jobs: the jobs.
            request: the request, which chooses rows of the jobs.
            leave_out: the rows to leave out.

        Raises:
            InvalidArgument: the rows of the jobs came from several sources, or from which lines they came is not known, or
                they came from none of the lines.
        """
        if not leave_out.lines:
            return
        try:
            await self._check_parts(org, jobs, request)
            lines = [line for job in jobs for line in await self._ends_and_used(org, job, leave_out)]
        except _NotKnown as why:
            raise _by_cells(f"{why}", leave_out, has_ids=_has_ids(jobs, request)) from None
        unused = leave_out.lines.without_rows({name for line in lines for name in leave_out.lines.find(line)})
        if unused:
            shown, of_jobs = ", ".join(unused[:LINES_SHOWN]), jobs_in_words([job.id for job in jobs])
            raise InvalidArgument(
                f"leaveOut names lines {shown}, on which no row of {of_jobs} begins: the rows are on lines {min(lines)} to "
                f"{max(lines)} of their source.",
                ("leaveOut", "lines"),
            )

    async def _check_parts(self, org: Org, jobs: Sequence[Job], request: RetryRequest) -> None:
        """Raise InvalidArgument unless the rows of the jobs are different parts of one load.

        Nor may they be updates that are undone: several lines may have written to one record, in several of the jobs.
        """
        parts = [await self._part_of(org, job) for job in jobs]
        loads, numbers = {(sha256, of) for sha256, _, of in parts}, {number for _, number, _ in parts}
        if len(loads) > 1 or len(numbers) < len(jobs):
            raise InvalidArgument(
                f"lines of leaveOut are those of one source, and the rows of these {len(jobs)} jobs came from several: "
                "name one job.",
                ("rowsOf", "jobs"),
            )
        if len(jobs) > 1 and BEFORE in request.which:
            raise InvalidArgument(
                f"Of these {len(jobs)} jobs several may have changed the same record, on different lines, so lines of "
                "leaveOut don't say what becomes of it: name one job.",
                ("rowsOf", "jobs"),
            )

    async def _part_of(self, org: Org, job: Job) -> tuple[str, int, int]:
        """Return of which load the rows of a job are which part, of how many."""
        sent = await self._ledger.find(org.key, job.id)
        if sent is None or sent.part is None:
            return job.id, 1, 1
        if names_jobs(sent.part.origin.source):  # arguments that are long are not kept
            raise _NotKnown(f"the rows of job {job.id} are those of other jobs")
        return sent.part.sha256, sent.part.number, sent.part.of

    async def _ends_and_used(self, org: Org, job: Job, leave_out: LeaveOut) -> Sequence[int]:
        """Return the lines on which the first and the last row of a job begin, and one of each range that has rows."""
        upload = await self._fetcher.archived_upload(org, job)
        if upload is None:
            raise _NotKnown(f"what was sent to job {job.id} is not kept here")

        def found() -> Sequence[int]:
            first = last = 0
            used = dict[str, int]()
            for line in upload.lines():
                first, last = first or line, line
                used |= dict.fromkeys(leave_out.lines.find(line), line)
            return first, last, *used.values()

        try:
            return await run_in_thread(found)
        except (DamagedUpload, OSError):
            raise _NotKnown(f"what was sent to job {job.id} can't be read any more") from None


class _NotKnown(Exception):
    """It is not known from which lines of a source rows came; the message says why, as a part of a sentence."""


def _has_ids(jobs: Sequence[Job], request: RetryRequest) -> bool:
    """Return whether the rows have the ids of their records: those that insert deleted records again have none."""
    return "created" in request.which or (BEFORE in request.which and jobs[0].operation not in DELETES)


def _by_cells(why: str, leave_out: LeaveOut, *, has_ids: bool) -> InvalidArgument:
    """Return the error that rows can't be left out by their lines, with the form in which they are by their cells."""
    name = ID_FIELD if has_ids else "<field>"
    gap = f'<cells to leave out for "{name}">'
    cells = {**{known: list(texts) for known, texts in leave_out.cells.items()}, name: [gap]}
    where = "by the ids of their records, which the successful results have" if has_ids else "by their cells"
    return InvalidArgument(
        f"Rows can't be left out by lines here: {why}. Name them {where}.",
        ("leaveOut",),
        {"cells": cells},
    )
