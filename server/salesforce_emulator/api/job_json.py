"""Builds the JSON bodies of jobs, with Salesforce's fields in Salesforce's order."""

from typing import Any

from salesforce_emulator.jobs.job import Job
from salesforce_emulator.jobs.states import State

Body = dict[str, Any]


def created_body(job: Job) -> Body:
    """Return the body of the response to a creation, which has no jobType and no counters (seen at v62)."""
    return _identity(job) | _content_url(job) | _format(job)


def changed_body(job: Job) -> Body:
    """Return the short body of the response to PATCH (Bulk API 2.0 guide, quick start, steps 3 and 5; seen at v62)."""
    return _identity(job)


def listed_body(job: Job) -> Body:
    """Return the job as a record of the list, without counters and times (Bulk API 2.0 guide, Get Information About All
    Ingest Jobs).
    """
    return _identity(job) | {"jobType": "V2Ingest"} | _content_url(job) | _format(job)


def job_body(job: Job) -> Body:
    """Return the full body of the response to GET (Bulk API 2.0 guide, Get Information About an Ingest Job)."""
    return listed_body(job) | _counters(job) | _times(job) | _error(job) | {"isPkChunkingSupported": False}


def _identity(job: Job) -> Body:
    body = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.created_by_id,
        "createdDate": job.created_date,
        "systemModstamp": job.system_modstamp,
        "state": job.state,
        "externalIdFieldName": job.external_id_field,
        "assignmentRuleId": job.assignment_rule_id,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.api_version),  # seen as a JSON number with .0, though documented as a string
    }
    return {key: value for key, value in body.items() if value is not None}


def _content_url(job: Job) -> Body:
    # Documented: the URL is present only while the job is Open, and has no leading slash.
    url = f"services/data/v{job.api_version}/jobs/ingest/{job.id}/batches"
    return {"contentUrl": url} if job.state is State.OPEN else {}


def _format(job: Job) -> Body:
    return {"lineEnding": job.line_ending, "columnDelimiter": job.column_delimiter}


def _counters(job: Job) -> Body:
    # assumed: the counters are absent until processing starts, as in the documented sample of an Open job
    if job.state in (State.OPEN, State.UPLOAD_COMPLETE):
        return {}
    return {"numberRecordsProcessed": job.processed, "numberRecordsFailed": job.failed}


def _times(job: Job) -> Body:
    return {
        "retries": job.retries,
        "totalProcessingTime": job.total_ms,
        "apiActiveProcessingTime": job.active_ms,
        "apexProcessingTime": 0,
    }


def _error(job: Job) -> Body:
    return {"errorMessage": job.error_message} if job.error_message is not None else {}
