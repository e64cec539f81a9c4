"""Advice about a job that Salesforce failed as a whole, by its errorMessage."""

from salesforce_bulk_ingest.salesforce.models import Job

BEYOND_BATCHES = "ApiBatchItems"
"""A part of an errorMessage that shows that rows are in no result (Bulk API 2.0 guide, usage notes of each result)."""

# The texts are from real errors in public threads and guides, see the API reference's job-level errors.
_AFTER_FAILURE: tuple[tuple[str, str], ...] = (
    (
        "\ufeff",
        "The data begins with a byte order mark, which became part of the first column's name. Remove it, and load the rows "
        "in a new job.",
    ),
    (
        "Field name not found",
        "The header has a column that is no field of this object, or that this user can't see; Salesforce names only "
        "the first. Rename or drop such columns (API names, such as BillingCity, not labels), check columnDelimiter, and "
        "load the rows in a new job.",
    ),
    (
        "LineEnding is invalid",
        "The rows end in another way than the job's lineEnding says. Make a new job with the right lineEnding.",
    ),
    (
        "unescaped quote",
        "A quote inside a cell is not doubled, or a byte order mark precedes a quoted header. Correct the CSV and load it "
        "in a new job.",
    ),
    ("must contain only ids", "A delete takes one column, Id. Drop the others and load the rows in a new job."),
    ("type is not needed", "Drop the object type before the colon in that column's name; load in a new job."),
    (
        "Unable to find relationship",
        "A column names a relationship that the object lacks. Correct it; load in a new job.",
    ),
    ("lock failure", "Other processes held the records. Load the unprocessed rows again later, sorted by parent."),
    (
        BEYOND_BATCHES,
        "The org's daily batches are used up, and rows beyond them are in no result, not even among the unprocessed ones: "
        "compare the source with the successful and failed rows, and load what is missing tomorrow.",
    ),
    ("ExceededQuota", "A daily limit of the org is used up. Load the unprocessed rows tomorrow."),
)


def has_rows_in_no_result(job: Job) -> bool:
    """Return whether some rows of the job are in none of its results."""
    return BEYOND_BATCHES in (job.error_message or "")


def after_failure(job: Job) -> str:
    """Return the advice about a job with the state Failed: why the job may have failed, and what to do."""
    message = job.error_message or ""
    for text, advice in _AFTER_FAILURE:
        if text in message:
            return advice
    return "Correct the cause, then load the failed and unprocessed rows in a new job."
