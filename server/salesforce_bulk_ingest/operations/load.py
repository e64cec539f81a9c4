"""Loading rows: check them, make a job for them, and send them to it."""

import hashlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from salesforce_bulk_ingest.base.errors import (
    IngestError,
    InvalidArgument,
    LoadedBefore,
    NoRowLeft,
    RefusedByPolicy,
    SourceChanged,
)
from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Finding
from salesforce_bulk_ingest.base.shared_task import REPORT_SECONDS, SharedTask
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.load_parts import LoadPart
from salesforce_bulk_ingest.cache.load_records import LoadRecord
from salesforce_bulk_ingest.comparison.org_comparison import OrgComparison
from salesforce_bulk_ingest.comparison.record_filter import LookedAt
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.by_record import ByRecord
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.operations.audit import Write
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.confirmation import Closing
from salesforce_bulk_ingest.operations.create_once import CreateOnce
from salesforce_bulk_ingest.operations.earlier_loads import Comparison, EarlierLoads, NewLoad, columns_of
from salesforce_bulk_ingest.operations.errors import FilledJobFailed, RowsRefused
from salesforce_bulk_ingest.operations.limits import seconds_left
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planning import LoadRequest, Planner
from salesforce_bulk_ingest.operations.policy import UploadBounds
from salesforce_bulk_ingest.operations.retry import Retries, Retry
from salesforce_bulk_ingest.operations.upload_once import Uploads, took_nothing
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import BEFORE, RetryRequest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Delimiter, Job, LineEnding, Operation
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

CREATE_SECONDS = 15.0
"""The part of a call's time that is reserved for making a job after its rows are checked: a call that ends meanwhile
would leave a job whose id nobody gets."""

ANSWER_SECONDS = 5.0
"""The part of a call's time that is left, after all that the org is asked, to make the answer of a dry run."""

AnySource = RowSource | RetryRequest
UploadStatus = Literal["checking", "checked", "nothing to send", "in progress", "uploaded", "already uploaded"]

_Unfinished = SharedTask[RetryFile] | SharedTask[Plan] | SharedTask[LookedAt]
"""A step of a load that did not end in time."""

ReportLoad = Callable[[int, int | None], Awaitable[None]]
"""Tells how far a load is: the bytes that were read so far, or sent so far, and for the latter how many are to be sent."""


async def silently(done_bytes: int, to_send: int | None) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """The properties of a job that is to be made; None leaves a property to the rows, or to Salesforce."""

    sobject: str
    operation: Operation
    external_id_field_name: str | None = None
    column_delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    content_type: str | None = None
    assignment_rule_id: str | None = None

    def body(self, dialect: Dialect | None = None) -> dict[str, object]:
        """Return the body of Salesforce's create request; a dialect, which rows are written in, overrides the properties."""
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
        """Return the job as a destination for rows that are checked before the job exists."""
        return Destination(
            operation=self.operation,
            external_id_field=self.external_id_field_name,
            delimiter=self.column_delimiter,
            line_ending=self.line_ending,
        )


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """The outcome of a load, or how far it is.

    Attributes:
        org: the org of the job.
        job: the job of the rows, or None if no job was made.
        status: the step that the load has reached.
        plan: the plan of the rows; None while the rows are still checked.
        part: the number of the part that was sent, or is being sent, from 1.
        done_bytes: the number of bytes read so far while the rows are checked, or sent so far while they are uploaded.
        is_repeat: whether an equal call made the job before, so that this call made none.
        refusal: for a dry run, why the load would be refused although its rows have no errors; None if it would not.
        comparison: for a dry run, the rows compared with the org; None if they were not.
    """

    org: Org
    job: Job | None
    status: UploadStatus
    plan: Plan | None = None
    part: int = 1
    done_bytes: int = 0
    is_repeat: bool = False
    refusal: RefusedByPolicy | LoadedBefore | None = None
    comparison: OrgComparison | None = None


@dataclass(frozen=True, slots=True)
class SendOnce:
    """What keeps rows from going twice.

    Attributes:
        uploads: sends rows to a job, once.
        creates: makes the jobs of rows, one for all equal calls.
        retries: fetches rows of earlier jobs, each of which is retried once.
        earlier_loads: knows which rows went into earlier jobs.
    """

    uploads: Uploads
    creates: CreateOnce
    retries: Retries
    earlier_loads: EarlierLoads


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is known of rows that went before: findings, and the comparison with earlier loads, if there was one.

    Attributes:
        refusal: for a dry run, why rows that went before would be refused; None if they would not.
    """

    notes: tuple[Finding, ...] = ()
    comparison: Comparison | None = None
    refusal: LoadedBefore | None = None


@dataclass(frozen=True, slots=True)
class _PlannedLoad:
    """A load with its plan.

    Attributes:
        org: the org of the job.
        request: the request of the caller.
        sobject: the object of the rows; None if it is not known.
        destination: the job, or the job that is to be made.
        plan: the plan of the rows that go.
        whole: the plan of these and of those that are left out by their records.
        looked: what a look at these records found in this call; None if there was none.
        retry: the retry where the rows are rows of earlier jobs.
        earlier_loads: knows which rows went into earlier jobs.
        bounds: the bounds of the upload that the policy sets; None if it sets none.
        report: tells how far the load is.
    """

    org: Org
    request: LoadRequest[RowSource]
    sobject: str | None
    destination: Destination
    plan: Plan
    whole: Plan
    looked: LookedAt | None
    retry: Retry | None
    earlier_loads: EarlierLoads
    bounds: UploadBounds | None
    report: ReportLoad

    @property
    def needs_comparison(self) -> bool:
        """Whether its recipe has bounds that only a comparison of all columns with the org can hold it to."""
        return self.request.bounds is not None and self.request.bounds.needs_comparison and not self.went_before

    def check_recipe(self, comparison: OrgComparison | None) -> None:
        """Raise RefusedByPolicy where its recipe does not let the whole load into jobs."""
        if self.request.bounds is not None and not self.went_before:
            self.request.bounds.check(self.whole, comparison, writes=not self.is_empty)

    def check_part(self, number: int) -> None:
        """Raise RefusedByPolicy where the policy does not let this part into a job."""
        if self.bounds is not None:
            part = self.plan.parts[number - 1]
            self.bounds.check(part.rows, part.size, self.plan.header, "These rows can't be read as CSV with a header.")

    @property
    def by_record(self) -> ByRecord:
        """How rows are left out by their records, and which of them are."""
        return self.request.mapping.leave_out.by_record

    @property
    def is_empty(self) -> bool:
        """Whether all rows are left out by their records, so that there is nothing to send."""
        return self.by_record.leaves_rows_out and not self.plan.rows

    @property
    def went_before(self) -> bool:
        """Whether a job has these rows, as the record of what was left out of it tells, so that they were judged then."""
        return self.by_record.found is not None and self.looked is None

    @property
    def looked_for(self) -> str:
        """A text that is equal for the same rows that are left out by their records in the same way."""
        return f"{self.whole.sha256} {self.by_record.match} {self.by_record.changed_only}"

    @property
    def several_records(self) -> tuple[Finding, ...]:
        """The finding that rows name several records, as far as a look at these told it."""
        return self.looked.several_records if self.looked else ()

    @property
    def compared(self) -> Plan:
        """The plan whose sample a dry run compares with the org: of all rows but those that `match` leaves out.

        Those that would change nothing are among them, since shares of rows that do are judged.
        """
        sample = self.whole.sample
        if self.looked is None or sample is None:
            return self.whole
        return replace(self.plan, sample=sample.without(self.looked.unmatched_numbers))

    def new_load(self, part: int | None) -> NewLoad | None:
        """Return the rows of a part, or of all parts for None, to be compared with earlier loads; None if they can't be."""
        sketch, operation = self.plan.sketch_of(part), self.destination.operation
        if sketch is None or operation is None or (self.retry is not None and self.retry.inserts_again):
            return None
        rows = LoadRecord(operation, columns_of(self.sobject or "", self.plan.header), sketch)
        from_jobs = () if self.retry is None else self.retry.jobs
        return NewLoad(self.org, rows, self.earlier_loads, self.request.load_again, from_jobs)

    def part(self, number: int) -> LoadPart | None:
        """Return what a part is, for the record of the load; None where it is not known where the rows come from."""
        origin, plan = self.request.origin, self.plan
        return None if origin is None else LoadPart(origin, number, len(plan.parts), plan.rows, plan.sha256)

    def rows_of(self, part: int | None) -> int:
        """Return the number of rows of a part; for None, or a part that can't be made, of all of them."""
        parts = self.plan.parts
        return self.plan.rows if part is None or not 1 <= part <= len(parts) else parts[part - 1].rows

    def compare(self, part: int | None, job: Job | None) -> SharedTask[Comparison] | None:
        """Return the task that compares rows with those of earlier jobs, or None if there is nothing to compare."""
        load = self.new_load(part)
        return None if load is None else load.compare(job.id if job else None)

    async def check(
        self, part: int | None, job: Job | None, comparison: Comparison | None, *, dry_run: bool = False
    ) -> _Checked:
        """Check whether rows may be sent that may have gone before; see `Retry.check` and `NewLoad.judge`."""
        notes = list[Finding]()
        if self.retry is not None:
            notes += await self.retry.check(partial(self.plan.source_rows_of, part), job.id if job else None)
        load = self.new_load(part)
        refusal = None
        if load is not None and comparison is not None:
            notes += load.judge(comparison, dry_run=dry_run)
            refusal = load.refusal(comparison)
        return _Checked(tuple(notes), comparison, refusal)

    async def record(self, part: int, job_id: str, checked: _Checked) -> tuple[Finding, ...]:
        """Record which rows the job gets, before they are sent; see `Retry.record` and `NewLoad.record`."""
        notes = () if self.retry is None else await self.retry.record(job_id)
        load = self.new_load(part)
        if load is not None and checked.comparison is not None:
            notes += await load.record(job_id, checked.comparison)
        return notes


class LoadOperations:
    """The operations that load rows.

    Args:
        client: the client of the org.
        rules: the operator's rules for changes.
        planner: plans the load.
        once: what keeps rows from going twice.
        comparisons: compares rows with the org: those of a dry run, and those of a recipe whose bounds need it.
        seconds_left: returns the seconds that the current call may still wait.

    Every method raises `SalesforceError` where Salesforce refuses the call or can't be reached, and `IngestError` where this
    server refuses the call.
    """

    def __init__(
        self,
        client: SalesforceClient,
        rules: ChangeRules,
        planner: Planner,
        once: SendOnce,
        comparisons: OrgComparisons,
        *,
        seconds_left: Callable[[], float] = seconds_left,
        report_seconds: float = REPORT_SECONDS,
    ) -> None:
        self._client = client
        self._rules = rules
        self._planner = planner
        self._once = once
        self._comparisons = comparisons
        self._seconds_left = seconds_left
        self._report_seconds = report_seconds

    async def create_with_rows(
        self,
        create: CreateRequest,
        request: LoadRequest[AnySource],
        *,
        dry_run: bool,
        lines: int = LINES_SHOWN,
        report: ReportLoad = silently,
    ) -> UploadOutcome:
        """Check the rows, make a job with the delimiter and line ending of the rows, and send them.

        An equal call while this one runs, or some minutes after it, goes on with the same job.

        Raises:
            RowsRefused: the job would fail; no job was made.
            SentAgain: the rows were retried before; no job was made.
            LoadedBefore: the rows of an insert went into another job before; no job was made.
            FilledJobFailed: the job was made, but the rows did not arrive, or it is not known whether they did.
        """
        is_undo = await self._is_undo(create.operation, request)
        if not dry_run:
            async with self._rules.audit.of(Write(action="create", operation=create.operation, sobject=create.sobject)):
                self._rules.policy.check_create(create.sobject, create.operation, is_undo=is_undo)
                self._check_way(request)

        def seconds() -> float:
            return self._seconds_left() - (0 if dry_run else CREATE_SECONDS)

        org = await self._client.org()
        wanted, destination = _counted(request, dry_run=dry_run), create.destination()
        version, call = await run_in_thread(_version_and_call, org, create, request)
        # Rows that the job of an equal call has are those of this one: neither to be skipped nor to be looked for again.
        by_others = _is_by_other_rows(request) and not dry_run
        earlier = await self._once.creates.made_before(call) if by_others else None
        load = await self._planned(
            org, wanted, create.sobject, destination, earlier.id if earlier else None, seconds, report
        )
        if isinstance(load, SharedTask):
            return UploadOutcome(org, None, "checking", done_bytes=load.done_bytes)
        if load.retry is None and load.whole.version != version:
            raise SourceChanged("The rows were changed before they were checked.")
        if dry_run:
            return await self._dry_run(load, None, lines, is_undo=is_undo)
        write = Write(action="create", operation=create.operation, sobject=create.sobject)
        number = await self._part_to_send(load, write, seconds, lines, "no job was made and nothing was sent")
        if number is None:
            return UploadOutcome(org, None, "checking", done_bytes=load.plan.size)
        if load.is_empty:
            return UploadOutcome(org, None, "nothing to send", load.plan)

        async def check() -> _Checked:
            comparing = load.compare(number, None)
            return await load.check(number, None, await comparing.finished() if comparing else None)

        making, is_repeat = await self._once.creates.make(call, create.body(load.plan.dialect), check)
        if not await making.wait(self._seconds_left()) or making.result is None:
            return UploadOutcome(org, None, "checking", done_bytes=load.plan.size)
        job = making.result.job
        try:
            await self._planner.keep_for_job(load.plan, load.request, job)
            if is_repeat:
                outcome = await self._check_and_send(load, job, number)
            else:
                outcome = await self._send(load, job, number, making.result.checked or _Checked())
        except (SalesforceError, IngestError) as error:
            raise FilledJobFailed(job.id, error, is_empty=took_nothing(error)) from error
        return replace(outcome, is_repeat=is_repeat)

    async def upload(
        self,
        job_id: str,
        request: LoadRequest[AnySource],
        *,
        dry_run: bool = False,
        lines: int = LINES_SHOWN,
        report: ReportLoad = silently,
    ) -> UploadOutcome:
        """Check the rows and send them to the job; a repeated call with the same rows joins their upload or changes nothing.

        Raises:
            RowsRefused: the job would fail; nothing was sent.
            SentAgain: the rows were retried before, in another job.
            LoadedBefore: the rows of an insert went into another job before.
            UploadConflict: the job has other data, or an earlier upload was cut off.
            WrongState: the job is not open.
        """
        if not dry_run:
            async with self._rules.audit.of(Write(action="upload", job_id=job_id)):
                self._rules.policy.check_write()
                self._check_way(request)
        job = await self._client.get_job(checked_job_id(job_id))
        if not dry_run:
            async with self._rules.audit.of(Write.to(job, "upload")):
                # An undo goes into a job that is made for it: one that is there may have other rows, from elsewhere.
                self._rules.policy.check_job(job)
                _check_recipe_of(job, request)
        else:
            _check_recipe_of(job, request)
        org = await self._client.org()
        wanted, destination = _counted(request, dry_run=dry_run), Destination.of_job(job)
        load = await self._planned(org, wanted, job.object, destination, job.id, self._seconds_left, report)
        if isinstance(load, SharedTask):
            return UploadOutcome(org, job, "checking", done_bytes=load.done_bytes)
        if dry_run:
            return await self._dry_run(load, job, lines)
        number = await self._part_to_send(load, Write.to(job, "upload"), self._seconds_left, lines, "nothing was sent")
        if number is None:
            return UploadOutcome(org, job, "checking", done_bytes=load.plan.size)
        if load.is_empty and job.state == "Open" and await self._once.uploads.state_of(org, job.id) == "unknown":
            return UploadOutcome(org, job, "nothing to send", load.plan)
        return await self._check_and_send(load, job, number)

    async def _is_undo(self, operation: str | None, request: LoadRequest[AnySource]) -> bool:
        """Return whether the policy lets rows through since they are ids of what jobs of this server created, unchanged."""
        source, origin = request.source, request.origin
        if not isinstance(source, RetryRequest) or not self._rules.policy.lets_undo_through(operation):
            return False
        if origin is None or origin.created_by != source.jobs:
            return False
        return await self._once.uploads.are_of_own_jobs(await self._client.org(), origin)

    def _check_way(self, request: LoadRequest[AnySource]) -> None:
        """Raise RefusedByPolicy where rows may not be loaded unchecked, or without a recipe."""
        self._rules.policy.check_preflight(preflight=request.preflight)
        self._rules.policy.check_recipe(is_by_recipe=request.bounds is not None)

    async def _part_to_send(
        self, load: _PlannedLoad, write: Write, seconds: Callable[[], float], lines: int, refused: str
    ) -> int | None:
        """Return the number of the part that goes, which is held to its bounds; None where that takes longer than the call.

        Args:
            load: the load.
            write: the change that is to be made, for the audit of a refusal.
            seconds: returns the seconds that the call may still wait.
            lines: the number of lines on which the findings of a refusal name the rows.
            refused: the end of the message of a refusal, which says what was not done.

        Raises:
            RowsRefused, InvalidArgument, SourceChanged: see `_checked_part`.
            RefusedByPolicy: the policy does not let this part into a job, or the recipe the whole load.
        """
        number = await _checked_part(load.plan, load.request, lines, refused)
        comparison = None
        if load.needs_comparison:
            comparing = self._comparisons.start(load.org, load.compared, load.sobject, load.destination, None)
            if comparing is not None:
                if not await comparing.wait(seconds()):
                    return None
                comparison = comparing.result
        async with self._rules.audit.of(write):
            load.check_recipe(comparison)
            load.check_part(number)
        return number

    async def _check_and_send(self, load: _PlannedLoad, job: Job, number: int) -> UploadOutcome:
        """Check whether the rows went before, and send them."""
        comparing = None
        # Rows that the job has already were compared when they went; the upload tells whether these are they.
        if job.state == "Open" and await self._once.uploads.state_of(load.org, job.id) == "unknown":
            comparing = load.compare(number, job)
            if comparing is not None and not await comparing.wait(self._seconds_left()):
                return UploadOutcome(load.org, job, "checking", done_bytes=load.plan.size)
        checked = await load.check(number, job, comparing.result if comparing else None)
        return await self._send(load, job, number, checked)

    async def _planned(
        self,
        org: Org,
        request: LoadRequest[AnySource],
        sobject: str | None,
        destination: Destination,
        job_id: str | None,
        seconds: Callable[[], float],
        report: ReportLoad,
    ) -> _PlannedLoad | _Unfinished:
        """Return the load with the plan of the rows that go, or the task that did not end in time.

        Args:
            org: the org of the job.
            request: the request of the caller.
            sobject: the object of the rows; None if it is not known.
            destination: the job, or the job that is to be made.
            job_id: the id of the job that may have the rows already; None if there is none.
            seconds: returns the seconds that the call may still wait.
            report: tells how far the load is.
        """
        load = await self._plan(org, request, sobject, destination, job_id, seconds, report)
        if isinstance(load, SharedTask) or not load.by_record.is_asked or load.whole.has_errors:
            return load
        return await self._without_left_out(load, job_id, seconds)

    async def _plan(
        self,
        org: Org,
        request: LoadRequest[AnySource],
        sobject: str | None,
        destination: Destination,
        job_id: str | None,
        seconds: Callable[[], float],
        report: ReportLoad,
    ) -> _PlannedLoad | _Unfinished:
        """Return the load with the plan of all rows, or the task that did not end in time; see `_planned`."""
        _check_by_record(request, destination.operation)

        def read(done_bytes: int) -> Awaitable[None]:
            return report(done_bytes, None)

        retry = None
        if isinstance(request.source, RetryRequest):
            fetch = await self._once.retries.fetch(org, request.source, destination, job_id)
            try:
                if not await fetch.wait(seconds(), read, report_seconds=self._report_seconds):
                    return fetch
            except NoRowLeft as error:
                raise await self._once.retries.all_sent(org, error) from error
            retry = self._once.retries.retry(org, request.source, fetch.result)
            readable = request.with_source(retry.source, retry.notes)
            readable = replace(readable, load_again=request.load_again or request.source.again)
            destination = replace(destination, gives_back=BEFORE in request.source.which)
        else:
            readable = request.with_source(request.source)
        planning = await self._planner.plan(readable, sobject, destination)
        if not await planning.wait(seconds(), read, report_seconds=self._report_seconds):
            return planning
        plan, earlier_loads = planning.result, self._once.earlier_loads
        bounds = self._rules.policy.bounds_of(sobject, destination.operation, destination.external_id_field)
        return _PlannedLoad(org, readable, sobject, destination, plan, plan, None, retry, earlier_loads, bounds, report)

    async def _without_left_out(
        self, load: _PlannedLoad, job_id: str | None, seconds: Callable[[], float]
    ) -> _PlannedLoad | _Unfinished:
        """Return the load of the rows that are not left out by their records, or the task that did not end in time."""
        looked = None
        found = None if job_id is None else await self._once.uploads.look_of(load.org, job_id, load.looked_for)
        if found is None:
            looking = self._comparisons.look(load.org, load.whole, load.sobject, load.destination, load.by_record)
            if not await looking.wait(seconds()):
                return looking
            looked = looking.result
            found = looked.left_out
        request = load.request.leaving_out(found, looked.findings if looked else ())
        planning = await self._planner.plan(request, load.sobject, load.destination)
        if not await planning.wait(seconds()):
            return planning
        plan = planning.result
        if plan.version != load.whole.version:
            raise SourceChanged("The rows were changed while their records were looked for.")
        if len(plan.parts) > 1:
            raise InvalidArgument(
                f"match and changedOnly take the rows of one job, and these are {len(plan.parts)} jobs' worth: with the "
                "first of them in the org, a look would leave others out. Split the rows.",
                (load.by_record.word,),
            )
        return replace(load, request=request, plan=plan, looked=looked)

    async def _dry_run(
        self, load: _PlannedLoad, job: Job | None, lines: int, *, is_undo: bool = False
    ) -> UploadOutcome:
        """Return the outcome of a dry run.

        Args:
            load: the load.
            job: the job of the rows; None if there is none yet.
            lines: the number of lines on which its findings name the rows.
            is_undo: whether the policy lets the load through only since it undoes what jobs of this server created.
        """
        _check_part_and_sha256(load.plan, load.request)
        part = load.request.part
        # With a look before it, a comparison could take longer than a call, and each repeat would begin with another look.
        seconds = math.inf if load.looked is None else self._seconds_left() - ANSWER_SECONDS
        names = None if load.needs_comparison else load.request.compare
        looking = self._comparisons.start(
            load.org, load.compared, load.sobject, load.destination, names, seconds=seconds
        )
        comparing = load.compare(part, job)
        for task in (comparing, looking):
            if task is not None and not await task.wait(self._seconds_left()):
                return UploadOutcome(load.org, job, "checking", done_bytes=load.plan.size)
        checked = await load.check(part, job, comparing.result if comparing else None, dry_run=True)
        comparison = looking.result if looking else None
        if comparison is not None and load.looked is not None:
            comparison = replace(comparison, api_calls=comparison.api_calls + load.looked.api_calls)
        refusal = self._refusal_of(load, comparison, is_undo=is_undo)
        closing = Closing(load.org, "", load.destination.operation, load.sobject, load.rows_of(part))
        foreseen = self._rules.close_guard.foreseen(closing, is_undo=is_undo)
        named = await run_in_thread(load.plan.with_named_rows, lines)
        if comparison is not None:
            named = replace(named, findings=comparison.findings_with(named.findings))
        several = () if comparison is not None else load.several_records
        plan = named.with_notes((*_as_findings(refusal), *several, *checked.notes, *foreseen))
        twice = None if plan.has_errors else checked.refusal
        status: UploadStatus = "nothing to send" if load.is_empty and refusal is None else "checked"
        return UploadOutcome(load.org, job, status, plan, part or 1, refusal=refusal or twice, comparison=comparison)

    def _refusal_of(
        self, load: _PlannedLoad, comparison: OrgComparison | None, *, is_undo: bool
    ) -> RefusedByPolicy | None:
        """Return what the policy would refuse a load with, of one part or of all; None if it would not."""
        asked = load.request.part
        try:
            self._rules.policy.check_create(load.sobject, load.destination.operation, is_undo=is_undo)
            self._check_way(load.request)
            load.check_recipe(comparison)
            for part in load.plan.parts:
                if asked in (None, part.number):
                    load.check_part(part.number)
        except RefusedByPolicy as refusal:
            return refusal
        return None

    async def _send(self, load: _PlannedLoad, job: Job, number: int, checked: _Checked) -> UploadOutcome:
        plan = load.plan.with_notes((*load.several_records, *checked.notes))
        uploads = self._once.uploads
        content = uploads.archived(load.org, job, plan.content_of(number))

        async def record() -> tuple[Finding, ...]:
            if load.by_record.found is not None:
                await uploads.record_look(load.org, job.id, load.looked_for, load.by_record.found)
            return await load.record(number, job.id, checked)

        upload = await uploads.begin(load.org, job, content, record, load.part(number))

        def sent(done_bytes: int) -> Awaitable[None]:
            return load.report(done_bytes, content.size)

        is_done = upload is None or await upload.wait(self._seconds_left(), sent, report_seconds=self._report_seconds)
        plan = plan.with_notes(uploads.notes_of(load.org, job.id))
        if upload is None:
            return UploadOutcome(load.org, job, "already uploaded", plan, number)
        status: UploadStatus = "uploaded" if is_done else "in progress"
        return UploadOutcome(load.org, job, status, plan, number, upload.done_bytes)


def _check_recipe_of(job: Job, request: LoadRequest[AnySource]) -> None:
    """Raise OutOfBounds where the rows go by a recipe that is for a job of another kind."""
    if request.bounds is not None:
        request.bounds.check_job(job.object, job.operation, job.external_id_field_name)


def _counted(request: LoadRequest[AnySource], *, dry_run: bool) -> LoadRequest[AnySource]:
    """Return the request, for a plan that has a profile of the rows where a dry run shows it, or bounds are held by it."""
    return replace(request, profiled=dry_run or (request.bounds is not None and request.bounds.needs_profile))


def _check_by_record(request: LoadRequest[AnySource], operation: str | None) -> None:
    """Raise InvalidArgument where rows of this operation can't be left out by their records."""
    by_record = request.mapping.leave_out.by_record
    if by_record.match is not None and operation != "upsert":
        raise InvalidArgument("match is for upserts, which alone write new and old records: leave it out.", ("match",))
    if by_record.changed_only and operation not in ("update", "upsert"):
        raise InvalidArgument("changedOnly is for updates and upserts: leave it out.", ("changedOnly",))
    if by_record.is_asked and not request.preflight:
        raise InvalidArgument(
            f"{by_record.word} takes rows that are checked: leave preflight out.", ("preflight",), "on"
        )


def _as_findings(refusal: RefusedByPolicy | None) -> tuple[Finding, ...]:
    if refusal is None:
        return ()
    return (Finding("error", f"Without dryRun this is refused. {refusal}", "Tell the user.", count=1),)


def _is_by_other_rows(request: LoadRequest[AnySource]) -> bool:
    """Return whether the rows that go depend on those that went before, or on the records that are there."""
    skips_sent = isinstance(request.source, RetryRequest) and request.source.skip_sent
    return skips_sent or request.mapping.leave_out.by_record.is_asked


def _version_and_call(org: Org, create: CreateRequest, request: LoadRequest[AnySource]) -> tuple[object, str]:
    """Return what the rows are known by, and a value that is equal for calls that ask for the same job with these rows."""
    source = request.source
    version = source if isinstance(source, RetryRequest) else source.version()
    facts = (org.key, create, type(source).__name__, version, request.with_source(None))
    return version, hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


def _check_part_and_sha256(plan: Plan, request: LoadRequest[RowSource]) -> None:
    """Raise SourceChanged where the SHA-256 is of other rows, and InvalidArgument where the part does not exist."""
    if request.sha256 is not None and request.sha256 != plan.sha256:
        by_record = request.mapping.leave_out.by_record.is_asked
        what = "The rows, their mapping, or their records in the org," if by_record else "The rows, or their mapping,"
        raise SourceChanged(
            f"{what} are not those that this sha256 was given for: begin again with dryRun and without sha256."
        )
    if not plan.has_errors:
        plan.content_of(request.part or 1)


async def _checked_part(plan: Plan, request: LoadRequest[RowSource], lines: int, refused: str) -> int:
    """Return the number of the part that is to be sent.

    Args:
        plan: the plan of the rows.
        request: the request of the caller.
        lines: the number of lines on which the findings of a refusal name the rows.
        refused: the end of the message of a refusal, which says what was not done.

    Raises:
        RowsRefused: the preflight found errors; or the rows are more than a job takes, and the request lacks part or sha256.
        InvalidArgument: the part does not exist.
        SourceChanged: the SHA-256 in the request is of other rows.
    """
    _check_part_and_sha256(plan, request)
    message = _refusal_of_rows(plan, request, refused)
    if message is not None:
        raise RowsRefused(message, await run_in_thread(plan.with_named_rows, lines))
    return request.part or 1


def _refusal_of_rows(plan: Plan, request: LoadRequest[RowSource], refused: str) -> str | None:
    """Return the message of the refusal of rows; None if they may go."""
    if plan.has_errors:
        return f"These rows have errors by which a job fails or values are lost, so {refused}."
    if len(plan.parts) > 1 and (request.part is None or request.sha256 is None):
        return (
            f"These rows are {plan.size:,} bytes, {len(plan.parts)} jobs' worth, so {refused}: name part "
            f"(1 to {len(plan.parts)}) and sha256 {plan.sha256}, and make a job for each part."
        )
    return None
