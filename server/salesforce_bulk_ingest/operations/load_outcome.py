"""The outcome of a load, and how far it is until then."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from salesforce_bulk_ingest.base.errors import LoadedBefore, RefusedByPolicy
from salesforce_bulk_ingest.comparison.mistakes import Mistake
from salesforce_bulk_ingest.comparison.org_comparison import OrgComparison
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.operations.undos import DoneUndo
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

UploadStatus = Literal["checking", "checked", "nothing to send", "in progress", "uploaded", "already uploaded"]

ReportLoad = Callable[[int, int | None], Awaitable[None]]
"""Tells how far a load is: the bytes that were read so far, or sent so far, and for the latter how many are to be sent."""


async def silently(done_bytes: int, to_send: int | None) -> None:
    """Report nothing."""


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
        mistakes: what looks like a mistake in the rows beside their records, the worst first.
        as_given: for a dry run, the plan of the rows without the encoding, columns and formats that it proposes, where
            `plan` has these, since all its errors are gone with them; else None.
        done_undo: for a dry run of an undo of which nothing is left, how its records are now; else None.
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
    mistakes: tuple[Mistake, ...] = ()
    as_given: Plan | None = None
    done_undo: DoneUndo | None = None
