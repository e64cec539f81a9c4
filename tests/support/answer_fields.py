"""The fields of answers, held to the output schemas: a field that its schema does not list is an error here."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from salesforce_bulk_ingest.mcp_server.answers.answer import Answer
from salesforce_bulk_ingest.mcp_server.answers.created_job import CreatedJobAnswer
from salesforce_bulk_ingest.mcp_server.answers.deleted_job import DeletedJobAnswer
from salesforce_bulk_ingest.mcp_server.answers.job import JobAnswer
from salesforce_bulk_ingest.mcp_server.answers.job_list import JobListAnswer
from salesforce_bulk_ingest.mcp_server.answers.result_page import FailedPageAnswer, PageAnswer
from salesforce_bulk_ingest.mcp_server.answers.upload import UploadAnswer
from salesforce_bulk_ingest.mcp_server.portable_schema import listed, portable

ANSWERS: Mapping[str, type[Answer]] = {
    "list-all-ingest-jobs": JobListAnswer,
    "create-ingest-job": CreatedJobAnswer,
    "get-ingest-job-status": JobAnswer,
    "close-abort-ingest-job": JobAnswer,
    "delete-ingest-job": DeletedJobAnswer,
    "upload-data-ingest-job": UploadAnswer,
    "get-failed-results-ingest-job": FailedPageAnswer,
    "get-successful-results-ingest-job": PageAnswer,
    "get-unprocessed-records-ingest-job": PageAnswer,
}
"""The answer of each tool."""


@cache
def full_schema(tool: str) -> dict[str, Any]:
    """The output schema of a tool before it is shortened for the list of tools, which leaves out fields of parts."""
    return portable(ANSWERS[tool].model_json_schema())


@cache
def listed_schema(tool: str) -> dict[str, Any]:
    """The output schema of a tool as the list of tools has it."""
    schema: dict[str, Any] = listed(full_schema(tool))
    return schema


def unlisted_fields(answer: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all fields that the schema does not list, as if each object allowed no others.

    An object whose schema says what all its members are has names that are data.
    """
    if isinstance(answer, list):
        for item in answer:
            yield from unlisted_fields(item, schema.get("items", {}), f"{path}[]")
    if isinstance(answer, dict):
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, value in answer.items():
            of_field = fields.get(name, others)
            if isinstance(of_field, dict):
                yield from unlisted_fields(value, of_field, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
