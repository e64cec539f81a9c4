"""The tree of what this server refuses, and how a gateway reports each of its errors."""

from collections.abc import Callable
from functools import partial

import pytest

from salesforce_bulk_ingest.base import errors
from salesforce_bulk_ingest.base.errors import (
    AllSentAgain,
    IngestError,
    InvalidArgument,
    InvalidJobId,
    NoRecord,
    NoRowLeft,
    RefusedByPolicy,
    SentAgain,
    SourceChanged,
    TooLarge,
    UploadConflict,
    UploadUnclear,
)
from salesforce_bulk_ingest.operations import errors as errors_of_operations


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (InvalidArgument, 400, "INVALID_ARGUMENT"),
        (InvalidJobId, 404, "NOT_FOUND"),
        (TooLarge, 413, "REQUEST_ENTITY_TOO_LARGE"),
        (SourceChanged, 409, "INVALID_ARGUMENT"),
        (RefusedByPolicy, 403, "INSUFFICIENT_ACCESS"),
        (UploadConflict, 409, "INVALIDJOBSTATE"),
        (UploadUnclear, 409, "INVALIDJOBSTATE"),
        (partial(NoRowLeft, to_job="750000000000001"), 400, "INVALID_ARGUMENT"),
        (partial(AllSentAgain, job_id="750000000000001AAA", state="Open"), 409, "DUPLICATE_VALUE"),
        (partial(SentAgain, job_id="750000000000001AAA", state="Open"), 409, "DUPLICATE_VALUE"),
        (NoRecord, 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_an_error_says_how_a_gateway_reports_it(kind: Callable[[str], IngestError], status: int, code: str) -> None:
    error = kind("why")
    assert (error.status, error.code, str(error)) == (status, code, "why")


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {line.partition("── ")[2].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    kinds = {
        name
        for module in (errors, errors_of_operations)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, IngestError)
    }
    assert drawn | {"IngestError"} == kinds
