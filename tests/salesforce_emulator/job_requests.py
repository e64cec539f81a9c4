"""Requests for jobs, as the org gets them from its API."""

from salesforce_emulator.jobs.job import JobRequest

INSERT = JobRequest(
    operation="insert",
    object="Account",
    external_id_field=None,
    assignment_rule_id=None,
    api_version="63.0",
    line_ending="LF",
    column_delimiter="COMMA",
)
