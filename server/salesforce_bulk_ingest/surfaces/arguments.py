"""What the tools take: closed models in Salesforce's own spelling."""

import json
import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from salesforce_bulk_ingest.ingest.job_ids import JOB_ID_PATTERN
from salesforce_bulk_ingest.ingest.rows import Cell, CsvText, Records, RowSource
from salesforce_bulk_ingest.salesforce.models import Delimiter, LineEnding, Operation

LONGEST_WAIT_SECONDS = 45


def _parsed_json(value: object) -> object:
    """Some hosts send nested values as JSON text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _cell(value: object) -> Cell:
    # A union would complain once for each of its types.
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("expected text, a number, true, false or null")


CellValue = Annotated[Cell, PlainValidator(_cell, json_schema_input_type=Cell)]


class Closed(BaseModel):
    """An unknown key is an error, not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CreateBody(Closed):
    """Salesforce's create request (Bulk API 2.0 guide, Create a Job)."""

    object: str = Field(
        min_length=1, max_length=80, pattern="^[A-Za-z][A-Za-z0-9_]*$", description="API name", examples=["Account"]
    )
    operation: Operation
    externalIdFieldName: str | None = Field(
        None, max_length=255, pattern="^[A-Za-z][A-Za-z0-9_]*$", description="For upsert: the field that matches rows"
    )
    columnDelimiter: Delimiter | None = Field(None, description="Default COMMA")
    lineEnding: LineEnding | None = Field(None, description="Default LF")
    contentType: Literal["CSV"] | None = None
    assignmentRuleId: str | None = Field(
        None, pattern="^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$", description="Case or Lead assignment rule"
    )

    @model_validator(mode="after")
    def _upsert_names_its_key(self) -> Self:
        if self.operation == "upsert" and not self.externalIdFieldName:
            raise ValueError("an upsert needs externalIdFieldName: an external id field, or Id")
        return self


class StateBody(Closed):
    """Salesforce's close or abort request."""

    state: Literal["UploadComplete", "Aborted"] = Field(description="UploadComplete loads the rows; Aborted drops them")


class UploadBody(Closed):
    """Rows, under exactly one source key."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    csv: str | None = Field(
        None,
        description="CSV: header of field API names, then rows, in the job's delimiter and line ending",
        examples=["Name,BillingCity\nAcme,Oslo\n"],
    )
    records: Annotated[
        list[dict[str, CellValue]] | None,
        BeforeValidator(_parsed_json),
        Field(
            None,
            description="One object for each row, field API name to value; a missing key is an empty cell, null is #N/A",
            examples=[[{"Name": "Acme", "BillingCity": None}]],
        ),
    ]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.csv is None) == (self.records is None):
            raise ValueError('give exactly one source: {"csv": text} or {"records": [...]}')
        return self

    @property
    def source(self) -> RowSource:
        """The rows, ready to be written."""
        return CsvText(self.csv) if self.csv is not None else Records(self.records or [])


JobId = Annotated[
    str,
    # The pattern is for callers to see; `ingest` checks the id, so that both surfaces refuse it in the same words.
    Field(
        description="15 or 18 characters",
        examples=["750XX0000004Ab1YAE"],
        json_schema_extra={"pattern": JOB_ID_PATTERN},
    ),
]
WaitSeconds = Annotated[
    int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="Wait so long for the job to be done; 0 answers at once")
]
Offset = Annotated[int, Field(ge=0, description="Rows to skip; nextOffset of the page before")]
Limit = Annotated[int | None, Field(ge=1, le=1_000, description="Rows; without it, 50 or what fits 8,000 tokens")]
QueryLocator = Annotated[str | None, Field(max_length=200, description="From the answer before, for its next page")]
