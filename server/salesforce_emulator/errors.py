"""Everything that can go wrong, by who is told.

    ApiError     the caller of an HTTP request: a status and Salesforce's envelope
    JobFailure   the owner of a job: the job becomes Failed with this errorMessage
    RowError     the owner of a row: the row goes to failedResults with this sf__Error

ApiError becomes an answer in answers.py (a 404 of the window, a page in window/page.py), JobFailure the end of its job in
processing/processor.py; a row holds its RowError until processing/processor.py prints it.

Here, too, is every ApiError that there is, but for those of a job's states (jobs/states.py), of SOQL (soql/syntax.py)
and of logins (api/login.py).
"""

from collections.abc import Iterable, Mapping

SESSION_INVALID = "Session expired or invalid"
MAX_MESSAGE = 100_000  # characters of the message of a row
REQUESTS_EXCEEDED = "TotalRequests Limit exceeded."
GRANT_EXPIRED = "expired access/refresh token"


class ApiError(Exception):
    """A refused request. Platform errors print `message` before `errorCode`, those of the Bulk API the reverse."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        platform: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.headers = headers
        body = {"errorCode": code, "message": message}
        self.body: object = [dict(reversed(body.items())) if platform else body]


class OAuthError(ApiError):
    """A refused login: an object, unlike all other errors."""

    def __init__(self, error: str, description: str | None) -> None:
        super().__init__(400, error, description or "")
        self.body = {"error": error} | ({} if description is None else {"error_description": description})


class JobFailure(Exception):
    """The whole job fails; its text has the form `CamelCode : text`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} : {message}")


class RowError(Exception):
    """One row fails; its text has the form `STATUS_CODE:message:Field1,Field2 --`.

    Who keeps one keeps it without its traceback, which leads back to all the rows of its chunk.
    """

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(f"{code}:{_cut(message)}:{','.join(fields)}{' ' if fields else ''}--")


def _cut(message: str) -> str:
    """Assumed: a value that is quoted is cut where readers of CSV would take no more, most at 131,072 characters."""
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 100]}...{message[-100:]}"


# Of any request.


def not_found() -> ApiError:
    """Unknown or deleted id, or a path that is not there (Bulk API 2.0 guide, Errors)."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def retired_version() -> ApiError:
    """The status is documented (API End-of-Life); assumed: code and text."""
    return ApiError(410, "UNSUPPORTED_API_VERSION", "The requested API version is retired or not supported")


def method_not_allowed(method: str, allowed: str) -> ApiError:
    """Text from the REST API guide, Status Codes and Error Responses."""
    message = f"HTTP Method '{method}' not allowed. Allowed are {allowed.replace(', ', ',')}"
    return ApiError(405, "METHOD_NOT_ALLOWED", message, platform=True, headers={"Allow": allowed})


def uri_too_long(limit: int) -> ApiError:
    """Status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    return ApiError(414, "URI_TOO_LONG", f"The length of the URI exceeds the {limit} byte limit", platform=True)


def headers_too_large(limit: int) -> ApiError:
    """Status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    message = f"The combined length of the URI and headers exceeds the {limit} byte limit"
    return ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", message, platform=True)


def invalid_auth_header() -> ApiError:
    """Seen when the scheme is neither Bearer nor OAuth."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", platform=True, headers=headers)


def invalid_session(message: str = SESSION_INVALID) -> ApiError:
    """Seen in captures of a real org, with this header."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_SESSION_ID", message, platform=True, headers=headers)


def request_limit_exceeded(message: str = REQUESTS_EXCEEDED) -> ApiError:
    """Seen when the daily allocation of requests is used up."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", message, platform=True)


def too_many_requests(retry_after: int | None) -> ApiError:
    """Clients take it for a rate limit; assumed: code and text."""
    message = "Too many requests, try again later"
    return ApiError(429, "TOO_MANY_REQUESTS", message, platform=True, headers=_later(retry_after))


def server_unavailable(retry_after: int | None = None) -> ApiError:
    """The code is seen; assumed: the text."""
    message = "Service temporarily unavailable"
    return ApiError(503, "SERVER_UNAVAILABLE", message, platform=True, headers=_later(retry_after))


def _later(seconds: int | None) -> dict[str, str] | None:
    return None if seconds is None else {"Retry-After": str(seconds)}


def unknown_exception(message: str = "An unexpected error occurred", status: int = 500) -> ApiError:
    """Assumed: code and text, which the platform uses elsewhere."""
    return ApiError(status, "UNKNOWN_EXCEPTION", message, platform=True)


# Of bodies.


def unsupported_media_type(content_type: str) -> ApiError:
    """The status is documented (REST API guide); assumed: code and text, which the platform uses elsewhere."""
    message = f"Content-Type header specified in HTTP request is not supported: {content_type}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def unsupported_encoding(encoding: str) -> ApiError:
    """Assumed: status, code and text, in the manner of the refused media type."""
    message = f"Content-Encoding header specified in HTTP request is not supported: {encoding}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def broken_compression() -> ApiError:
    """Assumed: status, code and text."""
    return ApiError(400, "CLIENTINPUTERROR", "The body is not compressed as its Content-Encoding says")


def too_large(limit: int, unit: str) -> ApiError:
    """Assumed: status, code and text; no source shows what an oversize body is told."""
    return ApiError(413, "CLIENTINPUTERROR", f"The data of the request is larger than {limit} {unit}")


def json_parser_error(message: str) -> ApiError:
    """Seen on another endpoint of the same platform; assumed for ingest."""
    return ApiError(400, "JSON_PARSER_ERROR", message, platform=True)


# Of jobs.


def invalid_job(message: str) -> ApiError:
    """A job that cannot be what it asks to be."""
    return ApiError(400, "INVALIDJOB", message)


def invalid_operation(name: str, allowed: Iterable[str]) -> ApiError:
    """The code is on the Errors page of the Bulk API 2.0 guide; assumed: status and text."""
    return ApiError(400, "INVALIDOPERATION", f"Operation '{name}' is not one of {', '.join(allowed)}")


def hard_delete_not_enabled() -> ApiError:
    """The code was seen with 2.0, the text with Bulk API 1.0; assumed: the status."""
    message = "hardDelete operation requires special user profile permission, please contact your system administrator"
    return ApiError(400, "FEATURENOTENABLED", message)


def invalid_entity(name: str) -> ApiError:
    """Text seen on query jobs; assumed for ingest."""
    return ApiError(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")


def results_not_available(state: str) -> ApiError:
    """Assumed: results are documented only as available after the end.

    An error can't be mistaken for "no failures", and no client asks before it has seen a terminal state.
    """
    return ApiError(400, "INVALIDJOBSTATE", f"Results of a job in state {state} are not available")


# Of queries and records.


def missing_query() -> ApiError:
    """Assumed: the text."""
    return ApiError(400, "MALFORMED_QUERY", "A query string has to be specified", platform=True)


def invalid_query_locator() -> ApiError:
    """The code and the text are the platform's."""
    return ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator", platform=True)


def invalid_field(message: str) -> ApiError:
    """A field that the object does not have."""
    return ApiError(400, "INVALID_FIELD", message, platform=True)


def no_external_id(name: str) -> ApiError:
    """Seen for an id that is none, and for a field that is no external id."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return ApiError(404, "NOT_FOUND", message)


def entity_is_deleted() -> ApiError:
    """The code and the text are the platform's; assumed: the status."""
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")


# Of what controls the org, which is no part of Salesforce.


def plan_is_not_json_type() -> ApiError:
    """A plan of faults that came as another media type."""
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Send the plan as application/json")


def invalid_plan(message: str) -> ApiError:
    """A plan of faults that can't be put in force."""
    return ApiError(400, "INVALID_PLAN", message)


def invalid_parameter(message: str) -> ApiError:
    """A parameter of the journal that can't be read."""
    return ApiError(400, "INVALID_PARAMETER", message)
