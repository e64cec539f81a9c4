"""The nine operations, as a caller that wants answers uses them (callers that want bytes use the gateway)."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlencode

import anyio
import anyio.to_thread

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, SourceChanged
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.plan import Plan, part_content
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.operations.errors import FilledJobFailed, RowsRefused
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.planning import LoadRequest, Planner
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.retry import Brought, Cleared, Retries, StillComing
from salesforce_bulk_ingest.operations.transfers import Content
from salesforce_bulk_ingest.operations.upload_once import Uploads, UploadState, UploadStatus, took_nothing
from salesforce_bulk_ingest.operations.waiting import Report, Sleep, wait_until_terminal
from salesforce_bulk_ingest.results.downloads import ResultNotReady
from salesforce_bulk_ingest.results.page_size import PageSize
from salesforce_bulk_ingest.results.pages import Page, PageBuilder, PageRequest, not_here_yet, page_of
from salesforce_bulk_ingest.results.retry_rows import RetryRequest
from salesforce_bulk_ingest.results.row_errors import ERROR_COLUMN
from salesforce_bulk_ingest.results.source_order import ID_COLUMN
from salesforce_bulk_ingest.results.streamed_page import StreamedPage
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, UnexpectedAnswer, WrongState
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Delimiter, Job, JobType, LineEnding, Operation, ResultKind
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

logger = logging.getLogger(__name__)

CALL_SECONDS = 45
"""No call lasts longer: hosts give up at 60 s, and a call that a host gave up on tells nobody anything."""

NEWEST_SHOWN = 25
FIRST_COLUMNS = (ID_COLUMN, ERROR_COLUMN)
"""Of failed and successful rows: jobs of API versions before 53 tell no id of failed rows."""

LONGEST_LOCATOR = 200
MARGIN_SECONDS = 2.0
"""Kept back from the time of a call, to put its answer together and send it."""

CREATE_SECONDS = 15.0
"""Kept for making a job after its rows are checked: a call that ends meanwhile leaves a job that nobody is told of."""

SOURCE_ORDER_SECONDS = 5.0
"""That a page waits for a file which it can name, too: the next page finds it."""

TargetState = Literal["UploadComplete", "Aborted"]
HandedIn = LoadRequest[RowSource | RetryRequest]


def seconds_left() -> float:
    """Time to spend inside the current call, with a margin to answer in."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return max(min(left, CALL_SECONDS) - MARGIN_SECONDS, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """What a job is to be; None leaves a choice to the rows, or to Salesforce."""

    sobject: str
    operation: Operation
    external_id_field_name: str | None = None
    column_delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    content_type: str | None = None
    assignment_rule_id: str | None = None

    def body(self, dialect: Dialect | None = None) -> dict[str, object]:
        """Salesforce's create request, for rows that are written like this."""
        values = {
            "object": self.sobject,
            "operation": self.operation,
            "externalIdFieldName": self.external_id_field_name,
            "columnDelimiter": dialect.delimiter if dialect else self.column_delimiter,
            "lineEnding": dialect.line_ending if dialect else self.line_ending,
            "contentType": self.content_type,
            "assignmentRuleId": self.assignment_rule_id,
        }
        return {name: value for name, value in values.items() if value is not None}

    def destination(self) -> Destination:
        """The job, for rows that are checked before it is there."""
        return Destination(
            operation=self.operation,
            external_id_field=self.external_id_field_name,
            delimiter=self.column_delimiter,
            line_ending=self.line_ending,
        )


@dataclass(frozen=True, slots=True)
class JobListing:
    """The newest jobs of one page of the org's list.

    Attributes:
        newest: at most 25, the newest first.
        states: how many jobs of the page are in which state.
        on_page: jobs on the page.
        query_locator: for the next page, or none.
    """

    newest: tuple[Job, ...]
    states: Mapping[str, int]
    on_page: int
    query_locator: str | None


@dataclass(frozen=True, slots=True)
class StateChange:
    """A job after a close or an abort; `changed` is false where it already was there."""

    job: Job
    changed: bool


OutcomeStatus = Literal[UploadStatus, "checked", "checking"]


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """What became of rows that were handed in.

    Attributes:
        job: theirs; None where none was made.
        status: how far they are.
        plan: what they are; None while they are still checked.
        part: the part that went, or is on its way, from 1.
        done_bytes: read while they are checked, sent while they are on their way.
    """

    job: Job | None
    status: OutcomeStatus
    plan: Plan | None = None
    part: int = 1
    done_bytes: int = 0


class IngestJobs:
    """The operations on one org, under one policy.

    Every method raises `SalesforceError` for what Salesforce or the way there refused, and `IngestError` for what this
    server refuses.
    """

    def __init__(
        self,
        client: SalesforceClient,
        policy: Policy,
        uploads: Uploads,
        planner: Planner,
        resending: Retries,
        spool: ResultFetcher | None = None,
        *,
        sleep: Sleep = anyio.sleep,
        seconds_left: Callable[[], float] = seconds_left,
    ) -> None:
        self._client = client
        self._uploads = uploads
        self._planner = planner
        self._resending = resending
        self._spool = spool
        self._sleep = sleep
        self._seconds_left = seconds_left
        self.policy = policy

    async def org(self) -> Org:
        """The org that these operations go to."""
        return await self._uploads.org()

    async def list(
        self, *, pk_chunking: bool | None = None, job_type: JobType | None = None, query_locator: str | None = None
    ) -> JobListing:
        """One page of the org's jobs, cut to the newest."""
        filters = {
            "isPkChunkingEnabled": None if pk_chunking is None else str(pk_chunking).lower(),
            "jobType": job_type,
            "queryLocator": query_locator,
        }
        page = await self._client.list_jobs(urlencode({name: value for name, value in filters.items() if value}))
        newest = sorted(page.records, key=lambda job: job.created_date or "", reverse=True)
        return JobListing(
            newest=tuple(newest[:NEWEST_SHOWN]),
            states=Counter(job.state for job in page.records),
            on_page=len(page.records),
            query_locator=None if page.done else _locator(page.next_records_url),
        )

    async def create(self, request: CreateRequest) -> Job:
        """Make a job from Salesforce's own create request."""
        self._check_create(request)
        return await self._client.create_job(request.body())

    async def create_with_rows(self, request: CreateRequest, handed_in: HandedIn, *, dry_run: bool) -> UploadOutcome:
        """Check the rows, make a job that takes them as they are written, and send them to it.

        Raises:
            RowsRefused: the job would fail; none was made.
            SentAgain: they were sent again before; no job was made.
            FilledJobFailed: the job was made, and the rows did not get there, or may not have.
        """
        if not dry_run:
            self._check_create(request)

        def seconds() -> float:
            return self._seconds_left() - (0 if dry_run else CREATE_SECONDS)

        org, destination = await self.org(), request.destination()
        brought = await self._resending.bring(org, handed_in, destination, seconds)
        if isinstance(brought, StillComing):
            return UploadOutcome(None, "checking", done_bytes=brought.done_bytes)
        rows = brought.rows
        planning = await self._planner.planning(rows, request.sobject, destination)
        made = await planning.wait(seconds())
        if made is None:
            return UploadOutcome(None, "checking", done_bytes=planning.read_bytes)
        if dry_run:
            return await self._checked(None, made, brought)
        number = _checked_part(made, rows, "no job was made and nothing was sent")
        cleared = await self._resending.check(org, brought, made.rows_of(number))
        made = made.with_notes(cleared.notes)
        job = await self._client.create_job(request.body(made.dialect))
        try:
            await self._planner.keep_for(planning, rows, job)
            return await self._send(job, made, number, cleared)
        except (SalesforceError, IngestError) as error:
            raise FilledJobFailed(job.id, error, is_empty=took_nothing(error)) from error

    def _check_create(self, request: CreateRequest) -> None:
        self.policy.check_write()
        self.policy.check_operation(request.operation)

    async def status(self, job_id: str, *, wait_seconds: float = 0, report: Report) -> Job:
        """The job now, or when it is done, or when the time is up."""
        job = await self._client.get_job(checked_job_id(job_id))
        return await self._waited(job, wait_seconds, report)

    async def upload_of(self, job: Job) -> UploadState:
        """What is known of an open job's rows."""
        return await self._uploads.state_of(job.id) if job.state == "Open" else "unknown"

    async def change_state(
        self, job_id: str, state: TargetState, *, wait_seconds: float = 0, report: Report
    ) -> StateChange:
        """Close or abort the job. A job that is already there stays as it is."""
        self.policy.check_write()
        job = await self._client.get_job(checked_job_id(job_id))
        if state == "UploadComplete":
            self.policy.check_operation(job.operation)
        changed = not _already(job, state)
        if changed:
            job, changed = await self._changed(job, state)
        try:
            job = await self._waited(job, wait_seconds, report)
        except SalesforceError:
            # The change took effect: that must not be lost with a reading afterwards.
            if not changed:
                raise
        return StateChange(job, changed)

    async def _changed(self, job: Job, state: TargetState) -> tuple[Job, bool]:
        if state == "UploadComplete":
            await self._uploads.check_closable(job.id)
        try:
            short = await self._client.set_state(job.id, state)
        except WrongState:
            now = await self._client.get_job(job.id)
            if not _already(now, state):
                raise
            return now, False  # another call was faster
        return job.model_copy(update=short.model_dump(exclude_unset=True)), True

    async def delete(self, job_id: str) -> bool:
        """Remove the job from the org; false where there was none."""
        self.policy.check_write()
        try:
            await self._client.delete_job(checked_job_id(job_id))
        except NotFound:
            return False
        await self._uploads.forget(job_id)
        if self._spool is not None:
            await self._spool.forget(await self.org(), job_id)
        return True

    async def upload(self, job_id: str, handed_in: HandedIn, *, dry_run: bool = False) -> UploadOutcome:
        """Check the rows and send them, once. The same rows again only report; an upload under way is joined.

        Raises:
            RowsRefused: the job would fail; nothing was sent.
            SentAgain: they were sent again before, to another job.
            UploadConflict: the job has other data, or an earlier upload was cut off.
            WrongState: the job is not open.
        """
        if not dry_run:
            self.policy.check_write()
        job = await self._client.get_job(checked_job_id(job_id))
        org, destination = await self.org(), Destination.of_job(job)
        brought = await self._resending.bring(org, handed_in, destination, self._seconds_left)
        if isinstance(brought, StillComing):
            return UploadOutcome(job, "checking", done_bytes=brought.done_bytes)
        planning = await self._planner.planning(brought.rows, job.object, destination)
        made = await planning.wait(self._seconds_left())
        if made is None:
            return UploadOutcome(job, "checking", done_bytes=planning.read_bytes)
        if dry_run:
            return await self._checked(job, made, brought)
        number = _checked_part(made, brought.rows)
        cleared = await self._resending.check(org, brought, made.rows_of(number), job.id)
        made = made.with_notes(cleared.notes)
        return await self._send(job, made, number, cleared)

    async def _checked(self, job: Job | None, plan: Plan, brought: Brought) -> UploadOutcome:
        """Rows that are not to be sent now."""
        _check_named(plan, brought.rows)
        rows = plan.rows_of(brought.rows.part)
        cleared = await self._resending.check(await self.org(), brought, rows, job.id if job else None)
        return UploadOutcome(job, "checked", plan.with_notes(cleared.notes), brought.rows.part or 1)

    async def _send(self, job: Job, plan: Plan, number: int, cleared: Cleared) -> UploadOutcome:
        org = await self.org()
        content: Content = part_content(plan, number)
        if self._spool is not None:
            content = self._spool.recorded(org, job, part_content(plan, number))
        transfer, status = await self._uploads.begin(job, content, lambda: self._resending.take(org, cleared, job.id))
        if status == "in progress" and await transfer.wait(self._seconds_left()):
            status = "uploaded"
        return UploadOutcome(job, status, plan, number, transfer.sent_bytes)

    async def page(self, job_id: str, kind: ResultKind, *, wanted: PageRequest, budget: PageSize) -> tuple[Job, Page]:
        """A page of one result, with the causes where rows failed.

        Raises:
            InvalidArgument: the result has no such column.
        """
        job = await self._client.get_job(checked_job_id(job_id))
        page = await self._spooled_page(job, kind, wanted, budget) or await self._streamed_page(
            job, kind, wanted, budget
        )
        is_whole = kind != "unprocessedrecords" and not wanted.columns
        if is_whole and page.columns and page.columns[0].lstrip("\ufeff") not in FIRST_COLUMNS:
            raise UnexpectedAnswer(
                f"The result does not begin with {ID_COLUMN} or {ERROR_COLUMN}, so it is not one of Salesforce's."
            )
        return job, page

    async def in_source_order(self, job: Job, kind: ResultKind) -> Path | None:
        """A file of the rows of a result, each with the row of the source that it was; None if that can't be had soon."""
        if self._spool is None:
            return None
        pending = self._spool.source_rows(await self.org(), job, kind)
        try:
            made = await pending.wait(min(SOURCE_ORDER_SECONDS, self._seconds_left()))
        except (OSError, SalesforceError, InvalidArgument, ResultNotReady) as error:
            logger.warning("rows of job %s can't be put in the order of their source: %s", job.id, error)
            return None
        return None if made is None else made.path

    async def _spooled_page(self, job: Job, kind: ResultKind, wanted: PageRequest, budget: PageSize) -> Page | None:
        """A page of what is kept here, which is brought here first; None where nothing is kept, or can be."""
        if self._spool is None or not job.is_terminal:
            return None
        fetch = self._spool.fetch(await self.org(), job, kind)
        try:
            result = await fetch.wait(self._seconds_left())
            if result is None:
                return not_here_yet(wanted, fetch.done_bytes)
            stop_at = time.monotonic() + self._seconds_left()
            return await anyio.to_thread.run_sync(
                lambda: page_of(result, job.delimiter, wanted, budget, lambda: time.monotonic() < stop_at)
            )
        except ResultNotReady:
            return PageBuilder(b"", job.delimiter, wanted, budget).page(ended=True, total=0)
        except OSError as error:
            logger.warning("results can't be kept on this machine: %s", error)
            return None

    async def _streamed_page(self, job: Job, kind: ResultKind, wanted: PageRequest, budget: PageSize) -> Page:
        reader = StreamedPage(job.delimiter, wanted, budget, whole=kind == "failedResults")
        with anyio.move_on_after(self._seconds_left()):
            async with self._client.results(job.id, kind) as chunks:
                await reader.read(chunks)
        return reader.page()

    async def _waited(self, job: Job, seconds: float, report: Report) -> Job:
        async def read() -> Job:
            return await self._client.get_job(job.id)

        return await wait_until_terminal(job, read, report, min(seconds, self._seconds_left()), sleep=self._sleep)


def _check_named(plan: Plan, rows: LoadRequest[RowSource]) -> None:
    """Raises SourceChanged or InvalidArgument where an earlier answer was about other rows, or there is no such part."""
    if rows.sha256 is not None and rows.sha256 != plan.sha256:
        raise SourceChanged(
            "The rows, or their shape, are not those that this sha256 was given for: begin again with dryRun and without "
            "sha256."
        )
    if not plan.has_errors:
        part_content(plan, rows.part or 1)


def _checked_part(plan: Plan, rows: LoadRequest[RowSource], refused: str = "nothing was sent") -> int:
    """Which part is to go.

    Args:
        plan: of the rows.
        rows: as they were handed in.
        refused: what has not happened where they are.

    Raises:
        RowsRefused: by the preflight; or they are more than a job takes, and no part was asked for.
        InvalidArgument: there is no such part.
        SourceChanged: they are not those that an earlier answer was about.
    """
    _check_named(plan, rows)
    if plan.has_errors:
        raise RowsRefused(f"These rows have errors by which a job fails or values are lost, so {refused}.", plan)
    if len(plan.parts) > 1 and (rows.part is None or rows.sha256 is None):
        raise RowsRefused(
            f"These rows are {plan.size:,} bytes, {len(plan.parts)} jobs' worth, so {refused}: name part "
            f"(1 to {len(plan.parts)}) and sha256 {plan.sha256}, and make a job for each part.",
            plan,
        )
    return rows.part or 1


def _already(job: Job, state: TargetState) -> bool:
    if state == "Aborted":
        return job.state == "Aborted"
    return job.state in {"UploadComplete", "InProgress", "JobComplete"}


def _locator(next_records_url: str | None) -> str | None:
    if next_records_url is None or next_records_url.lower() == "null":
        return None
    # Treated as a path: the host in it, if any, is never called.
    locator = parse_qs(next_records_url.partition("?")[2]).get("queryLocator", [None])[0]
    return locator if locator and len(locator) <= LONGEST_LOCATOR else None
