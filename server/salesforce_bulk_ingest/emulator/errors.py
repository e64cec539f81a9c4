"""Everything that can go wrong, by who is told.

    ApiError     the caller of an HTTP request: a status and Salesforce's envelope
    JobFailure   the owner of a job: the job becomes Failed with this errorMessage
    RowError     the owner of a row: the row goes to failedResults with this sf__Error

ApiError becomes an answer in api/edge.py (a 404 of the window, a page in window/page.py), JobFailure the end of its job in
processing/processor.py; a row holds its RowError until processing/processor.py prints it.
"""

from collections.abc import Mapping


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

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, error, description)
        self.body = {"error": error, "error_description": description}


class JobFailure(Exception):
    """The whole job fails; its text has the form `CamelCode : text`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} : {message}")


class RowError(Exception):
    """One row fails; its text has the form `STATUS_CODE:message:Field1,Field2 --`."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(f"{code}:{message}:{','.join(fields)}{' ' if fields else ''}--")


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


def invalid_session() -> ApiError:
    """Seen in captures of a real org, with this header."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid", platform=True, headers=headers)


def invalid_auth_header() -> ApiError:
    """Seen when the scheme is neither Bearer nor OAuth."""
    headers = {"WWW-Authenticate": "Token"}
    return ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", platform=True, headers=headers)


def unsupported_media_type(content_type: str) -> ApiError:
    """The status is documented (REST API guide); assumed: code and text, which the platform uses elsewhere."""
    message = f"Content-Type header specified in HTTP request is not supported: {content_type}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def unsupported_encoding(encoding: str) -> ApiError:
    """Assumed: status, code and text, in the manner of the refused media type."""
    message = f"Content-Encoding header specified in HTTP request is not supported: {encoding}"
    return ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message, platform=True)


def uri_too_long(limit: int) -> ApiError:
    """Status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    return ApiError(414, "URI_TOO_LONG", f"The length of the URI exceeds the {limit} byte limit", platform=True)


def headers_too_large(limit: int) -> ApiError:
    """Status and limit are documented (REST API guide, Status Codes); assumed: code and text."""
    message = f"The combined length of the URI and headers exceeds the {limit} byte limit"
    return ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", message, platform=True)


def request_limit_exceeded() -> ApiError:
    """Seen when the daily allocation of requests is used up."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", platform=True)


def json_parser_error(message: str) -> ApiError:
    """Seen on another endpoint of the same platform; assumed for ingest."""
    return ApiError(400, "JSON_PARSER_ERROR", message, platform=True)


def too_large(limit: int, unit: str) -> ApiError:
    """Assumed: status, code and text; no source shows what an oversize body is told."""
    return ApiError(413, "CLIENTINPUTERROR", f"The data of the request is larger than {limit} {unit}")


def broken_compression() -> ApiError:
    """Assumed: status, code and text."""
    return ApiError(400, "CLIENTINPUTERROR", "The body is not compressed as its Content-Encoding says")


def invalid_job(message: str) -> ApiError:
    """A job that cannot be what it asks to be."""
    return ApiError(400, "INVALIDJOB", message)
