"""Dry runs of loads: what would go, what would change in the org, and what would be refused."""

import math
from collections.abc import Callable
from dataclasses import replace

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.shared_task import SharedTask
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.comparison.org_comparison import OrgComparison
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.confirmation import Closing
from salesforce_bulk_ingest.operations.load_outcome import ReportLoad, UploadOutcome, UploadStatus
from salesforce_bulk_ingest.operations.load_request import AnySource, LoadRequest
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planned_load import (
    Checked,
    LoadPlanner,
    PlannedLoad,
    Unfinished,
    with_named_rows,
)
from salesforce_bulk_ingest.operations.retry import Retry
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination

ANSWER_SECONDS = 5.0
"""The part of a call's time that is left, after all that the org is asked, to make the answer of a dry run."""


class DryRuns:
    """Makes dry runs.

    Args:
        loads: plans the loads.
        comparisons: compares rows with the org.
        rules: the operator's rules for changes.
        seconds_left: returns the seconds that the current call may still wait.
    """

    def __init__(
        self, loads: LoadPlanner, comparisons: OrgComparisons, rules: ChangeRules, seconds_left: Callable[[], float]
    ) -> None:
        self._loads = loads
        self._comparisons = comparisons
        self._rules = rules
        self._seconds_left = seconds_left

    async def run(
        self,
        org: Org,
        request: LoadRequest[AnySource],
        sobject: str | None,
        destination: Destination,
        job: Job | None,
        lines: int,
        report: ReportLoad,
        *,
        is_undo: bool = False,
    ) -> UploadOutcome:
        """Return what a load would do, or how far its checks are.

        Args:
            org: the org of the job.
            request: the request of the caller.
            sobject: the object of the rows; None if it is not known.
            destination: the job, or the job that would be made.
            job: the job; None if it is not made yet.
            lines: the number of lines on which the findings name the rows.
            report: tells how far the load is.
            is_undo: whether the policy lets the load through only since it undoes what jobs of this server created.
        """
        job_id = None if job is None else job.id
        load = await self._loads.plan(
            org, request.to_look(), sobject, destination, job_id, self._seconds_left, report, profiled=True
        )
        if isinstance(load, SharedTask):
            return UploadOutcome(org, job, "checking", done_bytes=load.done_bytes)
        if load.retry is not None and load.retry.is_done:
            return await self._of_done_undo(load, load.retry, job)
        load.check_part_and_sha256()
        proposed, as_given = await self._as_proposed(load, job_id), None
        if isinstance(proposed, SharedTask):
            return UploadOutcome(org, job, "checking", done_bytes=proposed.done_bytes)
        if proposed is not None:
            load, as_given = proposed, load.plan
        looking, comparing = self._look(load), load.compare(load.request.part, job)
        for task in (comparing, looking):
            if task is not None and not await task.wait(self._seconds_left()):
                return UploadOutcome(org, job, "checking", done_bytes=load.plan.size)
        checked = await load.check(load.request.part, job, comparing.result if comparing else None, dry_run=True)
        found = looking.result if looking else None
        outcome = await self._outcome(load, job, checked, found, lines, is_undo=is_undo)
        return replace(outcome, as_given=as_given)

    async def _of_done_undo(self, load: PlannedLoad, undo: Retry, job: Job | None) -> UploadOutcome:
        """Return what the records of an undo hold of which nothing is left, beside what they held; or how far that is."""
        looking = self._look(load)
        if looking is not None and not await looking.wait(self._seconds_left()):
            return UploadOutcome(load.org, job, "checking", done_bytes=load.plan.size)
        found = looking.result if looking else None
        # Nothing goes, so that nothing is a mistake.
        comparison = None if found is None else replace(found, mistakes=(), asides=())
        done = await undo.done(await run_in_thread(load.plan.source_rows_of, None))
        return UploadOutcome(load.org, job, "nothing to send", load.plan, comparison=comparison, done_undo=done)

    async def _as_proposed(self, load: PlannedLoad, job_id: str | None) -> PlannedLoad | Unfinished | None:
        """Return the load with what is proposed for it, or the task that did not end in time.

        Return None where its rows have errors with that, too, or can't go so.
        """
        request = load.request.with_proposal(load.plan)
        if request is None or load.retry is not None:
            return None
        seconds, report = self._seconds_left, load.report
        try:
            proposed = await self._loads.plan(
                load.org, request, load.sobject, load.destination, job_id, seconds, report, profiled=True
            )
        except (InvalidArgument, RefusedByPolicy):  # it is told of the call that takes them
            return None
        is_wrong = not isinstance(proposed, SharedTask) and proposed.whole.has_errors
        return None if is_wrong else proposed

    def _look(self, load: PlannedLoad) -> SharedTask[OrgComparison | None] | None:
        """Return the task that compares the rows with the org; None where they are not compared."""
        # With a look before it, a comparison could take longer than a call, and each repeat would begin with another look.
        seconds = math.inf if load.looked is None else self._seconds_left() - ANSWER_SECONDS
        names = None if load.needs_comparison else load.request.compare
        return self._comparisons.start(load.org, load.compared, load.sobject, load.destination, names, seconds=seconds)

    async def _outcome(
        self,
        load: PlannedLoad,
        job: Job | None,
        checked: Checked,
        comparison: OrgComparison | None,
        lines: int,
        *,
        is_undo: bool,
    ) -> UploadOutcome:
        """Return the outcome of a load that was checked and compared; see `run`."""
        part = load.request.part
        if comparison is not None and load.looked is not None:
            comparison = replace(comparison, api_calls=comparison.api_calls + load.looked.api_calls)
        refusal = self._refusal_of(load, comparison, is_undo=is_undo)
        rows = load.rows_of(part)
        closing = Closing(load.org, "", load.destination.operation, load.sobject, rows, is_undo=is_undo)
        foreseen = self._rules.close_guard.foreseen(closing)
        compared = load.plan
        if comparison is not None:
            compared = replace(compared, findings=comparison.findings_with(compared.findings))
        named = await with_named_rows(compared, lines, self._seconds_left())
        several = () if comparison is not None else load.several_records
        plan = named.with_first_notes(checked.effects).with_notes(
            (*_as_findings(refusal), *several, *checked.notes, *foreseen)
        )
        twice = None if plan.has_errors else checked.refusal
        status: UploadStatus = "nothing to send" if load.is_empty and refusal is None else "checked"
        mistakes = (*load.mistakes, *(comparison.mistakes if comparison else ()))
        refused = refusal or twice
        return UploadOutcome(
            load.org, job, status, plan, part or 1, refusal=refused, comparison=comparison, mistakes=mistakes
        )

    def _refusal_of(
        self, load: PlannedLoad, comparison: OrgComparison | None, *, is_undo: bool
    ) -> RefusedByPolicy | None:
        """Return what the policy would refuse a load with, of one part or of all; None if it would not."""
        policy, asked = self._rules.policy, load.request.part
        try:
            policy.check_create(load.sobject, load.destination.operation, is_undo=is_undo)
            load.request.check_allowed(policy)
            load.check_recipe(comparison)
            for part in load.plan.parts:
                if asked in (None, part.number):
                    load.check_part(part.number)
        except RefusedByPolicy as refusal:
            return refusal
        return None


def _as_findings(refusal: RefusedByPolicy | None) -> tuple[Finding, ...]:
    if refusal is None:
        return ()
    return (Finding("error", f"Without dryRun this is refused. {refusal}", "Tell the user.", count=1),)
