"""The text about an error for a model: what happened, and what to do next."""

from itertools import chain

from mcp import MCPError
from mcp_types import INVALID_PARAMS

from salesforce_bulk_ingest.base.errors import (
    AllSentAgain,
    IngestError,
    InvalidArgument,
    InvalidJobId,
    JobNotEnded,
    LoadedBefore,
    NoMatchingRows,
    NoRecord,
    NoSuchRows,
    NotConfigured,
    NothingToUndo,
    OutOfBounds,
    RecipeMistake,
    RefusedByPolicy,
    SentAgain,
    SourceChanged,
    StorageFailure,
    TooLarge,
    UploadConflict,
    UploadUnclear,
    UploadUnderWay,
    WentBefore,
)
from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    ROWS,
    GivenCall,
    abort_call,
    close_call,
    list_call,
    status_call,
    upload_call,
    wait_call,
)
from salesforce_bulk_ingest.operations.errors import (
    ChangeUnanswered,
    ConfirmationNeeded,
    CreateUnanswered,
    FilledJobFailed,
    NotConfirmed,
    RecordsUnread,
    RecordsUnseen,
)
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    LocalShortage,
    NoCredentials,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    SessionRefused,
    ShortResult,
    TimedOut,
    Unavailable,
    Unreachable,
    WrongState,
)

LONGEST_TEXT = 8_000
"""The maximum number of characters of a message; what it quotes is cut where it is quoted."""

# What to do after an error: the next call, where there is one, and words; `_calls` gives the calls in braces. First by
# the tool and Salesforce's message, where that says more than the error's class (messages: see the API reference's errors).
_AFTER_TEXT: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("upload-data-ingest-job", "close-abort-ingest-job"),
        "contents for job",
        "{abort} drops the job: rows were sent twice for it, so Salesforce will load none of them. Then create a new job, "
        "and upload once.",
    ),
    (("delete-ingest-job",), "not terminated", "{abort} ends the job first: an open or running job can't be deleted."),
    (
        ("create-ingest-job",),
        "is not supported by the Bulk API",
        "{corrected} takes another object: check its API name, such as Account or Invoice__c.",
    ),
    (("list-all-ingest-jobs",), "query locator", "{list} starts from the first page."),
)

_NAMED_JOBS = " Leave the jobs named above, or abort those that no other call works on."

# Then by the error's class; the most specific class is first.
_AFTER_ERROR: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (NoCredentials, "Tell the user; nothing can be loaded until then."),
    (
        SessionExpired,
        "The access token is expired or wrong. Ask the user to put a new one into settings.toml, which is read again (one "
        "in SALESFORCE_AUTOMATION_API_KEY needs a restart of this server), or to log in again with the Salesforce CLI. Jobs "
        "and their data are untouched.",
    ),
    (
        SessionRefused,
        "A new access token does not help. Ask the user to log in another way: `salesforce-bulk-ingest check` shows what is "
        "wrong. Jobs and their data are untouched.",
    ),
    (NotFound, "{list} shows the current jobs: check the id. Salesforce removes jobs after 7 days."),
    (WrongState, "{status} shows the job's state and what is possible next."),
    (
        LimitReached,
        "{again} is the same call, for later: the org takes no more for now. Wait before that, and poll less often.",
    ),
    (TimedOut, "{look}."),
    (LocalShortage, "{again} is the same call, and safe."),
    (Unreachable, "{look}. Check the network and the instance name."),
    (Unavailable, "{look}. Salesforce is out of order for now."),
    (Rejected, "{corrected} is the same call, corrected; the message is Salesforce's own."),
    (ShortResult, "{again} fetches the result anew: make the same call later. What comes twice alike is taken."),
    (
        SalesforceError,
        "{again} is the same call, and safe. If the answer stays so, check the instance with the user: "
        "`salesforce-bulk-ingest check` shows what is wrong.",
    ),
    (
        CreateUnanswered,
        "{again} makes a new job, which is safe: nothing is loaded before a job is closed.{named}",
    ),
    (
        ChangeUnanswered,
        "{again} is the same call, and safe: it reads the job first, and changes it only if that is still to be done.",
    ),
    (
        NotConfigured,
        "Tell the user: that is a mistake in the settings of this server, and no tool works before it is mended. "
        "`salesforce-bulk-ingest check` shows whether it is; then the server has to be restarted.",
    ),
    (ConfirmationNeeded, "{confirm}"),
    (RecordsUnread, "{again} is the same call, for later.{unread}"),
    (RecordsUnseen, "{again} is the same call, for later."),
    (NotConfirmed, "Leave the job as it is, or {abort} drops it (nothing is loaded then)."),
    (
        (OutOfBounds, RecipeMistake),
        "{check} checks the file again, once it is mended, or its recipe by those who review it. Tell the user, and look "
        "for no other way to load it.",
    ),
    (RefusedByPolicy, "Tell the user. Don't look for another way around."),
    (TooLarge, "{rows} takes fewer rows, or a file: do what the message says, or split the rows over several jobs."),
    (
        UploadUnderWay,
        "{upload} joins the upload, if a tool sends the rows, and waits for it; then close the job.",
    ),
    (
        UploadUnclear,
        "{again} is the same call, for some minutes later: the upload may still be under way in another server, and an "
        "abort would end it there. Only if it stays so, abort this job with close-abort-ingest-job (nothing is loaded "
        "then), create a new one and upload there.",
    ),
    (
        UploadConflict,
        "{abort} drops this job, if the rows must go in (nothing is loaded then); then create a new one and upload there.",
    ),
    (
        AllSentAgain,
        "{sent_again} Only if the user wants these rows to go a second time, give again: true in place of skipSent.",
    ),
    (
        SentAgain,
        "{sent_again} The rows that were not sent again go with skipSent: true in rowsOf. Only if the user wants these rows "
        "to go a second time, give again: true there.",
    ),
    (
        LoadedBefore,
        "{loaded_before} Only if the user wants all of these rows a second time, give loadAgain: true.",
    ),
    (
        NoRecord,
        "Tell the user: the server's log names the file, which may be in use, damaged, lost or on a full disk. Only if the "
        "user is sure that these rows were not sent again, or wants them twice, give again: true in rowsOf.",
    ),
    (
        StorageFailure,
        "{again} is the same call, for when the user has mended that: nothing is wrong with its arguments.",
    ),
    (SourceChanged, "{check} checks the rows anew, once it is known what changes them. None of them were taken."),
    (
        NoSuchRows,
        "{status} shows what became of its rows, and what undoes it, if anything does: no row is left to send.",
    ),
    (NothingToUndo, "Tell the user: no call is needed."),
    (JobNotEnded, "{again} is the same call, for when the job has ended."),
    (InvalidJobId, "{list} shows the current jobs with their ids."),
    (IngestError, "{corrected} is the same call, corrected."),
)


def _calls(error: Exception, given: GivenCall) -> dict[str, str]:
    """Return the calls that may come next, by their names in the sentences."""
    job_id = error.job_id if isinstance(error, NoSuchRows) else given.job_id or "<jobId>"
    return {
        "again": given.again(),
        "corrected": (
            given.corrected(error.argument, error.corrected)
            if isinstance(error, InvalidArgument)
            else given.corrected()
        ),
        "check": given.checked(),
        "rows": given.with_rows(ROWS).again(),
        "look": _look(error, given),
        "list": list_call(),
        "status": status_call(job_id),
        "upload": upload_call(job_id),
        "abort": abort_call(job_id),
    }


def _look(error: Exception, given: GivenCall) -> str:
    if given.is_read:
        return f"{given.again()} reads again"
    if isinstance(error, Unreachable) and error.nothing_sent:
        return f"{given.again()} is the same call, and safe: nothing was sent"
    return f"{given.look()} shows whether it took effect, which is unknown: look before you repeat it"


# Endings in place of the full stop of a message, which name a tool: the packages that raise these errors know no tools.
_ENDING: tuple[tuple[type[Exception], str], ...] = (
    (JobNotEnded, ". Wait for it with get-ingest-job-status and waitSeconds."),
    (NoMatchingRows, ": get-failed-results-ingest-job shows their status codes and fields."),
)


def invalid_params(message: str) -> MCPError:
    """Return the error of the protocol that something in a request which is no call of a tool does not fit."""
    return MCPError(code=INVALID_PARAMS, message=message)


def error_text(error: SalesforceError | IngestError, given: GivenCall) -> str:
    """Return the text about an error: its code, what happened, and what to do next."""
    return f"{code_and_message(error)}\nNext: {after_error(error, given)}"


def filled_job_failed_text(error: FilledJobFailed, given: GivenCall) -> str:
    """Return the text about the error that a job was created, but its rows did not reach the job, or may not have."""
    if not error.is_empty:
        return (
            f"Created job {error.job_id}, but it may or may not have its rows. {code_and_message(error.error)}\n"
            f"Next: {abort_call(error.job_id)} drops the job (nothing is loaded then); then create again with the same data."
        )
    if isinstance(error.error, WentBefore):  # another call was faster
        return (
            f"Created job {error.job_id}, but its rows did not get there. {code_and_message(error.error)}\n"
            f"Next: {after_error(error.error, given)} {abort_call(error.job_id)} drops the empty job {error.job_id}."
        )
    return (
        f"Created job {error.job_id}, but its rows did not get there. {code_and_message(error.error)}\n"
        f"Next: {given.into(error.job_id)} sends them there, once what the message says is mended; or abort "
        "the job. Don't create another."
    )


def other_job_text(recipe: str, given: GivenCall) -> str:
    """Return the text about a body that is not the job of a recipe.

    Args:
        recipe: the name of the recipe.
        given: the call with the body of the recipe.
    """
    what = f"body is not the job of the recipe {recipe}, so nothing was done."
    return f"{InvalidArgument.code}: {what}\nNext: {given.again()} is the call with that job, if it is the one meant."


def unseen_look_text(given: GivenCall) -> str:
    """Return the text about fields that are to be looked for in a call whose answer does not say what was found."""
    what = "compare is for a look before the load, and its answer is that of a dry run. Nothing was sent."
    return (
        f"{InvalidArgument.code}: {what}\nNext: {given.again({'dryRun': True})} looks; without compare the call loads."
    )


def code_and_message(error: SalesforceError | IngestError) -> str:
    """Return the code and the message of an error; what of them comes from the org is quoted and cut already."""
    message = str(error)
    for kind, ending in _ENDING:
        if isinstance(error, kind):
            message = message.removesuffix(".") + ending
    return f"{error.code}: {cut(message, LONGEST_TEXT)}{_when(error)}"


def _when(error: SalesforceError | IngestError) -> str:
    """Return the sentence that says when to call again, where Salesforce said so and the call could not wait as long."""
    cause = error.error if isinstance(error, CreateUnanswered | ChangeUnanswered) else error
    seconds = cause.retry_after_seconds if isinstance(cause, Rejected) else None
    return f" Call again in {seconds:,.0f} s: Salesforce asks for that pause." if seconds else ""


def after_error(error: SalesforceError | IngestError, given: GivenCall) -> str:
    """Return what to do after the error of a call: the next call, where there is one, and a sentence or two."""
    refusal = str(error) if type(error) in (Rejected, WrongState) else ""  # others may quote files, or say less
    by_text = (words for tools, text, words in _AFTER_TEXT if given.tool in tools and text in refusal)
    by_class = (sentences for kind, sentences in _AFTER_ERROR if isinstance(error, kind))
    loaded_before = _after_loaded_before(error) if isinstance(error, LoadedBefore) else ""
    sent_again = _after_sent_again(error, given) if isinstance(error, SentAgain) else ""
    named = _NAMED_JOBS if isinstance(error, CreateUnanswered) and error.names_jobs else ""
    confirm = _confirm(error, given) if isinstance(error, ConfirmationNeeded) else ""
    unread = ""
    if isinstance(error, RecordsUnread) and error.closing:
        unread = (
            f" {given.again({'withoutUndo': True})} closes it all the same, and it can't be undone then: ask the user."
        )
    special = {
        "unread": unread,
        "loaded_before": loaded_before,
        "sent_again": sent_again,
        "named": named,
        "confirm": confirm,
    }
    return next(chain(by_text, by_class)).format(**_calls(error, given), **special)


def _confirm(error: ConfirmationNeeded, given: GivenCall) -> str:
    """Return what confirms a close in a client that shows no dialogs."""
    if error.way == "sentence":
        return (
            f"{given.again({'confirm': error.sentence})} closes the job. Show the user what it would do, and make this call "
            "only if the user agrees."
        )
    if error.way == "operator":
        return (
            f"{given.again()} closes the job, once the operator has approved that on the server's machine with "
            f"`salesforce-bulk-ingest approve {error.job_id}`. Tell the user."
        )
    return "Tell the user: the operator takes confirmations from dialogs alone, and this client shows none here."


def _after_loaded_before(error: LoadedBefore) -> str:
    """Return what to do about rows of an insert that another job has."""
    if error.state is None:
        return (
            "Tell the user: what became of the rows can't be learned from that job any more, only whether their records are "
            "in the org. Send rows that are not there alone."
        )
    if error.state == "Open":
        return (
            f"{close_call(error.job_id)} loads the rows that job has, if they are meant to go in; abort it to drop them. "
            "Send rows that it has not alone."
        )
    return (
        f"{wait_call(error.job_id)} shows what became of that job. Send rows that are not there yet alone; those that "
        "failed there go again with rowsOf."
    )


def _after_sent_again(error: SentAgain, given: GivenCall) -> str:
    """Return what brings the rows into the org: they are already in another job, or on their way to it."""
    if error.state is None:
        return "Tell the user: what became of the rows can't be learned from Salesforce any more."
    if error.state == "Open":
        return (
            f"{given.into(error.job_id)} sends them to that job, or finds them there; then close it, which loads them."
        )
    return (
        f"{wait_call(error.job_id)} shows what became of the rows in that job; what fails there goes again from there."
    )
