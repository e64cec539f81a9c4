"""How to undo a job, in answers: the calls that delete what it created and give back what it changed, or what that needs."""

from collections.abc import Mapping, Sequence

from salesforce_bulk_ingest.base.text import as_name, counted, listed
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    CREATE,
    GivenCall,
    call,
    job_call,
    new_job_call,
    rows_of,
    status_call,
)
from salesforce_bulk_ingest.operations.deleted_images import AS_NEW
from salesforce_bulk_ingest.operations.jobs import JobStatus, records_written
from salesforce_bulk_ingest.operations.undos import DoneUndo, LoadUndo, UndoJob
from salesforce_bulk_ingest.results.retry_request import UNDONE_BY
from salesforce_bulk_ingest.results.undo_writer import NAMED, jobs_in_words
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import DELETES

IDS = "<the ids of its successful rows>"


def undo_of(status: JobStatus) -> str | None:
    """Return how to undo a job that has ended; None where there is nothing to undo, or this caller changes nothing."""
    ways = [way for way in (_call_giving_back(status), _call_deleting(status)) if way is not None]
    return " ".join(ways) or None


def name_of_undo(status: JobStatus) -> str:
    """Return what the undo of a job is: the `redo` of others, where the job undid these, or its `undo`."""
    return "redo" if status.undoes is not None and status.undoes.reverse.is_redo else "undo"


def done_undo_told(done: DoneUndo) -> str:
    """Return sentences about an undo of which nothing is left to do: whose it is, and how its records are now."""
    jobs, others = jobs_in_words(done.jobs), len(done.differing)
    by = jobs_in_words([f"{job_id} ({counted(records, 'record')})" for job_id, records in done.by.items()])
    stands = f": the undo by {by} stands" if done.by else ""
    holding = f"{done.records - others:,} of {done.records:,}"
    since = f"; someone changed or deleted the others since: {listed(done.differing, NAMED)}" if others else ""
    return (
        f"There is nothing left to undo{stands}. Records that hold now what they held before {jobs}: {holding}{since}."
    )


def look_at_undo(status: JobStatus) -> str | None:
    """Return the call that shows the records to which a job gave back what they held, and changes nothing.

    None for another job, for one that was undone in turn, where this caller changes nothing, and where the call that made
    the job said more than which records it was about.
    """
    job, load, undo = status.job, status.load, status.gives_back
    if job.operation != UNDONE_BY["update"]["before"] or undo is None or undo.undone_by is not None:
        return None
    data = None if load is None or load.part is None else load.part.origin.arguments.get("data")
    match data:
        case {"rowsOf": {"which": ["before"]}, "leaveOut": {"lines": _, **others}, **more} if not (others or more):
            return new_job_call(job, data, dryRun=True)
        case {"rowsOf": {"which": ["before"]}, **more} if not more:
            return new_job_call(job, data, dryRun=True)
    return None


def after_done_undo(done: DoneUndo, given: GivenCall) -> str:
    """Return what to do after a dry run of an undo of which nothing is left to do."""
    last = max(done.by, default=None)
    if last is None:
        return f"{given.checked()} looks again: nothing is to do now."
    return f"{status_call(last)} shows the last undo, and the call that takes it back: nothing is to do now."


def _call_giving_back(status: JobStatus) -> str | None:
    """Return the call that gives records back what they held, or inserts them again, or what became of that.

    None where what they held is not kept, or no record was changed.
    """
    job, undo = status.job, status.gives_back
    if undo is None or (undo.jobs == (job.id,) and status.created == job.number_records_loaded):
        return None
    is_of_deletes = job.operation in DELETES
    body = {"object": job.object, "operation": UNDONE_BY[job.operation or ""]["before"]}
    if (by := undo.undone_by) is not None and not undo.left:
        what = "deleted" if is_of_deletes else "updated"
        is_of_some = by.job.is_terminal and _undone_of(status, undo, by, what) is not None
        others = f" {_giving_back_others(body, undo, is_of_deletes=is_of_deletes)}" if is_of_some else ""
        return f"{_undone(status, undo, by, '', what)}{others}"
    back, they = call(CREATE, body=body, data=rows_of(*undo.left, which=["before"])), _they(job, undo.left)
    if is_of_deletes:
        return f"{back} inserts again what {they} deleted, once closed: {AS_NEW}.{_redo(status)} Only if the user asks."
    return (
        f"{back} gives what {they} updated back what it held, but for records that were changed since, once closed."
        f"{_redo(status)} Only if the user asks."
    )


def _giving_back_others(body: Mapping[str, object], undo: LoadUndo, *, is_of_deletes: bool) -> str:
    """Return the call that gives back the records that an undo of some left as they are."""
    skips: Mapping[str, object] = {"skipSent": True} if is_of_deletes else {}
    gives = "inserts the others again" if is_of_deletes else "gives back the others that nobody changed since"
    return f"{call(CREATE, body=body, data=rows_of(*undo.jobs, which=['before'], **skips))} {gives}, if the user asks."


def _call_deleting(status: JobStatus) -> str | None:
    """Return the call that deletes what a job created, or what became of that; None where it created nothing."""
    job, undo = status.job, status.deletes
    if undo is None or (undo.jobs == (job.id,) and status.created == 0):
        return None
    if undo.undone_by is not None and not undo.left:
        return _undone(status, undo, undo.undone_by, "the ids of ", "created")
    by_ids = status.way_to_delete == "by ids"
    left = (job.id,) if by_ids else undo.left
    they = _they(job, left)
    if status.way_to_delete == "refused":
        return f"What {they} created can be deleted by its ids only where the operator allows delete jobs."
    rows = {"csv": IDS} if by_ids else rows_of(*left, which=["created"])
    body = {"object": job.object, "operation": UNDONE_BY[job.operation or ""]["created"]}
    delete = call(CREATE, body=body, data=rows)
    stays = "; what it updated stays as it is now" if job.operation == "upsert" and not status.gives_back else ""
    return f"{delete} deletes what {they} created, once closed{stays}.{_redo(status)} Only if the user asks."


def _they(job: Job, jobs: Sequence[str]) -> str:
    """Return the jobs of an undo in words: all of them are of the load of which the answer is about a job."""
    if len(jobs) > 1:
        return f"these {len(jobs)} jobs of the load"
    return "it" if jobs == (job.id,) else f"job {jobs[0]}"


def _redo(status: JobStatus) -> str:
    """Return a sentence about what the undo of a job does that undid or redid others, after a space; empty for any other."""
    if status.undoes is None:
        return ""
    return f" That {status.undoes.reverse}{' again' if status.undoes.is_redo else ''}."


def _undone(status: JobStatus, undo: LoadUndo, by: UndoJob, ids: str, what: str) -> str:
    """Return what became of an undo that began, of records that the job, or the load, created, updated or deleted."""
    gave_back = what == "updated" and by.job.is_terminal
    records = _undone_of(status, undo, by, what) or counted(by.undone if gave_back else by.rows, "record")
    if gave_back:
        what_it_did = f"gave back what {records} held"
    else:
        whose = "this job" if undo.jobs == (status.job.id,) else "the load"
        what_it_did = f"has {ids}{records} that {whose} {what}, and is {as_name(by.job.state)}"
    last = "last " if undo.has_earlier else ""
    return f"{job_call(by.job)} shows the {last}{name_of_undo(status)}, which {what_it_did}."


def _undone_of(status: JobStatus, undo: LoadUndo, by: UndoJob, what: str) -> str | None:
    """Return how many of the records of a job are undone, in words; None where all are, or that is not known.

    The records of several undos may be the same ones, so it is known of a single undo alone.
    """
    if undo.jobs != (status.job.id,) or undo.has_earlier:
        return None
    count = by.undone if what == "updated" and by.job.is_terminal else by.rows
    records = records_written(status.job, status.created, are_new=what == "created")
    return f"{count:,} of {records:,} records" if records is not None and count < records else None
