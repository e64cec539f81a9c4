"""How to undo what a job created, in answers: the call that deletes its records, or what that needs."""

from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.mcp_server.answers.answer import counted
from salesforce_bulk_ingest.mcp_server.answers.next_call import CREATE, call, rows_of, status_call
from salesforce_bulk_ingest.operations.jobs import JobStatus
from salesforce_bulk_ingest.operations.undos import UndoJob

IDS = "<the ids of its successful rows>"


def undo_of(status: JobStatus) -> str | None:
    """Return how to undo a job that has ended; None where it created nothing, or this caller changes nothing."""
    job = status.job
    if status.undo is None:
        return None
    if status.undone_by:
        return _undone(status.undone_by[-1])
    if status.undo == "refused":
        return "What it created can be deleted by its ids only where the operator allows delete jobs."
    rows = rows_of(job.id, which=["created"]) if status.undo == "possible" else {"csv": IDS}
    delete = call(CREATE, body={"object": job.object, "operation": "delete"}, data=rows)
    stays = "; what it updated stays as it is now" if job.operation == "upsert" else ""
    return f"{delete} deletes what it created, once closed{stays}. Only if the user asks."


def _undone(undo: UndoJob) -> str:
    """Return what became of an undo that began."""
    job = undo.job
    return (
        f"{status_call(job.id)} shows the undo, which has the ids of {counted(undo.rows, 'record')} that this job created, "
        f"and is {as_name(job.state)}."
    )
