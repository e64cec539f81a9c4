"""Loading rows: check them, make a job for them, and send them to it."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from salesforce_bulk_ingest.base.errors import IngestError, SourceChanged
from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Finding
from salesforce_bulk_ingest.base.shared_task import REPORT_SECONDS, SharedTask
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.operations.audit import Write
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.dry_run import DryRuns
from salesforce_bulk_ingest.operations.errors import FilledJobFailed
from salesforce_bulk_ingest.operations.limits import seconds_left
from salesforce_bulk_ingest.operations.load_outcome import ReportLoad, UploadOutcome, UploadStatus, silently
from salesforce_bulk_ingest.operations.load_request import AnySource, CreateRequest, LoadRequest
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planned_load import Checked, LoadPlanner, PlannedLoad, with_named_rows
from salesforce_bulk_ingest.operations.planning import Planner
from salesforce_bulk_ingest.operations.send_once import SendOnce
from salesforce_bulk_ingest.operations.upload_once import took_nothing
from salesforce_bulk_ingest.results.retry_request import RetryRequest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

CREATE_SECONDS = 15.0
"""The part of a call's time that is reserved for making a job after its rows are checked: a call that ends meanwhile
would leave a job whose id nobody gets."""

NAMED = frozenset[UploadStatus]({"nothing to send", "uploaded", "already uploaded"})
"""The last steps of a load: only then are rows named, since a call that goes on with the load has no time to spare."""


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
        self._loads = LoadPlanner(planner, once, comparisons, rules.policy, report_seconds)
        self._dry_runs = DryRuns(self._loads, comparisons, rules, seconds_left)

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
        is_undo, destination = await self._is_undo(create.operation, request), create.destination()
        if dry_run:
            org = await self._client.org()
            return await self._dry_runs.run(
                org, request, create.sobject, destination, None, lines, report, is_undo=is_undo
            )
        write = Write(action="create", operation=create.operation, sobject=create.sobject)
        async with self._rules.audit.of(write):
            self._rules.policy.check_create(create.sobject, create.operation, is_undo=is_undo)
            request.check_allowed(self._rules.policy)

        def seconds() -> float:
            return self._seconds_left() - CREATE_SECONDS

        org = await self._client.org()
        version, call = await run_in_thread(_version_and_call, org, create, request)
        # Rows that the job of an equal call has are those of this one: neither to be skipped nor to be looked for again.
        earlier = await self._once.creates.made_before(call) if _is_by_other_rows(request) else None
        earlier_id = None if earlier is None else earlier.id
        load = await self._loads.plan(org, request, create.sobject, destination, earlier_id, seconds, report)
        if isinstance(load, SharedTask):
            return UploadOutcome(org, None, "checking", done_bytes=load.done_bytes)
        if load.retry is None and load.whole.version != version:
            raise SourceChanged("The rows were changed before they were checked.")
        number = await self._part_to_send(load, write, seconds, lines, "no job was made and nothing was sent")
        if number is None:
            return UploadOutcome(org, None, "checking", done_bytes=load.plan.size)
        if load.is_empty:
            return await self._nothing_to_send(load, None, lines)
        return await self._named(await self._make_and_send(create, call, load, number), lines)

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
                request.check_allowed(self._rules.policy)
        job = await self._client.get_job(checked_job_id(job_id))
        destination, write = Destination.of_job(job), Write.to(job, "upload")
        if dry_run:
            request.check_job(job)
            org = await self._client.org()
            return await self._dry_runs.run(org, request, job.object, destination, job, lines, report)
        async with self._rules.audit.of(write):
            # An undo goes into a job that is made for it: one that is there may have other rows, from elsewhere.
            self._rules.policy.check_job(job)
            request.check_job(job)
        org = await self._client.org()
        load = await self._loads.plan(org, request, job.object, destination, job.id, self._seconds_left, report)
        if isinstance(load, SharedTask):
            return UploadOutcome(org, job, "checking", done_bytes=load.done_bytes)
        number = await self._part_to_send(load, write, self._seconds_left, lines, "nothing was sent")
        if number is None:
            return UploadOutcome(org, job, "checking", done_bytes=load.plan.size)
        if load.is_empty and await self._has_no_rows(org, job):
            return await self._nothing_to_send(load, job, lines)
        return await self._named(await self._check_and_send(load, job, number), lines)

    async def _is_undo(self, operation: str | None, request: LoadRequest[AnySource]) -> bool:
        """Return whether the policy lets rows through since they are ids of what jobs of this server created, unchanged."""
        source, origin = request.source, request.origin
        if not isinstance(source, RetryRequest) or not self._rules.policy.lets_undo_through(operation):
            return False
        if origin is None or origin.created_by != source.jobs:
            return False
        return await self._once.uploads.are_of_own_jobs(await self._client.org(), origin)

    async def _part_to_send(
        self, load: PlannedLoad, write: Write, seconds: Callable[[], float], lines: int, refused: str
    ) -> int | None:
        """Return the number of the part that goes, which is held to its bounds; None where that takes longer than the call.

        Args:
            load: the load.
            write: the change that is to be made, for the audit of a refusal.
            seconds: returns the seconds that the call may still wait.
            lines: the number of lines on which a refusal names the rows.
            refused: the end of the message of a refusal, which says what was not done.

        Raises:
            RowsRefused, InvalidArgument, SourceChanged: see `PlannedLoad.checked_part`.
            RefusedByPolicy: the policy does not let this part into a job, or the recipe the whole load.
        """
        number = await load.checked_part(lines, refused, self._seconds_left)
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

    async def _nothing_to_send(self, load: PlannedLoad, job: Job | None, lines: int) -> UploadOutcome:
        outcome = UploadOutcome(load.org, job, "nothing to send", load.plan, mistakes=load.mistakes)
        return await self._named(outcome, lines)

    async def _make_and_send(self, create: CreateRequest, call: str, load: PlannedLoad, number: int) -> UploadOutcome:
        """Make the job of a call, or go on with that of an equal call, and send it the part with this number."""

        async def check() -> Checked:
            comparing = load.compare(number, None)
            return await load.check(number, None, await comparing.finished() if comparing else None)

        making, is_repeat = await self._once.creates.make(call, create.body(load.plan.dialect), check)
        if not await making.wait(self._seconds_left()) or making.result is None:
            return UploadOutcome(load.org, None, "checking", done_bytes=load.plan.size)
        job = making.result.job
        try:
            await self._planner.keep_for_job(load.plan, load.request, job)
            if is_repeat:
                outcome = await self._check_and_send(load, job, number)
            else:
                outcome = await self._send(load, job, number, making.result.checked or Checked())
        except (SalesforceError, IngestError) as error:
            raise FilledJobFailed(job.id, error, is_empty=took_nothing(error)) from error
        return replace(outcome, is_repeat=is_repeat)

    async def _check_and_send(self, load: PlannedLoad, job: Job, number: int) -> UploadOutcome:
        """Check whether the rows went before, and send them."""
        comparing = None
        # Rows that the job has already were compared when they went; the upload tells whether these are they.
        if await self._has_no_rows(load.org, job):
            comparing = load.compare(number, job)
            if comparing is not None and not await comparing.wait(self._seconds_left()):
                return UploadOutcome(load.org, job, "checking", done_bytes=load.plan.size)
        checked = await load.check(number, job, comparing.result if comparing else None)
        return await self._send(load, job, number, checked)

    async def _has_no_rows(self, org: Org, job: Job) -> bool:
        """Return whether a job is open, and this server knows of no rows that it has."""
        return job.state == "Open" and await self._once.uploads.state_of(org, job.id) == "unknown"

    async def _send(self, load: PlannedLoad, job: Job, number: int, checked: Checked) -> UploadOutcome:
        plan = load.plan.with_first_notes(checked.effects).with_notes((*load.several_records, *checked.notes))
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
            return UploadOutcome(load.org, job, "already uploaded", plan, number, mistakes=load.mistakes)
        status: UploadStatus = "uploaded" if is_done else "in progress"
        return UploadOutcome(load.org, job, status, plan, number, upload.done_bytes, mistakes=load.mistakes)

    async def _named(self, outcome: UploadOutcome, lines: int) -> UploadOutcome:
        """Return an outcome whose plan names rows, if the call has time to read them."""
        if outcome.plan is None or outcome.status not in NAMED:
            return outcome
        return replace(outcome, plan=await with_named_rows(outcome.plan, lines, self._seconds_left()))


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
