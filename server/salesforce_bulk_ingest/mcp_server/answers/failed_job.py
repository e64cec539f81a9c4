"""What to do next after a job that Salesforce failed as a whole, by its errorMessage."""

from salesforce_bulk_ingest.mcp_server.answers.next_call import CORRECTED_ROWS, new_job_call
from salesforce_bulk_ingest.mcp_server.answers.row_counts import rows_in_no_result
from salesforce_bulk_ingest.results.row_counts import RowAccounting, has_rows_in_no_result
from salesforce_bulk_ingest.salesforce.models import Job

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
    ("ExceededQuota", "A daily limit of the org (records or batches) is used up: wait until tomorrow."),
)


def next_after_failure(job: Job, accounting: RowAccounting | None = None) -> str:
    """Return what to do after a job with the state Failed: the call that loads its rows, and why the job failed."""
    advice = _advice(_FAULTS_OF_ROWS, job)
    if advice is not None and not job.number_records_processed:
        return f"{new_job_call(job, CORRECTED_ROWS)} loads the rows, corrected. {advice}"
    advice = advice or _advice(_OTHER_FAULTS, job) or "Remove the cause before that."
    stay = " Rows already loaded stay." if job.number_records_processed else ""
    rest = new_job_call(job, {"rowsOf": {"jobs": [job.id]}})
    if rows_in_no_result(accounting):
        return f"{rest} loads its failed and unprocessed rows, and those in no result. {advice}{stay}"
    lost = " Rows beyond them are in no result: compare the source." if has_rows_in_no_result(job) else ""
    return f"{rest} loads its failed and unprocessed rows. {advice}{lost}{stay}"


def _advice(faults: tuple[tuple[str, str], ...], job: Job) -> str | None:
    return next((advice for text, advice in faults if text in (job.error_message or "")), None)
