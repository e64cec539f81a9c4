"""Errors of operations that carry a plan, a job or another error."""

from typing import Literal

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.text import as_name, as_sentence
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.salesforce.errors import SalesforceError


class RowsRefused(InvalidArgument):
    """The rows would make the job fail, or are more than one job takes.

    Args:
        message: the reason, a sentence.
        plan: the plan of the rows.
    """

    def __init__(self, message: str, plan: Plan) -> None:
        super().__init__(message)
        self.plan = plan


class FilledJobFailed(IngestError):
    """A job was made, but its rows did not arrive, or it is not known whether they did.

    Args:
        job_id: the id of the job, which is open.
        error: the error that ended the upload.
        is_empty: whether it is certain that the job has no rows.
    """

    def __init__(self, job_id: str, error: SalesforceError | IngestError, *, is_empty: bool) -> None:
        super().__init__(str(error))
        self.job_id = job_id
        self.error = error
        self.is_empty = is_empty


class CreateUnanswered(IngestError):
    """The answer to a create is lost, so a job without rows may have been made.

    Args:
        error: the error in place of the answer.
        found: sentences about the jobs that may be the one.
        names_jobs: whether these sentences name any.
    """

    status = 502

    def __init__(self, error: SalesforceError, found: str, *, names_jobs: bool) -> None:
        super().__init__(f"{as_sentence(str(error))} The create was sent, so it may have made a job. {found}")
        self.code = error.code
        self.error = error
        self.names_jobs = names_jobs


class ChangeUnanswered(IngestError):
    """The answer to a close or an abort is lost, and the job does not tell whether it took effect.

    Args:
        job_id: the id of the job.
        state: the state that the job was to get.
        error: the error in place of the answer.
        read_state: the state in which the job was read afterwards; None if it can't be read.
    """

    status = 502

    def __init__(self, job_id: str, state: str, error: SalesforceError, read_state: str | None = None) -> None:
        sent, done = ("close", "closed") if state == "UploadComplete" else ("abort", "aborted")
        known = (
            f"The job can't be read now, so it may be {done} or not."
            if read_state is None
            else f"The job was still {as_name(read_state)} when it was read afterwards."
        )
        super().__init__(f"{as_sentence(str(error))} The {sent} of job {job_id} was sent without an answer. {known}")
        self.code = error.code
        self.job_id = job_id
        self.error = error


class ConfirmationNeeded(RefusedByPolicy):
    """The operator wants a person to confirm a close, and nobody has.

    Args:
        job_id: the id of the job.
        change: what the close would do, as a part of a sentence.
        sentence: the sentence that confirms it, or that a dialog shows.
        way: what confirms it without a dialog: see `Confirmations`.
        dialog_counts: whether the answer of a dialog of the host confirms it.
        undo: what the job undoes, and whether it can be undone afterwards, as the rest of a sentence; empty where nothing of
            that is known.
    """

    def __init__(
        self,
        job_id: str,
        change: str,
        sentence: str,
        way: Literal["sentence", "operator", "refuse"],
        *,
        dialog_counts: bool,
        undo: str,
    ) -> None:
        after = f" Once closed, it {undo}." if undo else ""
        super().__init__(f"The job was not closed: a person has to confirm that this is meant: {change}.{after}")
        self.undo = undo
        self.job_id = job_id
        self.sentence = sentence
        self.way = way
        self.dialog_counts = dialog_counts


class RecordsUnread(IngestError):
    """What records hold can't be read, so a job that writes to them is not closed, or not undone.

    Args:
        why: the reason, a sentence.
        closing: whether a job was to be closed.
    """

    status = 502
    code = "RECORDS_UNREAD"

    def __init__(self, why: str, *, closing: bool = True) -> None:
        what = "The job was not closed, so that it can be undone later: w" if closing else "Nothing was undone: w"
        super().__init__(f"{what}hat its records hold can't be read and kept now. {why}")
        self.closing = closing


class RecordsUnseen(IngestError):
    """The org did not show the records that rows name, so it is not known which rows are left out, and none is sent.

    Args:
        why: the reason, a sentence.
    """

    status = 502
    code = "RECORDS_UNSEEN"

    def __init__(self, why: str) -> None:
        what = "Nothing was sent: which rows match and changedOnly leave out can't be seen in the org now."
        super().__init__(f"{what} {why}")


class NotConfirmed(RefusedByPolicy):
    """The person whom a dialog asked about a close did not agree to it.

    Args:
        change: what the close would do, as a part of a sentence.
        answered: whether the person answered at all.
    """

    def __init__(self, change: str, *, answered: bool) -> None:
        what = "The user was asked and did not agree" if answered else "The user was asked and did not answer in time"
        super().__init__(f"The job was not closed. {what}: {change}.")
        self.answered = answered
