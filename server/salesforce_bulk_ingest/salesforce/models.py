"""What the API sends, as it sends it: camelCase on the wire, snake_case here.

Fields are optional where some answer leaves them out (create has no counters, a state change is short), and unknown
fields are kept out of the way, so that a newer API version does not break a reader.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete"]
Delimiter = Literal["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
LineEnding = Literal["LF", "CRLF"]
JobType = Literal["BigObjectIngest", "Classic", "V2Ingest"]
ResultKind = Literal["failedResults", "successfulResults", "unprocessedrecords"]

DELIMITERS: dict[str, str] = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
LINE_ENDINGS: dict[str, str] = {"LF": "\n", "CRLF": "\r\n"}
TERMINAL_STATES = frozenset({"JobComplete", "Failed", "Aborted"})


class WireModel(BaseModel):
    """Salesforce's field names outside, ours inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Job(WireModel):
    """One ingest job. Times in milliseconds (Bulk API 2.0 guide, Get Information About an Ingest Job)."""

    id: str = Field(max_length=18)
    state: str
    object: str | None = None
    operation: str | None = None
    external_id_field_name: str | None = None
    assignment_rule_id: str | None = None
    number_records_processed: int | None = None
    number_records_failed: int | None = None
    error_message: str | None = None
    column_delimiter: str | None = None
    line_ending: str | None = None
    content_type: str | None = None
    api_version: float | None = None
    job_type: str | None = None
    concurrency_mode: str | None = None
    created_by_id: str | None = None
    created_date: str | None = None
    system_modstamp: str | None = None
    content_url: str | None = None
    retries: int | None = None
    total_processing_time: int | None = None
    api_active_processing_time: int | None = None
    apex_processing_time: int | None = None

    @property
    def is_terminal(self) -> bool:
        """Nothing more will happen to this job."""
        return self.state in TERMINAL_STATES

    @property
    def delimiter(self) -> str:
        """The character between cells, in the upload and in the results."""
        return DELIMITERS.get(self.column_delimiter or "COMMA", ",")

    @property
    def newline(self) -> str:
        """What ends a row of the upload."""
        return LINE_ENDINGS.get(self.line_ending or "LF", "\n")


class JobList(WireModel):
    """One page of the org's jobs, at most 1,000, in no promised order."""

    records: tuple[Job, ...]
    done: bool = True
    next_records_url: str | None = None


class Identity(WireModel):
    """Who the access token belongs to (`/services/oauth2/userinfo`)."""

    model_config = ConfigDict(alias_generator=None)

    organization_id: str
    preferred_username: str
    name: str | None = None
