"""A load from its request to the rows that go: fetched, planned, and without those that their records leave out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import anyio

from salesforce_bulk_ingest.base.errors import InvalidArgument, LoadedBefore, NoRowLeft, SourceChanged
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask
from salesforce_bulk_ingest.base.threads import check_cancelled, run_in_thread
from salesforce_bulk_ingest.cache.load_parts import LoadPart
from salesforce_bulk_ingest.cache.load_records import LoadRecord
from salesforce_bulk_ingest.comparison.mistakes import Mistake
from salesforce_bulk_ingest.comparison.org_comparison import OrgComparison
from salesforce_bulk_ingest.comparison.record_filter import LookedAt
from salesforce_bulk_ingest.loading.by_record import ByRecord
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.operations.earlier_loads import Comparison, EarlierLoads, NewLoad, columns_of
from salesforce_bulk_ingest.operations.errors import RowsRefused
from salesforce_bulk_ingest.operations.load_outcome import ReportLoad
from salesforce_bulk_ingest.operations.load_request import AnySource, LoadRequest
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planning import Planner
from salesforce_bulk_ingest.operations.policy import Policy, UploadBounds
from salesforce_bulk_ingest.operations.retry import Retry
from salesforce_bulk_ingest.operations.send_once import SendOnce
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import BEFORE, RetryRequest
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

Unfinished = SharedTask[RetryFile] | SharedTask[Plan] | SharedTask[LookedAt]
"""A step on the way to a planned load that did not end in time."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of rows that may have gone before, or undo what went.

    Attributes:
        effects: what the rows do to records of earlier jobs.
        notes: findings about rows that went before.
        comparison: the comparison with earlier loads, if there was one.
        refusal: for a dry run, why rows that went before would be refused; None if they would not.
    """

    effects: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    comparison: Comparison | None = None
    refusal: LoadedBefore | None = None


@dataclass(frozen=True, slots=True)
class PlannedLoad:
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
    def mistakes(self) -> tuple[Mistake, ...]:
        """What looks like a mistake in how rows are left out by their records."""
        return self.looked.mistakes if self.looked else ()

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
    ) -> Checked:
        """Check whether rows may be sent that may have gone before; see `Retry.check` and `NewLoad.judge`."""
        effects, notes = list[Finding](), list[Finding]()
        if self.retry is not None:
            rows = await run_in_thread(self.plan.source_rows_of, part)
            effects += await self.retry.effects(rows)
            notes += await self.retry.check(rows, job.id if job else None)
        load = self.new_load(part)
        refusal = None
        if load is not None and comparison is not None:
            notes += load.judge(comparison, dry_run=dry_run)
            refusal = load.refusal(comparison)
        return Checked(tuple(effects), tuple(notes), comparison, refusal)

    async def record(self, part: int, job_id: str, checked: Checked) -> tuple[Finding, ...]:
        """Record which rows the job gets, before they are sent; see `Retry.record` and `NewLoad.record`."""
        notes = () if self.retry is None else await self.retry.record(job_id)
        load = self.new_load(part)
        if load is not None and checked.comparison is not None:
            notes += await load.record(job_id, checked.comparison)
        return notes

    def check_part_and_sha256(self) -> None:
        """Raise SourceChanged where the SHA-256 is of other rows, and InvalidArgument where the part does not exist."""
        if self.request.sha256 not in (None, self.plan.sha256):
            causes = "their mapping, or their records in the org" if self.by_record.is_asked else "or their mapping"
            raise SourceChanged(
                f"The rows, {causes}, are not those that this sha256 was given for: begin again with dryRun and without "
                "sha256."
            )
        if not self.plan.has_errors:
            self.plan.content_of(self.request.part or 1)

    async def checked_part(self, lines: int, refused: str, seconds: Callable[[], float]) -> int:
        """Return the number of the part that is to be sent.

        Args:
            lines: the number of lines on which the findings of a refusal name the rows.
            seconds: returns the seconds that the call may still wait.
            refused: the end of the message of a refusal, which says what was not done.

        Raises:
            RowsRefused: the preflight found errors; or the rows are more than a job takes, and the request lacks part or
                sha256.
            InvalidArgument: the part does not exist.
            SourceChanged: the SHA-256 in the request is of other rows.
        """
        self.check_part_and_sha256()
        message = _refusal_of_rows(self.plan, self.request, refused)
        if message is not None:
            raise RowsRefused(message, await with_named_rows(self.plan, lines, seconds()))
        return self.request.part or 1


async def with_named_rows(plan: Plan, lines: int, seconds: float) -> Plan:
    """Return a plan that names rows, see `Plan.with_named_rows`; as it is where to read them takes longer than this."""
    with anyio.move_on_after(seconds):
        return await run_in_thread(plan.with_named_rows, lines, check_cancelled)
    return plan


class LoadPlanner:
    """Plans loads: fetches the rows of earlier jobs, plans all rows, and looks which of them their records leave out.

    Args:
        planner: makes the plans of rows.
        once: what keeps rows from going twice.
        comparisons: looks for the records of rows.
        policy: the rules that the operator set.
        report_seconds: the seconds between two reports of how far a load is.
    """

    def __init__(
        self, planner: Planner, once: SendOnce, comparisons: OrgComparisons, policy: Policy, report_seconds: float
    ) -> None:
        self._planner = planner
        self._once = once
        self._comparisons = comparisons
        self._policy = policy
        self._report_seconds = report_seconds

    async def plan(
        self,
        org: Org,
        request: LoadRequest[AnySource],
        sobject: str | None,
        destination: Destination,
        job_id: str | None,
        seconds: Callable[[], float],
        report: ReportLoad,
        *,
        profiled: bool = False,
    ) -> PlannedLoad | Unfinished:
        """Return the load with the plan of the rows that go, or the task that did not end in time.

        Args:
            org: the org of the job.
            request: the request of the caller.
            sobject: the object of the rows; None if it is not known.
            destination: the job, or the job that is to be made.
            job_id: the id of the job that may have the rows already; None if there is none.
            seconds: returns the seconds that the call may still wait.
            report: tells how far the load is.
            profiled: whether the outcome needs a profile of the rows; the bounds of a recipe may need one, too.
        """
        request.check_by_record(destination.operation)
        profiled = profiled or (request.bounds is not None and request.bounds.needs_profile)

        def read(done_bytes: int) -> Awaitable[None]:
            return report(done_bytes, None)

        retry = None
        if isinstance(request.source, RetryRequest):
            leave_out = request.mapping.leave_out
            fetch = await self._once.retries.fetch(org, request.source, sobject, destination, leave_out, job_id)
            try:
                if not await fetch.wait(seconds(), read, report_seconds=self._report_seconds):
                    return fetch
            except NoRowLeft as error:
                raise await self._once.retries.all_sent(org, error) from error
            retry = self._once.retries.retry(org, request.source, fetch.result, destination.operation)
            readable = request.of_fetched(retry.source, retry.notes)
            readable = replace(readable, load_again=request.load_again or request.source.again)
            destination = replace(destination, gives_back=BEFORE in request.source.which)
        else:
            readable = request.with_source(request.source)
        planning = await self._planner.plan(readable, sobject, destination, profiled=profiled)
        if not await planning.wait(seconds(), read, report_seconds=self._report_seconds):
            return planning
        plan, earlier_loads = planning.result, self._once.earlier_loads
        bounds = self._policy.bounds_of(sobject, destination.operation, destination.external_id_field)
        load = PlannedLoad(org, readable, sobject, destination, plan, plan, None, retry, earlier_loads, bounds, report)
        is_done = retry is not None and retry.is_done
        if not load.by_record.is_asked or plan.has_errors or is_done:
            return load
        return await self._without_left_out(load, job_id, seconds, profiled=profiled)

    async def _without_left_out(
        self, load: PlannedLoad, job_id: str | None, seconds: Callable[[], float], *, profiled: bool
    ) -> PlannedLoad | Unfinished:
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
        planning = await self._planner.plan(request, load.sobject, load.destination, profiled=profiled)
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
