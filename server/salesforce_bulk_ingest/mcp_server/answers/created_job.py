"""The answer about a job that was to be created, with or without rows."""

from typing import Any, Self

from pydantic import Field

from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.mcp_server.answers.answer import job_uri
from salesforce_bulk_ingest.mcp_server.answers.job import bounded, kind_of, next_step
from salesforce_bulk_ingest.mcp_server.answers.load import LoadAnswer, load_fields, load_summary
from salesforce_bulk_ingest.mcp_server.answers.next_call import GivenCall
from salesforce_bulk_ingest.mcp_server.portable_schema import NOT_LISTED
from salesforce_bulk_ingest.operations.jobs import JobStatus
from salesforce_bulk_ingest.operations.load_outcome import UploadOutcome
from salesforce_bulk_ingest.salesforce.models import Job


class CreatedJobAnswer(LoadAnswer):
    """A job under Salesforce's own field names, and its rows where some came with it."""

    id: str | None = Field(None, description="If a job was made")
    state: str | None = None
    object: str | None = None
    operation: str | None = None
    external_id_field_name: str | None = None
    assignment_rule_id: str | None = None
    column_delimiter: str | None = None
    line_ending: str | None = None
    concurrency_mode: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    content_type: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    api_version: float | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    created_by_id: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    created_date: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    system_modstamp: str | None = Field(None, json_schema_extra=dict(NOT_LISTED))
    org: str
    resource_uri: str | None = None

    @classmethod
    def of_job(cls, created: JobStatus) -> Self:
        """Return the answer about a job without rows."""
        job, org = created.job, created.org
        summary = f"Created job {job.id} ({kind_of(job)}) in {org}; it is {as_name(job.state)} and has no rows yet."
        return cls(summary=summary, next=next_step(created), org=str(org), **_job_fields(job))

    @classmethod
    def of_outcome(cls, outcome: UploadOutcome, given: GivenCall) -> Self:
        """Return the answer about a job with its rows, or about rows that were only checked."""
        job = outcome.job
        done = "No job was made." if job is None else "Created the job."
        if outcome.is_repeat:
            done = "No second job was made: an equal call before made this one."
        return cls(
            summary=load_summary(outcome, given, f"{done} "),
            org=str(outcome.org),
            **({} if job is None else _job_fields(job)),
            **load_fields(outcome, given),
        )


def _job_fields(job: Job) -> dict[str, Any]:
    shared = set(CreatedJobAnswer.model_fields) & set(Job.model_fields)
    return {**bounded(job).model_dump(include=shared), "resource_uri": job_uri(job.id)}
