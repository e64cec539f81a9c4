"""What to do next: after an error, and for a job that Salesforce failed as a whole."""

from salesforce_bulk_ingest.base.errors import (
    IngestError,
    NoRecord,
    RefusedByPolicy,
    SentAgain,
    SourceChanged,
    TooLarge,
    UploadConflict,
    UploadUnclear,
    UploadUnderWay,
)
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    NoCredentials,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    TimedOut,
    Unavailable,
    Unreachable,
    WrongState,
)
from salesforce_bulk_ingest.salesforce.models import Job

LONGEST_TEXT = 2_000
"""Characters of an error text."""

# Where Salesforce's text says more than its class (texts: see the API reference's errors).
_AFTER_TEXT: tuple[tuple[str, str], ...] = (
    (
        "contents for job",
        "Rows were sent twice for this job, so Salesforce will load none of them: abort it with close-abort-ingest-job, "
        "create a new job, and upload once.",
    ),
    ("not terminated", "An open or running job can't be deleted: abort it first, with close-abort-ingest-job."),
    ("is not supported by the Bulk API", "Check the object's API name, such as Account or Invoice__c."),
    ("query locator", "Leave queryLocator out to start from the first page."),
)

# The most specific class first.
_AFTER_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (NoCredentials, "Tell the user; nothing can be loaded until then."),
    (
        SessionExpired,
        "The access token is expired or wrong. Ask the user to put a new one where the old one was "
        "(SALESFORCE_AUTOMATION_API_KEY or settings.toml), or to log in again with the Salesforce CLI, and to restart "
        "this server. Jobs and their data are untouched.",
    ),
    (NotFound, "Check the id; list-all-ingest-jobs gives the current ones. Salesforce removes jobs after 7 days."),
    (WrongState, "Call get-ingest-job-status to see the job's state and what is possible next."),
    (LimitReached, "The org takes no more for now. Wait before trying again, and poll less often."),
    (
        TimedOut,
        "Whether it took effect is unknown: look with get-ingest-job-status or list-all-ingest-jobs before repeating.",
    ),
    (Unreachable, "Check the network and the instance name; look at the job's state before repeating a change."),
    (
        Unavailable,
        "Salesforce is out of order for now, and whether a change took effect is unknown: look with "
        "get-ingest-job-status or list-all-ingest-jobs before repeating it.",
    ),
    (Rejected, "Correct the request; the message is Salesforce's own."),
    (SalesforceError, "Check the instance with the user: `salesforce-bulk-ingest check` shows what is wrong."),
    (RefusedByPolicy, "Tell the user. Don't look for another way around."),
    (TooLarge, "Do that, or split the rows over several jobs; then close the job."),
    (
        UploadUnderWay,
        "Wait for it: upload-data-ingest-job with the same data joins an upload of a tool, and get-ingest-job-status shows "
        "the job; then close it.",
    ),
    (
        UploadUnclear,
        "It may still be under way in another server, and an abort would end it there: wait some minutes and make the same "
        "call again. Only if it stays so, abort this job with close-abort-ingest-job (nothing is loaded then), create a "
        "new one and upload there.",
    ),
    (
        UploadConflict,
        "If the rows must go in, abort this job with close-abort-ingest-job (nothing is loaded then), create a new one "
        "and upload there.",
    ),
    (
        SentAgain,
        "Rows that failed there can be sent again from that job: name it in rowsOf. Only if the user wants these rows to go "
        "a second time, give again: true.",
    ),
    (
        NoRecord,
        "Tell the user: the server's log names the file, which may be in use, damaged or on a full disk. Only if the user "
        "is sure that these rows were not sent again, or wants them twice, give again: true.",
    ),
    (SourceChanged, "None of these rows were taken. Find out what changes them, then call again, with dryRun first."),
    (IngestError, "Correct the argument and call again."),
)

BEYOND_BATCHES = "ApiBatchItems"
"""Of a message: rows are in no result (Bulk API 2.0 guide, usage notes of each result)."""

# Texts of errorMessage: live errors in public threads and guides, see the API reference's job-level errors.
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


def shown(error: SalesforceError | IngestError) -> str:
    """Code and message, cut to what an answer has room for: both may come from the org."""
    return f"{cut(error.code, 100)}: {cut(str(error), LONGEST_TEXT)}"


def after_error(error: SalesforceError | IngestError) -> str:
    """One or two sentences for whoever has to go on."""
    for text, advice in _AFTER_TEXT:
        if text in str(error):
            return advice
    return next(advice for kind, advice in _AFTER_ERROR if isinstance(error, kind))


def has_rows_in_no_result(job: Job) -> bool:
    """Whether some of its rows can't be had back."""
    return BEYOND_BATCHES in (job.error_message or "")


def after_failure(job: Job) -> str:
    """Why a job that is Failed may have failed, and what to do."""
    message = job.error_message or ""
    for text, advice in _AFTER_FAILURE:
        if text in message:
            return advice
    return "Correct the cause, then load the failed and unprocessed rows in a new job."
