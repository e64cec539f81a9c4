"""How to undo a job, in answers: the calls that delete what it created and give back what it changed, or what that needs."""

from collections.abc import Sequence

from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import CREATE, call, rows_of, status_call
from salesforce_bulk_ingest.operations.deleted_images import AS_NEW
from salesforce_bulk_ingest.operations.jobs import JobStatus
from salesforce_bulk_ingest.operations.undos import UndoJob
from salesforce_bulk_ingest.validation.destination import DELETES

IDS = "<the ids of its successful rows>"


def undo_of(status: JobStatus) -> str | None:
    """Return how to undo a job that has ended; None where there is nothing to undo, or this caller changes nothing."""
    ways = [way for way in (_back(status), _gone(status)) if way is not None]
    return " ".join(ways) or None


def _back(status: JobStatus) -> str | None:
    """Return the call that gives back what records held; None where that is not kept, or no record was changed."""
    job = status.job
    jobs = status.gives_back
    if not jobs or (jobs == (job.id,) and status.created == job.number_records_loaded):
        return None
    if job.operation in DELETES:
        return _inserted_again(status)
    if (undo := status.given_back_by) is not None:
        records = counted(undo.undone, "record")
        return f"{status_call(undo.job.id)} shows the undo, which gave {records} back what they held."
    update = call(CREATE, body={"object": job.object, "operation": "update"}, data=rows_of(*jobs, which=["before"]))
    return (
        f"{update} gives what {_they(jobs)} updated back what it held, but for records that were changed since, once "
        "closed. Only if the user asks."
    )


def _inserted_again(status: JobStatus) -> str:
    """Return the call that inserts deleted records again, or what became of that."""
    job = status.job
    if status.undone_by:
        return _undone(status.undone_by[-1], "", "deleted")
    jobs = status.gives_back
    insert = call(CREATE, body={"object": job.object, "operation": "insert"}, data=rows_of(*jobs, which=["before"]))
    return f"{insert} inserts again what {_they(jobs)} deleted, once closed: {AS_NEW}. Only if the user asks."


def _gone(status: JobStatus) -> str | None:
    """Return the call that deletes what a job created, or what became of that; None where it created nothing."""
    job = status.job
    if status.undo is None or status.created == 0:
        return None
    if status.undone_by:
        return _undone(status.undone_by[-1], "the ids of ", "created")
    if status.undo == "refused":
        return "What it created can be deleted by its ids only where the operator allows delete jobs."
    jobs = status.created_by if status.undo == "possible" else (job.id,)
    rows = rows_of(*jobs, which=["created"]) if status.undo == "possible" else {"csv": IDS}
    delete = call(CREATE, body={"object": job.object, "operation": "delete"}, data=rows)
    stays = "; what it updated stays as it is now" if job.operation == "upsert" and not status.gives_back else ""
    return f"{delete} deletes what {_they(jobs)} created, once closed{stays}. Only if the user asks."


def _they(jobs: Sequence[str]) -> str:
    """Return the jobs of an undo in words: all of them are of one load, and the last is that of the answer."""
    return "it" if len(jobs) == 1 else f"these {len(jobs)} jobs of the load"


def _undone(undo: UndoJob, ids: str, what: str) -> str:
    """Return what became of an undo that began, of records that the job created or deleted."""
    job = undo.job
    return (
        f"{status_call(job.id)} shows the undo, which has {ids}{counted(undo.rows, 'record')} that this job {what}, and is "
        f"{as_name(job.state)}."
    )
