"""Addresses of jobs and results as resources."""

from salesforce_bulk_ingest.salesforce.models import ResultKind

RESULT_NAMES: dict[ResultKind, str] = {
    "failedResults": "failed-results",
    "successfulResults": "successful-results",
    "unprocessedrecords": "unprocessed-records",
}
"""The name of each result in addresses; with spaces for hyphens, also in sentences."""


def job_uri(job_id: str) -> str:
    """Return the address of a job."""
    return f"salesforce-bulk://jobs/{job_id}"


def result_uri(job_id: str, kind: ResultKind) -> str:
    """Return the address of a result of a job."""
    return f"{job_uri(job_id)}/{RESULT_NAMES[kind]}"
