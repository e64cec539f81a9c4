"""What this server itself refuses, before or instead of asking Salesforce.

    IngestError
    ├── InvalidArgument     the caller can correct it
    │   ├── InvalidJobId
    │   ├── TooLarge
    │   ├── JobNotEnded
    │   ├── NoMatchingRows
    │   ├── RowsRefused     (operations/errors.py)
    │   └── SourceChanged
    ├── RefusedByPolicy     the operator has to allow it
    ├── UploadConflict      the job already has, or may have, other data
    │   ├── UploadUnderWay  and some of it is on its way right now
    │   └── UploadUnclear   and it is not known whether it arrived, or still will
    ├── SentAgain           rows were sent again before
    ├── NoRecord            and it is not known whether they were
    └── FilledJobFailed     (operations/errors.py) a job was made, and its rows did not get there, or may not have

Like `SalesforceError`, each carries `status` and `code` in Salesforce's spelling.
"""


class IngestError(Exception):
    """Anything that this server refuses."""

    status = 400
    code = "INVALID_ARGUMENT"


class InvalidArgument(IngestError):
    """An argument is not of the form that the operation takes."""


class InvalidJobId(InvalidArgument):
    """The id can't be one of an ingest job, so Salesforce is not asked."""

    status = 404
    code = "NOT_FOUND"


class TooLarge(InvalidArgument):
    """More data than this way in takes."""

    status = 413
    code = "REQUEST_ENTITY_TOO_LARGE"


class NoMatchingRows(InvalidArgument):
    """No failed row of the named jobs has an error that the caller asks for."""


class SourceChanged(InvalidArgument):
    """The rows are other ones than those that were checked or begun."""

    status = 409


class JobNotEnded(InvalidArgument):
    """Rows of a job are asked for that are known only when it has ended."""


class RefusedByPolicy(IngestError):
    """The operator has not allowed this."""

    status = 403
    code = "INSUFFICIENT_ACCESS"


class UploadConflict(IngestError):
    """Salesforce takes data once for each job, and this job's turn is over or unclear."""

    status = 409
    code = "INVALIDJOBSTATE"


class UploadUnderWay(UploadConflict):
    """Rows are on their way to the job right now."""


class UploadUnclear(UploadConflict):
    """Rows were on their way to the job, may still be, and may have arrived."""


class SentAgain(IngestError):
    """Rows of a job were sent again before, and once more would load them twice."""

    status = 409
    code = "DUPLICATE_VALUE"


class NoRecord(IngestError):
    """It is not known whether rows of a job were sent again before."""

    status = 503
    code = "SERVER_UNAVAILABLE"
