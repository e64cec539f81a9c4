"""What can go wrong between us and Salesforce.

    SalesforceError
    ├── NoCredentials          nothing to log in with, or the CLI's login did not work
    ├── Unreachable            no answer came; `nothing_sent` says whether a repeat is safe
    │   ├── TimedOut
    │   └── LocalShortage     this machine has no file descriptor, or the like, for a connection
    ├── UnexpectedAnswer       an answer that is not the API's: an HTML page, a body that is not JSON
    │   └── ShortResult        a result of a job with fewer rows than the job counts, or the part of a row
    └── Rejected               the API said no, with a status, an error code and a message
        ├── SessionExpired     401: the token has expired, or is wrong
        ├── SessionRefused     401 that another token would get, too
        ├── NotFound           404
        ├── WrongState         the job is not in a state that allows the call
        ├── Unavailable        5xx: the org, or something on the way, is out of order
        └── LimitReached       the org takes no more requests for now

Every error carries `status`, the HTTP status that a gateway reports it with, and `code`, in Salesforce's spelling:

    try:
        job = await client.get_job(job_id)
    except NotFound: ...
    except SalesforceError as error: print(error.code, error)
"""


class SalesforceError(Exception):
    """Anything that kept a call to Salesforce from succeeding."""

    status = 500
    code = "UNKNOWN_EXCEPTION"


class NoCredentials(SalesforceError):
    """There is no org to talk to, or no way to log in to it."""

    status = 503
    code = "SERVER_UNAVAILABLE"


class Unreachable(SalesforceError):
    """The instance gave no answer.

    Args:
        message: what happened, without secrets.
        nothing_sent: true when no byte of the request can have arrived, so that a repeat is safe.
    """

    status = 502
    code = "SERVER_UNAVAILABLE"

    def __init__(self, message: str, *, nothing_sent: bool = False) -> None:
        super().__init__(message)
        self.nothing_sent = nothing_sent


class TimedOut(Unreachable):
    """The instance did not answer in time."""

    status = 504


class LocalShortage(Unreachable):
    """This machine lacks what a connection needs, such as a file descriptor, so nothing was sent."""

    status = 503

    def __init__(self, message: str) -> None:
        super().__init__(message, nothing_sent=True)


class UnexpectedAnswer(SalesforceError):
    """The answer is not one that the API gives, such as a login or maintenance page."""

    status = 502
    code = "SERVER_UNAVAILABLE"


class ShortResult(UnexpectedAnswer):
    """A result of a job that has ended is not whole: it may be whole at another time."""


class Rejected(SalesforceError):
    """The API refused the call.

    Args:
        status: HTTP status of the answer.
        code: Salesforce's `errorCode`, as `as_name` writes it.
        message: a sentence, or Salesforce's `message` in quotes, as `quoted` writes it.
        retry_after_seconds: the time that the answer asked to wait, or None.
    """

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class SessionExpired(Rejected):
    """The access token is expired or invalid."""


class SessionRefused(Rejected):
    """The session may not be used for the API, however new its token is."""


class NotFound(Rejected):
    """The job or the object does not exist, or not any more."""


class WrongState(Rejected):
    """The job's state does not allow the call."""


class Unavailable(Rejected):
    """The org, or something on the way to it, is out of order; what was asked for may have happened all the same."""


class LimitReached(Rejected):
    """The org's request limit is reached, or it asks to slow down."""


LIMIT_STATUSES = frozenset({420, 429})
LIMIT_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "EXCEEDEDQUOTA"})


NO_EXPIRY = ("This session is not valid for use with the REST API", "Connected app is not attached to Agent")
"""The texts of a 401 after which jsforce does not renew a session (seen in its `isSessionExpired`)."""

NO_EXPIRY_CODE = "INVALID_AUTH_HEADER"
"""The code of a 401 about the form of the header (seen)."""


def rejected(status: int, code: str, message: str, retry_after_seconds: float | None = None) -> Rejected:
    """Return the error for a refusal, by its status and code (codes: Bulk API 2.0 guide, Errors; REST guide)."""
    kind: type[Rejected] = Rejected
    if status == 401:
        is_expiry = code != NO_EXPIRY_CODE and not any(text in message for text in NO_EXPIRY)
        kind = SessionExpired if is_expiry else SessionRefused
    elif status == 404:
        kind = NotFound
    elif code in LIMIT_CODES or status in LIMIT_STATUSES:
        kind = LimitReached
    elif code == "INVALIDJOBSTATE":
        kind = WrongState
    elif status >= 500:
        kind = Unavailable
    return kind(status, code, message, retry_after_seconds)
