"""The text about an error for a model: what happened, and what to do next."""

from salesforce_bulk_ingest.base.errors import (
    IngestError,
    JobNotEnded,
    NoMatchingRows,
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
from salesforce_bulk_ingest.operations.errors import FilledJobFailed
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

LONGEST_CODE = 100
LONGEST_TEXT = 2_000
"""The maximum number of characters of a message."""

# Advice where Salesforce's message says more than the error's class (messages: see the API reference's errors).
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

# Advice by the error's class; the most specific class is first.
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

# Endings in place of the full stop of a message, which name a tool: the packages that raise these errors know no tools.
_ENDING: tuple[tuple[type[Exception], str], ...] = (
    (JobNotEnded, ". Wait for it with get-ingest-job-status."),
    (NoMatchingRows, ": get-failed-results-ingest-job shows their status codes and fields."),
)


def error_text(error: SalesforceError | IngestError) -> str:
    """Return the text about an error: its code, what happened, and what to do next."""
    return f"{code_and_message(error)}\nNext: {after_error(error)}"


def filled_job_failed_text(error: FilledJobFailed) -> str:
    """Return the text about the error that a job was created, but its rows did not reach the job, or may not have."""
    if not error.is_empty:
        return (
            f"Created job {error.job_id}, but it may or may not have its rows. {code_and_message(error.error)}\n"
            f"Next: Abort job {error.job_id} with close-abort-ingest-job (nothing is loaded then), then create again with "
            "the same data."
        )
    return (
        f"Created job {error.job_id}, but its rows did not get there. {error_text(error.error)}\n"
        f"Then call upload-data-ingest-job with jobId {error.job_id} and the same data, or abort the job; don't create "
        "another."
    )


def code_and_message(error: SalesforceError | IngestError) -> str:
    """Return the code and the message of an error, both cut to their maximum lengths, since both may come from the org."""
    message = str(error)
    for kind, ending in _ENDING:
        if isinstance(error, kind):
            message = message.removesuffix(".") + ending
    return f"{cut(error.code, LONGEST_CODE)}: {cut(message, LONGEST_TEXT)}"


def after_error(error: SalesforceError | IngestError) -> str:
    """Return one or two sentences about what to do after the error."""
    for text, advice in _AFTER_TEXT:
        if text in str(error):
            return advice
    return next(advice for kind, advice in _AFTER_ERROR if isinstance(error, kind))
