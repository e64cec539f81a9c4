"""How to undo a job, in answers: the calls that delete what it created and give back what it changed, or what that needs."""

from collections.abc import Sequence

from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import CREATE, call, rows_of, status_call
from salesforce_bulk_ingest.operations.deleted_images import AS_NEW
from salesforce_bulk_ingest.operations.jobs import JobStatus
from salesforce_bulk_ingest.operations.undos import LoadUndo, UndoJob
from salesforce_bulk_ingest.results.retry_request import UNDONE_BY
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


def _call_giving_back(status: JobStatus) -> str | None:
    """Return the call that gives records back what they held, or inserts them again, or what became of that.

    None where what they held is not kept, or no record was changed.
    """
    job, undo = status.job, status.gives_back
    if undo is None or (undo.jobs == (job.id,) and status.created == job.number_records_loaded):
        return None
    is_of_deletes = job.operation in DELETES
    if undo.undone_by is not None and not undo.left:
        return _undone(status, undo, undo.undone_by, "", "deleted" if is_of_deletes else "updated")
    body = {"object": job.object, "operation": UNDONE_BY[job.operation or ""]["before"]}
    back, they = call(CREATE, body=body, data=rows_of(*undo.left, which=["before"])), _they(job, undo.left)
    if is_of_deletes:
        return f"{back} inserts again what {they} deleted, once closed: {AS_NEW}.{_redo(status)} Only if the user asks."
    return (
        f"{back} gives what {they} updated back what it held, but for records that were changed since, once closed."
        f"{_redo(status)} Only if the user asks."
    )


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
    is_of_job = undo.jobs == (status.job.id,)
    # The records of several undos may be the same ones, so that how many of all are undone is known of a single undo alone.
    records = _records(status, what) if is_of_job and not undo.has_earlier else None
    if what == "updated" and by.job.is_terminal:
        what_it_did = f"gave back what {_counted_of(by.undone, records)} held"
    else:
        whose, given = "this job" if is_of_job else "the load", _counted_of(by.rows, records)
        what_it_did = f"has {ids}{given} that {whose} {what}, and is {as_name(by.job.state)}"
    last = "last " if undo.has_earlier else ""
    return f"{status_call(by.job.id)} shows the {last}{name_of_undo(status)}, which {what_it_did}."


def _records(status: JobStatus, what: str) -> int | None:
    """Return the number of records that a job created, updated or deleted; None where that is not known."""
    job = status.job
    if job.operation != "upsert":
        return job.number_records_loaded
    if status.created is None:
        return None
    return status.created if what == "created" else job.number_records_loaded - status.created


def _counted_of(count: int, records: int | None) -> str:
    """Return a number of records in words, with that of all where these are more."""
    return counted(count, "record") if records is None or count >= records else f"{count:,} of {records:,} records"
