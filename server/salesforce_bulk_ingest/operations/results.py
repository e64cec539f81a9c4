"""The operations on results: pages of failed, successful and unprocessed rows."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import anyio

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.errors import InvalidArgument, JobNotEnded, RefusedByPolicy, StorageFailure
from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.base.shared_task import REPORT_SECONDS, ReportBytes
from salesforce_bulk_ingest.base.storage import storage_failures
from salesforce_bulk_ingest.base.text import as_name, quoted_names
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.loading.roots import RootedFile
from salesforce_bulk_ingest.operations.audit import Audit, AuditedWrite, Write
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.limits import seconds_left
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.results.completeness import counted_rows
from salesforce_bulk_ingest.results.page_size import PageSize
from salesforce_bulk_ingest.results.pages import (
    Page,
    PageRequest,
    SavedRows,
    page_of,
    unfinished_download_page,
    with_lines,
)
from salesforce_bulk_ingest.results.result_file import check_first_column
from salesforce_bulk_ingest.results.row_counts import RowAccounting
from salesforce_bulk_ingest.results.save_roots import IN_SAVE_AS, save
from salesforce_bulk_ingest.results.source_order import SourceOrderedResult, source_ordered_bytes
from salesforce_bulk_ingest.results.streamed_page import StreamedPage
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

logger = logging.getLogger(__name__)

SOURCE_ORDER_SECONDS = 5.0
"""The longest time that a page waits for the file in source order, which a later page finds in any case."""

LINES_SECONDS = 0.5
"""The longest time that a page of a large result waits for lines alone."""

MOST_MATCHED_AT_ONCE = 10_000
"""The number of rows of a result that are matched within a moment, so that a page waits for them as for a file."""

SENT_AGAIN: frozenset[ResultKind] = frozenset({"failedResults", "unprocessedrecords"})
"""The results whose rows are corrected and sent again, so that their lines are worth the search for them."""


class ResultOperations:
    """The operations on the results of a job.

    Args:
        client: the client of the org.
        audit: notes which rows are saved for whom.
        fetcher: downloads results into the cache; None on a server that caches nothing.
        retries: knows which rows went again; None where nobody asks.
        hidden: the fields whose cells no page shows.
        seconds_left: returns the seconds that the current call may still wait.
        report_seconds: the time between two reports of how far a download is.

    Every method raises `SalesforceError` where Salesforce refuses the call or can't be reached, and `IngestError` where this
    server refuses the call.
    """

    def __init__(
        self,
        client: SalesforceClient,
        audit: Audit,
        fetcher: ResultFetcher | None = None,
        retries: Retries | None = None,
        *,
        hidden: HiddenFields = NOTHING_HIDDEN,
        seconds_left: Callable[[], float] = seconds_left,
        report_seconds: float = REPORT_SECONDS,
    ) -> None:
        self._client = client
        self._audit = audit
        self._fetcher = fetcher
        self._retries = retries
        self._hidden = hidden
        self._seconds_left = seconds_left
        self._report_seconds = report_seconds
        self._short_streams: dict[tuple[str | None, ...], str] = {}
        """The SHA-256 of each short result that was streamed: what comes a second time is all that Salesforce has."""

    async def page(
        self,
        job_id: str,
        kind: ResultKind,
        *,
        request: PageRequest,
        page_size: PageSize,
        source_order: bool = False,
        save_in: RootedFile | None = None,
        report: ReportBytes | None = None,
    ) -> tuple[Job, Page, RowAccounting | None]:
        """Return the job, a page of one of its results with the error groups of failed rows, and where the job's rows are.

        Args:
            job_id: the id of the job.
            kind: the kind of the result.
            request: the rows and columns that the caller asks for.
            page_size: the limits of the page.
            source_order: whether the page is to name the file of the whole result in source order, if it is made in time;
                failed and unprocessed rows have their lines in any case.
            save_in: the new file that all rows with such errors are saved in, in source order; None for none.
            report: called again and again while the result is downloaded; None for no reports.

        Raises:
            InvalidArgument: the result lacks a column that the caller asks for, or its rows can't be saved.
            RefusedByPolicy: these rows are not saved for this caller.
        """
        job = await self._client.get_job(checked_job_id(job_id))
        if save_in is not None:
            async with self._audit.of(_saving(job, save_in)):
                _check_may_save(job, self._fetcher)
        page = None
        if self._fetcher is not None and job.is_terminal:
            page = await self._cached_page(
                self._fetcher, job, kind, request, page_size, report, source_order=source_order
            )
        if page is None:
            page = await self._streamed_page(job, kind, request, page_size)
        if save_in is not None and self._fetcher is not None:
            async with self._audit.of(_saving(job, save_in)) as audited:
                page = replace(page, saved=await self._saved(self._fetcher, job, kind, page, save_in, audited))
        if self._retries is not None and kind in SENT_AGAIN and page.path is not None and page.total:
            org = await self._client.org()
            page = replace(page, retried=await self._retries.of_rows(org, job, {kind}, page.total))
        if page.columns and not request.columns:
            check_first_column(kind, page.columns[0])
        return job, page, await self._accounting(job, page)

    async def _accounting(self, job: Job, page: Page) -> RowAccounting | None:
        """Return where the rows of the job are; None where that is not known, or the result is to be fetched again first."""
        if self._fetcher is None or page.is_short or page.fetched_bytes is not None:
            return None
        return await self._fetcher.accounting(await self._client.organization(), job, self._seconds_left())

    async def _cached_page(
        self,
        fetcher: ResultFetcher,
        job: Job,
        kind: ResultKind,
        request: PageRequest,
        page_size: PageSize,
        report: ReportBytes | None,
        *,
        source_order: bool,
    ) -> Page | None:
        """Return a page of a downloaded result, or None if the result can't be cached on this machine."""
        org = await self._client.organization()
        fetch = fetcher.fetch(org, job, kind)
        try:
            if not await fetch.wait(self._seconds_left(), report, report_seconds=self._report_seconds):
                return unfinished_download_page(request, fetch.done_bytes)
            stop_at = time.monotonic() + self._seconds_left()
            in_time, hidden = (lambda: time.monotonic() < stop_at), self._hidden.on(job.object)
            with storage_failures("A result that was kept can't be read", fetch.result.path):
                page = await run_in_thread(page_of, fetch.result, job.delimiter, request, page_size, in_time, hidden)
        except StorageFailure as error:
            logger.warning("results can't be kept on this machine: %s", error)
            return None
        if not page.rows or page.is_short or not (source_order or kind in SENT_AGAIN):
            return page
        is_awaited = source_order or (page.total or 0) <= MOST_MATCHED_AT_ONCE
        seconds = SOURCE_ORDER_SECONDS if is_awaited else LINES_SECONDS
        ordered = await self._source_order(fetcher, org, job, kind, min(seconds, self._seconds_left()))
        if ordered is None:
            return page
        return replace(with_lines(page, ordered.line_of), source_order_path=ordered.path if source_order else None)

    async def _saved(
        self,
        fetcher: ResultFetcher,
        job: Job,
        kind: ResultKind,
        page: Page,
        file: RootedFile,
        audited: AuditedWrite,
    ) -> SavedRows:
        """Save all rows that the page is chosen from in source order, unless they are not there yet.

        Raises:
            InvalidArgument: what was uploaded is not kept, or another file is in the place of the new one.
            RefusedByPolicy: the rows have cells that the operator hides.
            StorageFailure: the machine keeps this server from a file, or from noting it in the audit log.
        """
        if page.is_short or page.fetched_bytes is not None:
            return SavedRows(file.path, "not whole")
        if page.path is None:
            raise StorageFailure("The result can't be kept on this machine, so it is not saved.", "The log says why.")
        errors = page.request.errors
        rows = page.total if errors.is_empty else page.chosen
        if not rows:
            return SavedRows(file.path, "no rows")
        org = await self._client.organization()
        columns = await fetcher.uploaded_columns(org, job)
        hidden = tuple(filter(self._hidden.on(job.object).hides, columns or ()))
        if hidden:
            raise RefusedByPolicy(
                f"The operator hides the cells of {quoted_names(hidden)}, so these rows are saved in no file of a caller. "
                "Without saveAs they come in pages."
            )
        task = fetcher.source_order(org, job, kind)
        if columns is not None and not await task.wait(self._seconds_left()):
            return SavedRows(file.path, "not in order")
        upload = await fetcher.archived_upload(org, job)
        if upload is None or task.result is None:
            raise InvalidArgument(
                f"The rows of job {job.id} can't be put in source order, since what was uploaded to it is not kept here. "
                "Nothing was saved: without saveAs the rows come in pages.",
                IN_SAVE_AS,
            )
        content = source_ordered_bytes(task.result.path, upload.origin.source_dialect, errors)
        audited.write = replace(audited.write, rows=rows)
        await audited.tried()
        is_new = await run_in_thread(save, content, file)
        return SavedRows(file.path, "saved" if is_new else "was there")

    async def _source_order(
        self, fetcher: ResultFetcher, org: Org, job: Job, kind: ResultKind, seconds: float
    ) -> SourceOrderedResult | None:
        """Return the result in source order, or None if it can't be made, or not within these seconds."""
        task = fetcher.source_order(org, job, kind)
        try:
            is_made = await task.wait(seconds)
        except (StorageFailure, SalesforceError, InvalidArgument) as error:
            logger.warning("rows of job %s can't be put in the order of their source: %s", job.id, error)
            return None
        return task.result if is_made else None

    async def _streamed_page(self, job: Job, kind: ResultKind, request: PageRequest, page_size: PageSize) -> Page:
        reader = StreamedPage(job.delimiter, request, page_size, kind, self._hidden.on(job.object))
        with anyio.move_on_after(self._seconds_left()):
            async with self._client.results(job.id, kind) as chunks:
                await reader.read(chunks)
        counted = counted_rows(job, kind, None)
        completeness = reader.completeness(counted) if job.is_terminal else None
        if completeness is not None and completeness.is_short and completeness.is_confirmable:
            key = (job.id, job.system_modstamp, kind)
            came_before = self._short_streams.get(key) == reader.sha256
            self._short_streams[key] = reader.sha256
            completeness = replace(completeness, is_confirmed=came_before)
        return replace(reader.page(), completeness=completeness)


def _saving(job: Job, file: RootedFile) -> Write:
    return replace(Write.to(job, "save"), file=str(file.path))


def _check_may_save(job: Job, fetcher: ResultFetcher | None) -> None:
    """Raise the error where no rows of the job are saved for the caller."""
    if not current_caller().may_write:
        raise RefusedByPolicy("This caller may only read, so no file is saved for them: leave saveAs out.")
    if fetcher is None:
        raise InvalidArgument(
            "This server keeps no results (no_spool), so it puts none in source order: leave saveAs out.", IN_SAVE_AS
        )
    if not job.is_terminal:
        raise JobNotEnded(f"Job {job.id} is {as_name(job.state)}: its rows can be saved when it has ended.")
