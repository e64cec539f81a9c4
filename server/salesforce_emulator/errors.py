"""The errors of the emulator, by who reads them.

    ApiError     the caller of an HTTP request reads a status and Salesforce's error envelope
    JobFailure   the owner of a job reads the errorMessage of a job that is Failed
    RowError     the owner of a row reads its sf__Error in failedResults

api/error_handlers.py turns an ApiError into a response (ui/page.py and ui/authorize.py turn some into web pages).
processing/processor.py ends the job of a JobFailure, and writes the RowError of each failed row.

The functions below make every ApiError, except those about the state of a job (jobs/states.py), SOQL (soql/syntax.py) and
logins (api/grants.py, ui/authorize.py). Where Salesforce's status, code or text is not known, the docstring says "assumed".
"""

from collections.abc import Iterable, Mapping

SESSION_INVALID = "Session expired or invalid"
MAX_MESSAGE = 100_000  # characters in the message of a RowError
REQUESTS_EXCEEDED = "TotalRequests Limit exceeded."
GRANT_EXPIRED = "expired access/refresh token"


class ApiError(Exception):
    """A refused request.

    Attributes:
        status: HTTP status.
        headers: further headers of the response, if there are any.
        body: JSON body. An error of the platform has `message` before `errorCode`, an error of the Bulk API after it.
    """

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
    """A refused login; its body is an object, unlike that of every other error.

    Attributes:
        parameters: `error` and, unless there is none, `error_description`: the body, or what a callback URL gets.
    """

    def __init__(self, error: str, description: str | None) -> None:
        super().__init__(400, error, description or "")
        self.parameters = {"error": error} | ({} if description is None else {"error_description": description})
        self.body = self.parameters


class JobFailure(Exception):
    """The failure of a whole job; its text has the form `CamelCode : text`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} : {message}")


class RowError(Exception):
    """The failure of one row; its text has the form `STATUS_CODE:message:Field1,Field2 --`.

    Code that stores the error removes its traceback, which would keep all rows of the chunk in memory.
    """

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(f"{code}:{_shortened(message)}:{','.join(fields)}{' ' if fields else ''}--")


def _shortened(message: str) -> str:
    """Return the message without its middle if it is long.

    Assumed: a message quotes at most this much of a value; CSV readers accept cells of 131,072 characters at most.
    """
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 100]}...{message[-100:]}"


# Errors of any request.


def not_found() -> ApiError:
    """404 for an unknown or deleted id, or an unknown path (Bulk API 2.0 guide, Errors)."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def not_here(what: str, instead: str) -> ApiError:
    """404 for an API of Salesforce that the emulator does not have.

    Args:
        what: the API, as the object of a sentence.
        instead: what its caller can do, as an imperative.
    """
    return ApiError(404, "NOT_FOUND", not_in_this_org(what, instead))


def not_in_this_org(what: str, instead: str) -> str:
    """Return the sentence that an API is not here, and what to do instead."""
    return f"The embedded org does not have {what}: {instead}."


def retired_version() -> ApiError:
    """410 for a retired API version: the status is documented (API End-of-Life); assumed: code and text."""
    return ApiError(410, "UNSUPPORTED_API_VERSION", "The requested API version is retired or not supported")


def method_not_allowed(method: str, allowed: str, instead: str | None = None) -> ApiError:
    """405 for a method that the resource does not have (text: REST API guide, Status Codes and Error Responses).

    Args:
        method: the method.
        allowed: the methods that the resource has, with commas between them.
        instead: a sentence for a method that Salesforce has and the emulator does not.
    """
    message = f"HTTP Method '{method}' not allowed. Allowed are {allowed.replace(', ', ',')}"
    if instead:
        message = f"{message}. {instead}"
    return ApiError(405, "METHOD_NOT_ALLOWED", message, platform=True, headers={"Allow": allowed})


def uri_too_long(limit: int) -> ApiError:
    """414 for a long URI: status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    return ApiError(414, "URI_TOO_LONG", f"The length of the URI exceeds the {limit} byte limit", platform=True)


def headers_too_large(limit: int) -> ApiError:
    """431 for long headers: status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    message = f"The combined length of the URI and headers exceeds the {limit} byte limit"
    return ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", message, platform=True)


def invalid_auth_header() -> ApiError:
    """401 for an Authorization header whose scheme is neither Bearer nor OAuth (seen)."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", platform=True, headers=headers)


def invalid_session(message: str = SESSION_INVALID) -> ApiError:
    """401 for a token that is unknown or has expired (seen in captures of a real org, with this header)."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_SESSION_ID", message, platform=True, headers=headers)


def request_limit_exceeded(message: str = REQUESTS_EXCEEDED) -> ApiError:
    """403 when the daily allocation of requests is used up (seen)."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", message, platform=True)


def too_many_requests(retry_after: int | None) -> ApiError:
    """429 for too many requests in a short time; assumed: code and text."""
    message = "Too many requests, try again later"
    return ApiError(429, "TOO_MANY_REQUESTS", message, platform=True, headers=_retry_after_header(retry_after))


def server_unavailable(retry_after: int | None = None) -> ApiError:
    """503 for an org that can't serve requests at present; seen: the code; assumed: the text."""
    message = "Service temporarily unavailable"
    return ApiError(503, "SERVER_UNAVAILABLE", message, platform=True, headers=_retry_after_header(retry_after))


def _retry_after_header(seconds: int | None) -> dict[str, str] | None:
    return None if seconds is None else {"Retry-After": str(seconds)}


def unknown_exception(message: str = "An unexpected error occurred", status: int = 500) -> ApiError:
    """500, or another status, for an unexplained error; assumed: code and text, which the platform uses elsewhere."""
    return ApiError(status, "UNKNOWN_EXCEPTION", message, platform=True)


# Errors of request bodies.


def unsupported_media_type(content_type: str, expected: str) -> ApiError:
    """415 for another Content-Type: the status is documented (REST API guide); assumed: code and text, used elsewhere.

    What the text says of the expected one is ours.
    """
    message = f"Content-Type header specified in HTTP request is not supported: {content_type}. Expected is {expected}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def unsupported_encoding(encoding: str) -> ApiError:
    """415 for an unknown Content-Encoding; assumed: status, code and text, modelled on the refused media type."""
    message = f"Content-Encoding header specified in HTTP request is not supported: {encoding}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def broken_compression() -> ApiError:
    """400 for a body that is not compressed as its Content-Encoding says; assumed: status, code and text."""
    return ApiError(400, "CLIENTINPUTERROR", "The body is not compressed as its Content-Encoding says")


def too_large(limit: int, unit: str) -> ApiError:
    """413 for a body beyond the limit; assumed: status, code and text, which no source shows."""
    return ApiError(413, "CLIENTINPUTERROR", f"The data of the request is larger than {limit} {unit}")


def json_parser_error(message: str) -> ApiError:
    """400 for a body that is not the expected JSON (seen on another endpoint of the platform; assumed for ingest)."""
    return ApiError(400, "JSON_PARSER_ERROR", message, platform=True)


# Errors of jobs.


def invalid_job(message: str) -> ApiError:
    """400 for a job that has a wrong setting or can't do what is requested."""
    return ApiError(400, "INVALIDJOB", message)


def invalid_operation(name: str | None, allowed: Iterable[str]) -> ApiError:
    """400 for an unknown operation, or for none: the code is documented (Bulk API 2.0 guide, Errors), the rest assumed."""
    what = f"Operation '{name}' is not one of" if name else "The job has no operation: set operation to one of"
    return ApiError(400, "INVALIDOPERATION", f"{what} {', '.join(allowed)}")


def hard_delete_not_enabled(code: str) -> ApiError:
    """400 for hardDelete without the permission for it: text seen in Bulk API 1.0; assumed: the status.

    Args:
        code: the code, which is seen in two spellings.
    """
    message = "hardDelete operation requires special user profile permission, please contact your system administrator"
    return ApiError(400, code, message)


def invalid_entity(name: str | None) -> ApiError:
    """400 for an object that can't be loaded (text seen on query jobs; assumed for ingest), or for none (assumed)."""
    if not name:
        return ApiError(400, "INVALIDENTITY", "The job has no object: set object to its API name, such as Account")
    return ApiError(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")


def results_not_available(state: str) -> ApiError:
    """400 for results of a job that has not ended; assumed, as results are documented only for ended jobs.

    Unlike an empty result, an error can't be mistaken for "no failures"; clients wait for a terminal state first.
    """
    return ApiError(400, "INVALIDJOBSTATE", f"Results of a job in state {state} are not available")


# Errors of queries and records.


def missing_query() -> ApiError:
    """400 for a query resource without a query; assumed: the text."""
    return ApiError(400, "MALFORMED_QUERY", "A query string has to be specified", platform=True)


def invalid_query_locator() -> ApiError:
    """400 for a query locator that leads to no page: code and text are the platform's."""
    return ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator", platform=True)


def invalid_field(message: str) -> ApiError:
    """400 for a field that the object does not have."""
    return ApiError(400, "INVALID_FIELD", message, platform=True)


def no_external_id(name: str) -> ApiError:
    """404 for a malformed id, or a field that is not an external id (both seen)."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return ApiError(404, "NOT_FOUND", message)


def entity_is_deleted() -> ApiError:
    """404 for a deleted record: code and text are the platform's; assumed: the status."""
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")


# Errors of the control resources, which are no part of Salesforce.


def plan_is_not_json_type() -> ApiError:
    """415 for a plan of faults with another Content-Type."""
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Send the plan as application/json")


def invalid_plan(message: str) -> ApiError:
    """400 for a plan of faults that is not valid."""
    return ApiError(400, "INVALID_PLAN", message)


def invalid_parameter(message: str) -> ApiError:
    """400 for a bad parameter of the journal."""
    return ApiError(400, "INVALID_PARAMETER", message)
