"""The OpenAPI 3.1 document of `/v1`: one for every server, whatever its org, its operator and its callers are."""

from functools import cache

from salesforce_bulk_ingest.rest.byte_gateway import CONFIRM
from salesforce_bulk_ingest.rest.error_responses import HEADERS, JSON, Document, error_components, errors_of
from salesforce_bulk_ingest.rest.schemas import LONGEST_CONTENT, PARAMETER_SCHEMAS, component_schemas

CSV = "text/csv"
MULTIPART = "multipart/form-data"

DESCRIPTION = f"""\
Load data into Salesforce through Bulk API 2.0 ingest jobs: create a job, upload its rows once, close it, read its state
until it has ended, and then its results.

This is a gateway. Bodies, statuses and headers are those of Salesforce, in both directions; the login to the org is that of
this server. A path may end in slashes, and the case of a result's name does not matter. HEAD works wherever GET does.

Rows are streamed. A job takes rows once, at most 150 MB after base64, which is 100 MB as sent; more go into several jobs.

Where a person has to confirm a close, it is answered with 403 and a sentence; the same request with that sentence in the
header {CONFIRM.title()} closes the job."""

ROWS_SENT = "LastName,Email\nAda,ada@example.com\n,nobody@example.com\n"
"""Two contacts, of which the second fails."""
JOB_ID = "750Em0000Js3WMnIQM"
CREATED: Document = {
    "id": JOB_ID,
    "operation": "insert",
    "object": "Contact",
    "createdById": "005000000000001AAA",
    "createdDate": "2026-11-29T14:30:47.000+0000",
    "systemModstamp": "2026-11-29T14:30:47.000+0000",
    "state": "Open",
    "concurrencyMode": "Parallel",
    "contentType": "CSV",
    "apiVersion": 63.0,
    "contentUrl": f"services/data/v63.0/jobs/ingest/{JOB_ID}/batches",
    "lineEnding": "LF",
    "columnDelimiter": "COMMA",
}
CLOSED: Document = {
    key: value for key, value in CREATED.items() if key not in ("contentUrl", "lineEnding", "columnDelimiter")
} | {"state": "UploadComplete"}
LISTED: Document = {
    **CLOSED,
    "state": "JobComplete",
    "jobType": "V2Ingest",
    "lineEnding": "LF",
    "columnDelimiter": "COMMA",
}
ENDED: Document = LISTED | {
    "numberRecordsProcessed": 2,
    "numberRecordsFailed": 1,
    "retries": 0,
    "totalProcessingTime": 5,
    "apiActiveProcessingTime": 1,
    "apexProcessingTime": 0,
    "isPkChunkingSupported": False,
}
SUCCEEDED = '"sf__Id","sf__Created",LastName,Email\n"003Em0000UzI833IQC","true","Ada","ada@example.com"\n'
FAILED = (
    '"sf__Id","sf__Error",LastName,Email\n'
    '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","","nobody@example.com"\n'
)
NOT_TRIED = "LastName,Email\n"


# A contact needs an address that is whole. The operator's is not known here, so these two lead to this machine alone.
OPERATOR_URL = "http://localhost:8080/"
OPERATOR_EMAIL = "postmaster@localhost.localdomain"


@cache
def openapi_document() -> Document:
    """Return the document, as a structure of JSON that nobody changes."""
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": _servers(),
        "security": [{"token": []}, {}],
        "tags": [
            {"name": "jobs", "description": "Jobs, from their creation to their end"},
            {"name": "rows", "description": "The rows of a job: those that go in, and what became of them"},
        ],
        "paths": _paths(),
        "components": {
            "schemas": component_schemas(),
            "responses": error_components(),
            "headers": dict(HEADERS),
            "parameters": _parameters(),
            "securitySchemes": {"token": _token()},
        },
    }


def _info() -> Document:
    return {
        "title": "Salesforce bulk ingest",
        # Of the interface, not of the program: a stranger is not told which release runs.
        "version": "1.0.0",
        "summary": "Bulk API 2.0 ingest jobs, with the login and the rules of a server",
        "description": DESCRIPTION,
        "contact": {"name": "Whoever runs this server", "url": OPERATOR_URL, "email": OPERATOR_EMAIL},
        "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _token() -> Document:
    return {
        "type": "http",
        "scheme": "bearer",
        "description": "A caller's token, where callers sign in: one that the operator made, or an access token of the "
        "operator's issuer. A server for its own machine alone asks nobody.",
    }


def _servers() -> list[Document]:
    env = "whatever the operator named: production, a sandbox or the local embedded org"
    return [
        {"url": "/v1", "description": f"This server, in front of {env}", "x-internal": False},
        {
            "url": "/services/data/v63.0",
            "description": f"The same under Salesforce's own path, with any API version in it, in front of {env}",
            "x-internal": False,
        },
    ]


def _parameters() -> dict[str, Document]:
    described = {
        "isPkChunkingEnabled": "Only jobs with PK chunking (true), which ingest jobs have not, or without it",
        "jobType": "Only jobs of this type; those of Bulk API 2.0 are V2Ingest",
        "queryLocator": "The next page: the value in the nextRecordsUrl of the page before",
    }
    query = {
        name: {"name": name, "in": "query", "description": words, "schema": PARAMETER_SCHEMAS[name]}
        for name, words in described.items()
    }
    query["jobType"]["example"] = "V2Ingest"
    job = {
        "name": "jobid",
        "in": "path",
        "required": True,
        "description": "Id of the job, 15 or 18 characters",
        "schema": PARAMETER_SCHEMAS["jobid"],
        "example": JOB_ID,
    }
    confirm = {
        "name": CONFIRM.title(),
        "in": "header",
        "description": "The sentence that a person agreed to, as the 403 gave it, where a close has to be confirmed",
        "schema": {"type": "string"},
    }
    return {**query, "jobid": job, "confirm": confirm}


def _paths() -> Document:
    job = {"parameters": [_parameter("jobid")]}
    return {
        "/jobs/ingest": {"get": _list(), "post": _create()},
        "/jobs/ingest/{jobid}": {**job, "get": _status(), "patch": _change(), "delete": _delete()},
        "/jobs/ingest/{jobid}/batches": {**job, "put": _upload()},
        "/jobs/ingest/{jobid}/failedResults": {**job, "get": _result("failed", FAILED)},
        "/jobs/ingest/{jobid}/successfulResults": {**job, "get": _result("successful", SUCCEEDED)},
        "/jobs/ingest/{jobid}/unprocessedrecords": {**job, "get": _result("unprocessed", NOT_TRIED)},
    }


def _list() -> Document:
    return {
        "operationId": "list-all-ingest-jobs",
        "tags": ["jobs"],
        "summary": "List jobs",
        "description": "One page of the org's jobs, at most 1,000, without their counters.",
        "parameters": [_parameter(name) for name in ("isPkChunkingEnabled", "jobType", "queryLocator")],
        "responses": {
            "200": _answer(
                "The page", _json("JobList", {"records": [LISTED], "done": True, "nextRecordsUrl": None}, "a page")
            ),
            **errors_of("get"),
        },
    }


def _create() -> Document:
    new_job = {"object": "Contact", "operation": "insert"}
    return {
        "operationId": "create-ingest-job",
        "tags": ["jobs"],
        "summary": "Create a job",
        "description": "A job is Open until it is closed or aborted. As multipart, job and rows come in one "
        f"request, and the job is closed at once: for at most {LONGEST_CONTENT:,} characters of rows. Each request makes a "
        "job of its own.",
        "requestBody": {
            "required": True,
            "content": {
                **_json("NewJob", new_job, "an insert"),
                MULTIPART: {
                    "schema": {"$ref": "#/components/schemas/NewJobWithRows"},
                    "encoding": {"job": {"contentType": JSON}, "content": {"contentType": CSV}},
                    "examples": {"an insert with its rows": {"value": {"job": new_job, "content": ROWS_SENT}}},
                },
            },
        },
        "responses": {
            "200": {**_answer("The new job", _json("Job", CREATED, "an open job")), "links": _links()},
            **errors_of("post"),
        },
    }


def _links() -> Document:
    """Return what can be done with a new job, by the names of the operations."""
    return {
        name: {"operationId": name, "parameters": {"jobid": "$response.body#/id"}}
        for name in (
            "upload-data-ingest-job",
            "close-abort-ingest-job",
            "get-ingest-job-status",
            "get-failed-results-ingest-job",
            "get-successful-results-ingest-job",
            "get-unprocessed-records-ingest-job",
            "delete-ingest-job",
        )
    }


def _status() -> Document:
    return {
        "operationId": "get-ingest-job-status",
        "tags": ["jobs"],
        "summary": "Read a job",
        "description": "Its state and its counters. It has ended when the state is JobComplete, Failed or Aborted.",
        "responses": {"200": _answer("The job", _json("Job", ENDED, "a job that has ended")), **errors_of("get")},
    }


def _change() -> Document:
    examples = {
        "close": {"value": {"state": "UploadComplete"}},
        "abort": {"value": {"state": "Aborted"}},
    }
    return {
        "operationId": "close-abort-ingest-job",
        "tags": ["jobs"],
        "summary": "Close or abort a job",
        "description": "A close is what changes records: Salesforce then loads the rows. An abort drops rows "
        "that are not loaded yet; records that are saved stay.",
        "parameters": [_parameter("confirm")],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"$ref": "#/components/schemas/StateChange"}, "examples": examples}},
        },
        "responses": {
            "200": _answer("The job in its new state, in few fields", _json("Job", CLOSED, "a closed job")),
            **errors_of("patch"),
        },
    }


def _delete() -> Document:
    return {
        "operationId": "delete-ingest-job",
        "tags": ["jobs"],
        "summary": "Delete a job",
        "description": "Removes the job with its rows and results from the org. Records stay. A job that is "
        "open or running is refused: abort it first.",
        "responses": {"204": _answer("The job is gone"), **errors_of("delete")},
    }


def _upload() -> Document:
    return {
        "operationId": "upload-data-ingest-job",
        "tags": ["rows"],
        "summary": "Upload the rows of a job",
        "description": "The rows as CSV in UTF-8, with a header of field names. A job takes them once, while it "
        "is Open, and nothing is loaded before it is closed.",
        "requestBody": {
            "required": True,
            "content": {CSV: {"schema": _csv(), "examples": {"two contacts": {"value": ROWS_SENT}}}},
        },
        "responses": {"201": _answer("Salesforce has the rows"), **errors_of("put", uploads=True)},
    }


def _result(kind: str, example: str) -> Document:
    words = {
        "failed": ("failed", "Each row that failed, with its error in sf__Error, and then the cells of the upload."),
        "successful": (
            "succeeded",
            "Each row that is in the org, with the Id of its record in sf__Id, and whether it is new in sf__Created.",
        ),
        "unprocessed": ("were not tried", "Each row that was not tried, because the job ended before, as it was sent."),
    }
    what, description = words[kind]
    name = "records" if kind == "unprocessed" else "results"
    return {
        "operationId": f"get-{kind}-{name}-ingest-job",
        "tags": ["rows"],
        "summary": f"Read the rows that {what}",
        "description": f"{description} In no promised order; with the header alone if there are none. The job has "
        f"to have ended.",
        "responses": {
            "200": _answer("The rows, as CSV", {CSV: {"schema": _csv(), "examples": {"one load": {"value": example}}}}),
            **errors_of("get"),
        },
    }


def _parameter(name: str) -> Document:
    return {"$ref": f"#/components/parameters/{name}"}


def _json(schema: str, example: object, name: str) -> Document:
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {name: {"value": example}}}}


def _csv() -> Document:
    return {"type": "string", "contentMediaType": CSV}


def _answer(description: str, content: Document | None = None) -> Document:
    headers = {"Sforce-Limit-Info": {"$ref": "#/components/headers/Sforce-Limit-Info"}}
    return {"description": description, "headers": headers, **({"content": content} if content else {})}
