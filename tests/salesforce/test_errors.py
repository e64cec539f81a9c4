"""The error tree: each class says how a gateway reports it."""

import pytest

from salesforce_bulk_ingest.salesforce import errors
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    NoCredentials,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    SessionRefused,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    WrongState,
    rejected,
)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NoCredentials("none"), 503, "SERVER_UNAVAILABLE"),
        (Unreachable("gone"), 502, "SERVER_UNAVAILABLE"),
        (TimedOut("slow"), 504, "SERVER_UNAVAILABLE"),
        (UnexpectedAnswer("page"), 502, "SERVER_UNAVAILABLE"),
        (rejected(404, "NOT_FOUND", "no"), 404, "NOT_FOUND"),
    ],
)
def test_an_error_says_how_a_gateway_reports_it(error: SalesforceError, status: int, code: str) -> None:
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "INVALID_SESSION_ID", SessionExpired),
        (401, "INVALID_AUTH_HEADER", SessionRefused),
        (404, "NOT_FOUND", NotFound),
        (404, "INVALIDJOB", NotFound),
        (420, "UNKNOWN_EXCEPTION", LimitReached),
        (429, "UNKNOWN_EXCEPTION", LimitReached),
        (403, "REQUEST_LIMIT_EXCEEDED", LimitReached),
        (400, "LIMIT_EXCEEDED", LimitReached),
        (400, "EXCEEDEDQUOTA", LimitReached),
        (400, "INVALIDJOBSTATE", WrongState),
        (400, "INVALIDJOB", Rejected),
        (400, "API_ERROR", Rejected),
        (500, "UNKNOWN_EXCEPTION", Unavailable),
        (503, "SERVER_UNAVAILABLE", Unavailable),
    ],
)
def test_a_refusal_is_of_the_class_of_its_status_and_code(status: int, code: str, kind: type[Rejected]) -> None:
    error = rejected(status, code, "said no", 3.0)
    assert (type(error), error.status, error.code, str(error), error.retry_after_seconds) == (
        kind, status, code, "said no", 3.0,
    )  # fmt: skip


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {line.partition("── ")[2].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    kinds = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SalesforceError)
    }
    assert drawn | {"SalesforceError"} == kinds
