"""Plans of loads, made in the background: a call that ends only stops waiting for its plan."""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoSuchColumn, SourceChanged
from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.base.threads import check_cancelled, run_in_thread
from salesforce_bulk_ingest.loading.column_names import check_fields, not_called_so_yet
from salesforce_bulk_ingest.loading.mapped_source import UploadSource, open_upload_source
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan, make_plan
from salesforce_bulk_ingest.loading.sources import RowSource, UploadFile
from salesforce_bulk_ingest.operations.describes import DescribeCache, Described
from salesforce_bulk_ingest.operations.load_request import LoadRequest
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import DELETES, Destination
from salesforce_bulk_ingest.validation.field_proposals import FieldProposals

MOST_KEPT = 4
"""The most finished plans that are kept: plans of files, whose second part is then not checked again, and plans that no call
has returned yet."""


@dataclass(frozen=True, slots=True)
class _KeptPlan:
    """A finished plan that later calls may use.

    Attributes:
        plan: the plan.
        until: the time at which its describes expire, in seconds on the clock of `DescribeCache`.
        is_for_one_call: whether the plan is dropped when a call has found it.
    """

    plan: Plan
    until: float
    is_for_one_call: bool

    def without_sample(self) -> "_KeptPlan":
        """Return the same for a plan that serves no dry run any more, which needs the sample."""
        if self.plan.sample is None:
            return self
        return replace(self, plan=replace(self.plan, sample=None, is_profiled=False))


class Planner:
    """Makes the plans of loads; equal calls share one plan.

    Args:
        describes: the cache of the describes that rows are checked against.
        tasks: runs the work.
        limit: the most bytes of one upload.
        sketched: whether plans have sketches of the rows, by which rows that went before are known again.
        hidden: the fields whose cells no finding shows.
        sampled: the maximum number of rows that a plan with a profile samples, to be compared with the org; 0 for none.
    """

    def __init__(
        self,
        describes: DescribeCache,
        tasks: SharedTasks,
        limit: int,
        *,
        sketched: bool = True,
        hidden: HiddenFields = NOTHING_HIDDEN,
        sampled: int = 0,
    ) -> None:
        self._describes = describes
        self._tasks = tasks
        self._limit = limit
        self._sketched = sketched
        self._hidden = hidden
        self._sampled = sampled
        self._kept: OrderedDict[str, _KeptPlan] = OrderedDict()

    async def plan(
        self,
        request: LoadRequest[RowSource],
        object_name: str | None,
        destination: Destination,
        *,
        profiled: bool = False,
    ) -> SharedTask[Plan]:
        """Return the task that makes the plan of the rows for the job; it has ended already where the plan is kept.

        Args:
            request: the request of the caller.
            object_name: the object of the rows; None if it is not known.
            destination: the job, or the job that is to be made.
            profiled: whether the plan needs a profile and a sample of the rows.

        Raises:
            InvalidArgument: the source can't be opened.
            RefusedByPolicy: the mapping would show hidden cells.
        """
        destination = self._completed(destination, object_name, request.mapping)
        version, key = await run_in_thread(_version_and_key, request, object_name, destination)
        kept = self._find(key, profiled=profiled)
        if kept is not None:
            return SharedTask.ended(kept.plan)

        async def work(task: SharedTask[Plan]) -> Plan:
            plan, described = await self._read(request, object_name, destination, task, profiled=profiled)
            encoding = plan.encoding
            if encoding is not None and isinstance(request.source, UploadFile):
                # What else is wrong with the file, and what is proposed for it, shows only where its text is read.
                source = replace(request.source, encoding=encoding.name)
                decoded = request.with_source(source)
                plan, described = await self._read(decoded, object_name, destination, task, profiled=profiled)
                # The next call is likely to ask for it, and a dry run does at once.
                decoded_key = await run_in_thread(_key, decoded, plan.version, object_name, destination)
                self._keep_if_needed(decoded_key, decoded, plan, described, task)
                plan = plan.read_in(encoding, version)
            if plan.version != version:
                raise SourceChanged("The rows were changed before they were checked.")
            self._keep_if_needed(key, request, plan, described, task)
            return plan

        return self._tasks.start(("plan", key, profiled), work)

    async def keep_for_job(self, plan: Plan, request: LoadRequest[RowSource], job: Job) -> None:
        """Keep the plan of a job that was made meanwhile under the job, too, so that calls that name the job find it."""
        kept = next((kept for kept in self._kept.values() if kept.plan is plan), None)
        if kept is None or kept.is_for_one_call:
            return
        destination = self._completed(Destination.of_job(job), job.object, request.mapping)
        key = await run_in_thread(_key, request, plan.version, job.object, destination)
        self._keep(key, kept)

    def _completed(self, destination: Destination, object_name: str | None, mapping: ColumnMapping) -> Destination:
        match = mapping.leave_out.by_record.match
        return replace(destination, limit=self._limit, hidden=self._hidden.on(object_name), match=match)

    async def _read(
        self,
        request: LoadRequest[RowSource],
        object_name: str | None,
        destination: Destination,
        task: SharedTask[Plan],
        *,
        profiled: bool,
    ) -> tuple[Plan, Described | None]:
        try:
            upload = await run_in_thread(open_upload_source, request.source, request.mapping, destination)
        except NoSuchColumn as error:
            raise await self._with_proposal(error, request, object_name, destination) from error
        with upload:
            described = await self._described(request, object_name, upload)
            plan = await self._make_plan(upload, request, object_name, destination, described, task, profiled=profiled)
        return plan, described

    async def _with_proposal(
        self, error: NoSuchColumn, request: LoadRequest[RowSource], object_name: str | None, destination: Destination
    ) -> InvalidArgument:
        """Return the error with the columns that are proposed, where one of these is likely to be what it names."""
        if request.bounds is not None:  # a recipe is mended by those who review it
            return error
        columns_alone = request.mapping.of_columns_alone()
        try:
            upload = await run_in_thread(open_upload_source, request.source, columns_alone, destination)
        except InvalidArgument:  # columns have a mistake of their own, told once this one is mended
            return error
        with upload:
            described = await self._described(request, object_name, upload)
            source = upload.mapped_source
        if described is None:
            return error
        destination = replace(destination, describe=described.sobject, parents=described.parents)
        proposed = await run_in_thread(lambda: FieldProposals(destination, source.output_names).fields())
        addresses = source.output_addresses
        by_address = {address: field for index, field in proposed.items() if (address := addresses[index]) is not None}
        return not_called_so_yet(error, request.mapping.columns, by_address)

    async def _described(
        self, request: LoadRequest[RowSource], object_name: str | None, upload: UploadSource
    ) -> Described | None:
        if not request.preflight or object_name is None:
            return None
        return await self._describes.for_upload(object_name, upload.mapped_source.output_names)

    async def _make_plan(
        self,
        upload: UploadSource,
        request: LoadRequest[RowSource],
        object_name: str | None,
        destination: Destination,
        described: Described | None,
        task: SharedTask[Plan],
        *,
        profiled: bool,
    ) -> Plan:
        def progress(read_bytes: int) -> None:
            check_cancelled()
            task.done_bytes = read_bytes

        findings = Findings()
        if described is not None:
            described.report(findings, None if destination.is_made else object_name)
            destination = replace(destination, describe=described.sobject, parents=described.parents)
            if described.sobject is not None and destination.operation not in DELETES:
                check_fields(request.mapping.constants, described.sobject, described.parents)
        plan = await run_in_thread(
            lambda: make_plan(
                upload,
                destination,
                preflight=request.preflight,
                sketched=self._sketched,
                profiled=profiled,
                sampled=self._sampled if profiled else 0,
                progress=progress,
            )
        )
        return plan.with_notes(findings.sorted()).with_first_notes(request.notes)

    def _keep_if_needed(
        self,
        key: str,
        request: LoadRequest[RowSource],
        plan: Plan,
        described: Described | None,
        task: SharedTask[Plan],
    ) -> None:
        """Keep a plan that was costly to make, or that no call waits for now: a repeated call finds the plan."""
        # A plan of text is quickly made again, and would hold the text in memory.
        is_reusable = request.source.is_costly and not (described and described.failures)
        if is_reusable or not task.waiting_calls:
            until = described.until if described else math.inf
            self._keep(key, _KeptPlan(plan, until, is_for_one_call=not is_reusable))

    def _keep(self, key: str, kept: _KeptPlan) -> None:
        if kept.plan.sample is not None:
            # One sample in memory is enough: a plan that has lost its own is made anew for the next dry run.
            self._kept = OrderedDict((other, each.without_sample()) for other, each in self._kept.items())
        self._kept[key] = kept
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _find(self, key: str, *, profiled: bool) -> _KeptPlan | None:
        kept = self._kept.get(key)
        if kept is None or (profiled and not kept.plan.is_profiled):
            return None
        holds = self._describes.clock() < kept.until
        if not holds or kept.is_for_one_call:
            del self._kept[key]
        return kept if holds else None


def _key(request: LoadRequest[RowSource], version: object, object_name: str | None, destination: Destination) -> str:
    facts: Mapping[str, object] = {
        "source": (type(request.source).__name__, version),
        "mapping": request.mapping,
        "preflight": request.preflight,
        "job": (object_name, destination),
    }
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


def _version_and_key(
    request: LoadRequest[RowSource], object_name: str | None, destination: Destination
) -> tuple[object, str]:
    version = request.source.version()
    return version, _key(request, version, object_name, destination)
