"""The schemas of the OpenAPI document, made from the models that this server reads and writes with.

OpenAPI 3.1 uses the dialect of JSON Schema that pydantic writes (2020-12), so schemas go into the document as they are. The
models say what a reader needs; what they leave out, such as words for people, is added here by the name of the field.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from salesforce_bulk_ingest.operations.state_change import TargetState
from salesforce_bulk_ingest.salesforce.job_ids import JOB_ID_PATTERN
from salesforce_bulk_ingest.salesforce.models import (
    MOST_COUNTED,
    Delimiter,
    Job,
    JobList,
    JobType,
    LineEnding,
    Operation,
)
from salesforce_bulk_ingest.serving.error_envelope import ErrorObject

REF = "#/components/schemas/{model}"
LONGEST_ID = 18
MOST_JOBS_OF_A_PAGE = 1_000
"""The number of jobs of a page (Bulk API 2.0 guide, Get Information About All Ingest Jobs)."""
LONGEST_CONTENT = 100_000
"""The most characters of the rows in a multipart create (Bulk API 2.0 guide, Create a Job)."""

Schema = dict[str, Any]


class NewJob(BaseModel):
    """What a job is to do, in Salesforce's own words."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"object": "Contact", "operation": "insert"}]}
    )

    object: Annotated[str, Field(description="API name of the object", examples=["Contact"])]
    operation: Annotated[Operation, Field(description="What happens to the records; the operator may not allow all")]
    externalIdFieldName: Annotated[
        str | None, Field(description="For an upsert: the external id field that finds the records, or Id")
    ] = None
    contentType: Annotated[Literal["CSV"] | None, Field(description="The form of the rows; CSV by default")] = None
    columnDelimiter: Annotated[
        Delimiter | None, Field(description="What stands between two cells; COMMA by default")
    ] = None
    lineEnding: Annotated[LineEnding | None, Field(description="What ends a row; LF by default")] = None
    assignmentRuleId: Annotated[
        str | None, Field(description="Assignment rule for Case or Lead (API version 49.0 or later)")
    ] = None


class NewJobWithRows(BaseModel):
    """A job and its rows in one request: it is created, filled and closed at once."""

    model_config = ConfigDict(extra="forbid")

    job: Annotated[NewJob, Field(description="The first part, as application/json")]
    content: Annotated[
        str, Field(description="The second part: the rows as text/csv, with a header", max_length=LONGEST_CONTENT)
    ]


class StateChange(BaseModel):
    """The state that a job is to have."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "UploadComplete"}]})

    state: Annotated[TargetState, Field(description="UploadComplete loads the rows; Aborted drops them")]


COUNT: Schema = {"minimum": 0, "maximum": MOST_COUNTED, "format": "int64"}
JOB_ID: Schema = {"pattern": JOB_ID_PATTERN, "maxLength": LONGEST_ID}

ADDED_TO: Mapping[str, Mapping[str, Schema]] = {
    "Job": {
        "id": {"description": "Id of the job", **JOB_ID},
        "state": {
            "description": "Open, UploadComplete, InProgress, or how it ended: JobComplete, Failed, Aborted. A job that is "
            "JobComplete may have failed rows"
        },
        "object": {"description": "API name of the object"},
        "operation": {"description": "insert, update, upsert, delete or hardDelete"},
        "externalIdFieldName": {"description": "Of an upsert: the field that finds the records"},
        "assignmentRuleId": {"description": "Assignment rule, if one is set"},
        "numberRecordsProcessed": {"description": "Rows that were tried, with those that failed", **COUNT},
        "numberRecordsFailed": {"description": "Rows that failed", **COUNT},
        "errorMessage": {"description": "Why the whole job failed"},
        "columnDelimiter": {"description": "What stands between two cells, in the upload and in the results"},
        "lineEnding": {"description": "What ends a row of the upload"},
        "contentType": {"description": "The form of the rows: CSV"},
        "apiVersion": {"description": "API version of the request that created the job"},
        "jobType": {"description": "V2Ingest, Classic or BigObjectIngest"},
        "concurrencyMode": {"description": "Parallel"},
        "createdById": {"description": "Id of the user who created the job"},
        "createdDate": {"description": "When the job was created, in UTC"},
        "systemModstamp": {"description": "When the job changed last, in UTC"},
        "contentUrl": {"description": "Path for the upload, without a leading slash, while the job is Open"},
        "retries": {"description": "How often Salesforce tried again to save", **COUNT},
        "totalProcessingTime": {"description": "Milliseconds of processing", **COUNT},
        "apiActiveProcessingTime": {"description": "Milliseconds of work on the rows, without waiting", **COUNT},
        "apexProcessingTime": {"description": "Milliseconds in triggers and the like", **COUNT},
        "isPkChunkingSupported": {"description": "Of no meaning for ingest jobs", "type": "boolean"},
    },
    "JobList": {
        "records": {"description": "The jobs of this page, in no promised order", "maxItems": MOST_JOBS_OF_A_PAGE},
        "done": {"description": "Whether this is the last page"},
        "nextRecordsUrl": {"description": "Path of the next page, with its queryLocator; null on the last page"},
    },
    "ErrorObject": {
        "errorCode": {"description": "What went wrong, as a word for programs"},
        "message": {"description": "What went wrong, as a sentence"},
    },
}

PARAMETER_SCHEMAS: Mapping[str, Schema] = {
    "jobType": {"type": "string", "enum": list(get_args(JobType))},
    "isPkChunkingEnabled": {"type": "boolean"},
    "queryLocator": {"type": "string"},
    "jobid": {"type": "string", **JOB_ID},
}


def component_schemas() -> dict[str, Schema]:
    """Return the schemas of the document's bodies, by name."""
    sent = [(model, "validation") for model in (NewJob, NewJobWithRows, StateChange)]
    answered = [(model, "serialization") for model in (Job, JobList, ErrorObject)]
    _, made = models_json_schema([*sent, *answered], ref_template=REF, schema_generator=_ForPeople)  # type: ignore[list-item]
    schemas: dict[str, Schema] = made["$defs"]
    for name, added in ADDED_TO.items():
        properties = schemas[name]["properties"]
        for field, words in added.items():
            properties[field] = {**properties.get(field, {}), **words}
    schemas["Errors"] = {
        "type": "array",
        "description": "What went wrong, in Salesforce's own form; this server's own errors are one",
        "items": {"$ref": REF.format(model="ErrorObject")},
    }
    return schemas


class _ForPeople(GenerateJsonSchema):
    """Writes schemas without what only repeats the names, and `null` as one type of several."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if "const" in inner:
            inner = {**inner, "enum": [inner.pop("const")]}
        choices = {"enum": [*inner["enum"], None]} if "enum" in inner else {}
        return {**inner, **choices, "type": [inner["type"], "null"]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}
