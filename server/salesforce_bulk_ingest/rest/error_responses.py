"""The error responses of `/v1` in the OpenAPI document: what Salesforce refuses, and what this server refuses itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

JSON = "application/json"

RETRY_AFTER: Document = {
    "description": "Seconds after which a repeat may succeed",
    "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86_400},
}
CHALLENGE: Document = {
    "description": "How callers of this server show who they are (RFC 6750, RFC 9728); only where this server refused",
    "schema": {"type": "string"},
}
LIMIT_INFO: Document = {
    "description": "Requests that the org has used of those of 24 hours; only where Salesforce answered",
    "schema": {"type": "string", "examples": ["api-usage=18/100000"]},
}
HEADERS: Mapping[str, Document] = {
    "Retry-After": RETRY_AFTER,
    "WWW-Authenticate": CHALLENGE,
    "Sforce-Limit-Info": LIMIT_INFO,
}


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The responses with one status.

    Attributes:
        name: name of the component.
        description: who sends it, and when.
        examples: name of an example to its `errorCode` and `message`.
        headers: names of the headers that it may have, beside those of every answer of Salesforce.
    """

    name: str
    description: str
    examples: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()

    def component(self) -> Document:
        """Return the response as a component of the document."""
        names = ("Sforce-Limit-Info", *self.headers)
        content: Document = {"schema": {"$ref": "#/components/schemas/Errors"}}
        if self.examples:
            content["examples"] = {
                name: {"value": [{"errorCode": code, "message": message}]}
                for name, (code, message) in self.examples.items()
            }
        return {
            "description": self.description,
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
            "content": {JSON: content},
        }


OF_EVERY_OPERATION: Mapping[int, ErrorResponse] = {
    400: ErrorResponse(
        "Refused",
        "Salesforce does not accept the request: its body, its parameters, or what the state of the job allows. "
        "Where callers sign in: the token is sent in two places.",
        {
            "an object that takes no jobs": ("INVALIDENTITY", "Entity 'Nope' is not supported by the Bulk API."),
            "a close too many": ("INVALIDJOBSTATE", "Closing already Completed Job not allowed"),
            "results too early": ("INVALIDJOBSTATE", "Results of a job in state Open are not available"),
            "a locator of no page": ("INVALID_QUERY_LOCATOR", "invalid query locator"),
        },
    ),
    401: ErrorResponse(
        "NotSignedIn",
        "Where callers sign in, the token is missing or not good: INVALID_AUTH_HEADER. INVALID_SESSION_ID comes "
        "from Salesforce: the session of this server ended, and could not be renewed.",
        {
            "no token": (
                "INVALID_AUTH_HEADER",
                "This server takes calls with a bearer token in the Authorization header.",
            ),
            "a wrong token": ("INVALID_AUTH_HEADER", "The token is not good here, or not any more."),
        },
        ("WWW-Authenticate",),
    ),
    403: ErrorResponse(
        "NotAllowed",
        "The operator does not allow it, a person has to confirm it, the token is for reading alone, or a page "
        "of another origin calls; or Salesforce does not allow it to the user of this server, or the org has used its "
        "requests.",
        {
            "a server for reading": (
                "INSUFFICIENT_ACCESS",
                "This server is read-only (--read-only), so it makes, fills, closes and deletes no jobs.",
            ),
            "a close to confirm": (
                "INSUFFICIENT_ACCESS",
                "The job was not closed: a person has to confirm that this is meant: insert 2 Contact in "
                "embedded org. Once a person agrees, send the same request with the header Bulk-Ingest-Confirm, whose value "
                "is this sentence: insert 2 Contact in embedded org (job 750Em0000Js3WMn, rows 153e59bdb18b2c88) "
                "c9a1218f2391",
            ),
        },
        ("WWW-Authenticate",),
    ),
    404: ErrorResponse(
        "NotFound",
        "There is no such job, not any more, or this can't be the id of one.",
        {
            "no job": ("NOT_FOUND", "The requested resource does not exist"),
            "no id": (
                "NOT_FOUND",
                "This is not the id of an ingest job: those begin with 750 and have 15 or 18 characters.",
            ),
        },
    ),
    410: ErrorResponse(
        "OldVersion",
        "The API version in the path, or of this server, is retired.",
        {"a retired version": ("UNSUPPORTED_API_VERSION", "The requested API version is retired or not supported")},
    ),
    414: ErrorResponse("LongAddress", "The address is too long for Salesforce."),
    421: ErrorResponse(
        "WrongHost",
        "This server does not go by the name in the header Host.",
        {"a foreign name": ("INVALID_HOST", "This server does not go by that name; see --allowed-host.")},
    ),
    429: ErrorResponse("SlowDown", "Salesforce asks for fewer requests.", headers=("Retry-After",)),
    431: ErrorResponse("LongHeaders", "The headers are too long for Salesforce."),
    500: ErrorResponse(
        "Failed",
        "This server failed, or Salesforce did.",
        {"a failure here": ("UNKNOWN_EXCEPTION", "This server failed; its log has the details.")},
    ),
    502: ErrorResponse("NoAnswer", "Salesforce could not be reached, or did not answer as its API does."),
    503: ErrorResponse(
        "Unavailable",
        "This server has no login to an org or no room for another connection, can't tell whether a token is good, or "
        "Salesforce is out of order.",
        {"too many connections": ("SERVER_UNAVAILABLE", "Too many connections: try again later.")},
        ("Retry-After",),
    ),
    504: ErrorResponse("NoAnswerInTime", "Salesforce did not answer in time; what was asked for may have happened."),
}

WITH_BODY: Mapping[int, ErrorResponse] = {
    413: ErrorResponse("TooLarge", "The body has more bytes than are taken here, or than the operator allows."),
    415: ErrorResponse(
        "WrongType",
        "Salesforce does not take this Content-Type or Content-Encoding here.",
        {
            "rows as text": (
                "UNSUPPORTED_MEDIA_TYPE",
                "Content-Type header specified in HTTP request is not supported: text/plain. Expected is text/csv",
            )
        },
    ),
}

OF_UPLOADS: Mapping[int, ErrorResponse] = {
    409: ErrorResponse("UnderWay", "Rows are on their way to this job right now, and it takes rows once.")
}


def error_components() -> dict[str, Document]:
    """Return every error response as a component, by name."""
    every = [*OF_EVERY_OPERATION.values(), *WITH_BODY.values(), *OF_UPLOADS.values()]
    return {response.name: response.component() for response in every}


def errors_of(method: str, *, uploads: bool = False) -> dict[str, Document]:
    """Return the error responses of an operation, as references to the components.

    Args:
        method: the HTTP method, in lower case.
        uploads: whether it uploads rows.
    """
    found = {
        **OF_EVERY_OPERATION,
        **(WITH_BODY if method in ("post", "patch", "put") else {}),
        **(OF_UPLOADS if uploads else {}),
    }
    return {str(status): {"$ref": f"#/components/responses/{found[status].name}"} for status in sorted(found)}
