"""What to do next after a job that Salesforce failed as a whole, by its errorMessage."""

from salesforce_bulk_ingest.mcp_server.answers.next_call import CORRECTED_ROWS, new_job_call, rows_of
from salesforce_bulk_ingest.mcp_server.answers.operation_words import loads, stays
from salesforce_bulk_ingest.mcp_server.answers.retry_call import not_yet_sent
from salesforce_bulk_ingest.mcp_server.answers.row_counts import rows_in_no_result
from salesforce_bulk_ingest.results.pages import RetriedInJob
from salesforce_bulk_ingest.results.row_counts import RowAccounting, has_rows_in_no_result
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.file import OTHER_ENDING

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


def next_after_failure(job: Job, accounting: RowAccounting | None = None, retried: RetriedInJob | None = None) -> str:
    """Return what to do after a job with the state Failed: the call that loads its rows, and why the job failed."""
    if "LineEnding is invalid" in (job.error_message or "") and not job.number_records_processed:
        return _next_with_other_line_ending(job)
    advice = _advice(_FAULTS_OF_ROWS, job)
    if advice is not None and not job.number_records_processed:
        return f"{new_job_call(job, CORRECTED_ROWS)} {loads(job, 'the rows, corrected')}. {advice}"
    advice = advice or _advice(_OTHER_FAULTS, job) or "Remove the cause before that."
    stay = f" {stays(job)}" if job.number_records_processed else ""
    rest = new_job_call(job, rows_of(job.id, **not_yet_sent(retried)))
    rows = loads(job, "its failed and unprocessed rows")
    if rows_in_no_result(accounting):
        return f"{rest} {rows}, and those in no result. {advice}{stay}"
    lost = " Rows beyond them are in no result: compare the source." if has_rows_in_no_result(job) else ""
    return f"{rest} {rows}. {advice}{lost}{stay}"


def _next_with_other_line_ending(job: Job) -> str:
    """Return what to do after the rows, or breaks in their cells, did not end as the job's lineEnding says.

    Some orgs refuse cells with breaks of another kind than the rows' (several users, see the API reference's row data).
    """
    other = OTHER_ENDING["CRLF" if job.newline == "\r\n" else "LF"]
    rows = new_job_call(job, rows_of(job.id), form={"lineEnding": other})
    return (
        f"{rows} writes the rows anew, in the other line ending. Rows, or breaks in their cells, did not end as the "
        "job's lineEnding says; if cells have breaks of both kinds, write these in one kind."
    )


def _advice(faults: tuple[tuple[str, str], ...], job: Job) -> str | None:
    return next((advice for text, advice in faults if text in (job.error_message or "")), None)
