"""The faults of the embedded org, each with the parameters that the matrix tries."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from salesforce_emulator.faults.plan import RULE_CLASSES, ProcessingRule
from salesforce_emulator.faults.request_operations import ResultOperation
from tests.faults.org import LATE_SECONDS

Rule = Mapping[str, Any]

PARAMETERS: dict[str, tuple[Rule, ...]] = {
    "expired-session": ({},),
    "request-limit": ({}, {"message": "ConcurrentPerOrgLongTxn Limit exceeded."}),
    "no-route": ({},),
    "too-many-requests": ({}, {"retryAfter": None}),
    "unavailable": ({}, {"retryAfter": None}),
    "server-error": ({},),
    "error-page": ({"status": 502}, {"status": 404}),
    "refused-login": ({},),
    "answer": (
        {"status": 400, "errorCode": "INVALIDJOBSTATE", "message": "The job is in another state."},
        {"status": 400, "errorCode": "INVALIDJOB", "message": "Something about the job."},
        {"status": 403, "errorCode": "EXCEEDEDQUOTA", "message": "ExceededQuota"},
        {"status": 404, "errorCode": "NOT_FOUND", "message": "The requested resource does not exist"},
        {"status": 500},
    ),
    "blank-results": ({},),
    "no-content": ({},),
    "latency": ({"seconds": LATE_SECONDS}, {"seconds": 0.05}),
    "slow-body": ({"bytesPerSecond": 5_000},),
    "reset": (
        {"when": "before"},
        {"when": "during", "bytes": 0},
        {"when": "during", "bytes": 20},
        {"when": "after"},
        {"when": "download", "bytes": 0},
        {"when": "download", "bytes": 60},
    ),
    "locked-rows": ({"times": 3}, {"after": 2, "times": 2}),
    "too-many-lock-failures": ({"times": 1},),
    "retries-exhausted": ({"times": 1},),
    "stuck-job": ({"times": 1},),
}
"""The faults and the parameters of each."""

LOGIN_FAULTS = {"refused-login"}
RESULT_FAULTS = {"blank-results", "no-content"}
PROCESSING_FAULTS = {name for name, kind in RULE_CLASSES.items() if issubclass(kind, ProcessingRule)}


def rules_of_requests(operation: str) -> Iterator[Rule]:
    """The rules that apply to the requests of an operation."""
    for fault, variants in PARAMETERS.items():
        is_possible = fault not in RESULT_FAULTS or operation in get_args(ResultOperation)
        if is_possible and fault not in PROCESSING_FAULTS | LOGIN_FAULTS:
            yield from ({"on": operation, "fault": fault, **parameters} for parameters in variants)


def rules_of_loads() -> Iterator[Rule]:
    """The rules that apply to the processing of jobs, or to logins."""
    for fault in sorted(PROCESSING_FAULTS | LOGIN_FAULTS):
        yield from ({"fault": fault, **parameters} for parameters in PARAMETERS[fault])


def name_of(rule: Rule) -> str:
    """The rule in a few words, for the id of a cell."""
    return "-".join(
        str(value).split(".")[0].replace(" ", "-") for name, value in rule.items() if name not in ("on", "errorCode")
    )
