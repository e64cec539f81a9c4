"""What to do next after a job that Salesforce failed as a whole, by its errorMessage."""

from salesforce_bulk_ingest.mcp_server.answers.next_call import CORRECTED_ROWS, new_job_call
from salesforce_bulk_ingest.salesforce.models import Job

BEYOND_BATCHES = "ApiBatchItems"
"""A part of an errorMessage that shows that rows are in no result (Bulk API 2.0 guide, usage notes of each result)."""

# Why a job failed, and what to do: by a part of its errorMessage. The texts are from real errors in public threads and
# guides, see the API reference's job-level errors. First those that are a fault of header or rows.
_FAULTS_OF_ROWS: tuple[tuple[str, str], ...] = (
    (
        "\ufeff",
        "The data begins with a byte order mark, which became part of the first column's name: remove it.",
    ),
    (
        "Field name not found",
        "The header has a column that is no field of this object, or that this user can't see; Salesforce names only "
        "the first. Rename or drop such columns (API names, such as BillingCity, not labels), and check columnDelimiter.",
    ),
    (
        "LineEnding is invalid",
        "The rows end in another way than the job's lineEnding says: without lineEnding, the new job takes that of the "
        "rows.",
    ),
    (
        "unescaped quote",
        "A quote inside a cell is not doubled, or a byte order mark precedes a quoted header: correct the CSV.",
    ),
    ("must contain only ids", "A delete takes one column, Id: drop the others."),
    ("type is not needed", "Drop the object type before the colon in that column's name."),
    ("Unable to find relationship", "A column names a relationship that the object lacks: correct it."),
)
_OTHER_FAULTS: tuple[tuple[str, str], ...] = (
    ("lock failure", "Other processes held the records: wait before that, and load rows sorted by parent."),
    (
        BEYOND_BATCHES,
        "The org's daily batches are used up: wait until tomorrow. Rows beyond them are in no result, not even among the "
        "unprocessed ones: compare the source with the successful and failed rows.",
    ),
    ("ExceededQuota", "A daily limit of the org is used up: wait until tomorrow."),
)


def has_rows_in_no_result(job: Job) -> bool:
    """Return whether some rows of the job are in none of its results."""
    return BEYOND_BATCHES in (job.error_message or "")


def next_after_failure(job: Job) -> str:
    """Return what to do after a job with the state Failed: the call that loads its rows, and why the job failed."""
    advice = _advice(_FAULTS_OF_ROWS, job)
    if advice is not None and not job.number_records_processed:
        return f"{new_job_call(job, CORRECTED_ROWS)} loads the rows, corrected. {advice}"
    advice = advice or _advice(_OTHER_FAULTS, job) or "Remove the cause before that."
    stay = " Rows already loaded stay." if job.number_records_processed else ""
    rest = new_job_call(job, {"rowsOf": {"jobs": [job.id]}})
    return f"{rest} loads its failed and unprocessed rows. {advice}{stay}"


def _advice(faults: tuple[tuple[str, str], ...], job: Job) -> str | None:
    return next((advice for text, advice in faults if text in (job.error_message or "")), None)
