"""What this server itself refuses, before or instead of asking Salesforce.

    IngestError
    ├── InvalidArgument     the caller can correct it
    │   ├── InvalidJobId
    │   ├── TooLarge
    │   └── SourceChanged
    ├── RefusedByPolicy     the operator has to allow it
    └── UploadConflict      the job already has, or may have, other data
        └── UploadUnderWay  and some of it is on its way right now

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


class SourceChanged(InvalidArgument):
    """The rows are other ones than those that were checked or begun."""

    status = 409


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
