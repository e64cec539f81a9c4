"""Errors for calls that this server itself refuses, before or instead of asking Salesforce.

    IngestError
    ├── InvalidArgument     the caller can correct it
    │   ├── InvalidJobId
    │   ├── NoSuchColumn
    │   ├── TooLarge
    │   ├── JobNotEnded
    │   ├── NoMatchingRows
    │   ├── NoSuchRows
    │   ├── NoRowLeft
    │   ├── NothingToUndo
    │   ├── RowsRefused     (operations/errors.py)
    │   └── SourceChanged
    ├── RecipeMistake       a recipe can't be read, or does not fit the file
    ├── NoRecipe            the load of a job can't be told as a recipe
    ├── RefusedByPolicy     the operator has to allow it
    │   ├── OutOfBounds     a load is out of the bounds of its recipe
    │   ├── ConfirmationNeeded  (operations/errors.py) a person has to confirm it
    │   └── NotConfirmed    (operations/errors.py) the person who was asked did not agree
    ├── NotConfigured       the settings have a mistake, so there is no org
    ├── UploadConflict      the job already has, or may have, other data
    │   ├── UploadUnderWay  rows are on their way to the job right now
    │   └── UploadUnclear   it is not known whether the rows of an upload arrived, or still will
    ├── WentBefore          rows went into another job before
    │   ├── SentAgain       rows were retried before
    │   │   └── AllSentAgain  so were all that the caller asks for, and they are to be skipped
    │   └── LoadedBefore    rows of an insert were sent before
    ├── NoRecord            it is not known whether rows were retried before
    ├── RecordsUnread       (operations/errors.py) what records hold can't be read, so it could not be given back
    ├── RecordsUnseen       (operations/errors.py) the records of rows can't be seen, so it is not known which are left out
    ├── StorageFailure      the machine keeps this server from a file
    ├── FilledJobFailed     (operations/errors.py) a job was made, but its rows did not arrive, or may not have
    ├── CreateUnanswered    (operations/errors.py) a job may have been made
    └── ChangeUnanswered    (operations/errors.py) a job may have been closed or aborted

Like `SalesforceError`, each error carries `status` and `code` in Salesforce's spelling.
"""

from collections.abc import Sequence


class IngestError(Exception):
    """A call that this server refuses."""

    status = 400
    code = "INVALID_ARGUMENT"


LEFT_OUT = object()
"""Stands for the value of an argument that is meant to be left out."""


class InvalidArgument(IngestError):
    """An argument is not of the form that the operation takes.

    Args:
        message: what is wrong, and what to do.
        argument: the names that lead to the argument at fault among those of the rows, such as leaveOut and lines; none
            where it is not one of these alone.
        corrected: the JSON value that the argument at fault is meant to have, `LEFT_OUT` where that is none; None where only
            the caller knows it.
    """

    def __init__(self, message: str, argument: tuple[str, ...] = (), corrected: object = None) -> None:
        super().__init__(message)
        self.argument = argument
        self.corrected = corrected


class InvalidJobId(InvalidArgument):
    """The id can't be the id of an ingest job, so Salesforce is not asked."""

    status = 404
    code = "NOT_FOUND"


class NoSuchColumn(InvalidArgument):
    """An argument about cells names what no uploaded column is called.

    Args:
        message: see `InvalidArgument`.
        argument: see `InvalidArgument`.
        corrected: see `InvalidArgument`.
        name: what the argument names.
    """

    def __init__(self, message: str, argument: tuple[str, ...], corrected: object, name: str) -> None:
        super().__init__(message, argument, corrected)
        self.name = name


class TooLarge(InvalidArgument):
    """The request has more data than this server accepts in one request of its kind."""

    status = 413
    code = "REQUEST_ENTITY_TOO_LARGE"


class NoMatchingRows(InvalidArgument):
    """No failed row of the named jobs has an error that the caller asks for."""


class NoSuchRows(InvalidArgument):
    """The named jobs have no rows of the kinds that the caller asks for.

    Args:
        message: which kinds these are.
        job_id: the id of the first of the jobs.
    """

    def __init__(self, message: str, job_id: str) -> None:
        super().__init__(message)
        self.job_id = job_id


class NoRowLeft(InvalidArgument):
    """Every row that the caller asks for was retried before, and such rows are to be skipped.

    Args:
        message: how many rows were retried in which jobs.
        to_job: the id, of 15 characters, of the job that retried them, the first where they are several.
    """

    def __init__(self, message: str, to_job: str) -> None:
        super().__init__(message)
        self.to_job = to_job


class NothingToUndo(InvalidArgument):
    """No record is as the jobs to undo left it: it is as before, or somebody changed it since."""


class SourceChanged(InvalidArgument):
    """The rows of the source are not the rows that were checked, or that an upload began with."""

    status = 409


class JobNotEnded(InvalidArgument):
    """The caller asks for rows of a job that are known only when the job has ended."""


class RefusedByPolicy(IngestError):
    """The operator has not allowed the call."""

    status = 403
    code = "INSUFFICIENT_ACCESS"


class OutOfBounds(RefusedByPolicy):
    """A load is out of the bounds of its recipe.

    Args:
        out: what is out, each as a part of a sentence about the file.
        recipe: the name of the recipe; empty where it is not known.
    """

    def __init__(self, out: Sequence[str], recipe: str = "") -> None:
        named = f"the recipe {recipe}" if recipe else "the recipe"
        super().__init__(f"The file is out of the bounds of {named}: {'; '.join(out)}.")
        self.out = tuple(out)
        self.recipe = recipe


class RecipeMistake(IngestError):
    """A recipe can't be read, or does not fit the file; those who review it can mend it."""


class NoRecipe(IngestError):
    """The load of a job can't be told as a recipe; the message says why."""

    status = 404
    code = "NOT_FOUND"


class NotConfigured(IngestError):
    """The server was started with a mistake in its settings, so that it has no org; the message says which."""

    status = 503
    code = "SERVER_UNAVAILABLE"


class UploadConflict(IngestError):
    """The job has, or may have, other data already, and Salesforce takes data once for each job."""

    status = 409
    code = "INVALIDJOBSTATE"


class UploadUnderWay(UploadConflict):
    """Rows are on their way to the job right now."""


class UploadUnclear(UploadConflict):
    """An upload to the job was cut off or may still be under way, and its rows may have arrived."""


class WentBefore(IngestError):
    """Rows went into another job before, and would be in the org twice.

    Args:
        message: how many rows went into which jobs.
        job_id: the id of the job that has them; where they are several, of the first that is told.
        state: the state of that job; None if it is gone.
    """

    status = 409
    code = "DUPLICATE_VALUE"

    def __init__(self, message: str, job_id: str, state: str | None) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.state = state


class SentAgain(WentBefore):
    """Rows of a job were retried before."""


class AllSentAgain(SentAgain):
    """All rows that the caller asks for were retried before, and such rows are to be skipped."""


class LoadedBefore(WentBefore):
    """Rows of an insert went into another job before."""


class NoRecord(IngestError):
    """It is not known whether rows of a job were retried before.

    Args:
        message: what is not known, and why.
        cause: why the record can't be used and what mends that, in sentences.
    """

    status = 503
    code = "SERVER_UNAVAILABLE"

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause or message


class StorageFailure(IngestError):
    """The machine keeps this server from a file: a full disk, a permission that is missing, a limit.

    Args:
        what: what can't be done, where, and why, as a sentence.
        remedy: what mends it, as a sentence.
    """

    status = 503
    code = "SERVER_UNAVAILABLE"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
