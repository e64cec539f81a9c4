"""What a job does with rows, in words: it loads them, or deletes the records whose ids they are."""

from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import DELETES


def loads(job: Job, rows: str = "") -> str:
    """Return what the job does with rows, in the present: `loads its rows`; without their name, `loads them`."""
    if job.operation not in DELETES:
        return f"loads {rows or 'them'}"
    return f"deletes the records of {rows}" if rows else "deletes their records"


def loaded(job: Job) -> str:
    """Return what became of rows that succeeded: `loaded`, or `deleted`."""
    return "deleted" if job.operation in DELETES else "loaded"


def records(job: Job) -> str:
    """Return what the records of rows that succeeded are: `records`, or `deleted records`."""
    return "deleted records" if job.operation in DELETES else "records"


def never_whole(job: Job) -> str:
    """Return a sentence about rows that succeeded and must not go a second time."""
    return f"Never {'send all ids' if job.operation in DELETES else 'load the whole file'} again."


def until_closed(job: Job) -> str:
    """Return a clause that nothing has happened to records yet."""
    what = "no record is deleted" if job.operation in DELETES else "nothing is loaded"
    return f"{what} until the job is closed"


def stays(job: Job) -> str:
    """Return a sentence about what was done before the job ended, which is not undone."""
    return "Records already deleted stay deleted." if job.operation in DELETES else "Rows already loaded stay."
