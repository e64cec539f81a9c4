"""The arguments of the tools: closed models in Salesforce's own spelling.

The docstrings of the models and the descriptions of their fields are in the input schemas of the tools.
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from salesforce_bulk_ingest.base.findings import LINES_KEPT, LINES_SHOWN
from salesforce_bulk_ingest.base.text import quoted_names
from salesforce_bulk_ingest.cache.load_parts import jobs_as_source
from salesforce_bulk_ingest.csvio.encodings import UTF_8, is_utf_8
from salesforce_bulk_ingest.loading.by_record import ByRecord
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import LeaveOut, LinesOut
from salesforce_bulk_ingest.loading.sources import Cell, CsvText, Records, UploadFile, cell_text
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.mcp_server.answers.next_call import CELL_GAP
from salesforce_bulk_ingest.mcp_server.portable_schema import LISTED_AS
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.operations.load_request import AnySource, CreateRequest
from salesforce_bulk_ingest.results.retry_request import MOST_JOBS, RetryRequest, Which
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.salesforce.models import Delimiter, JobType, LineEnding, Operation
from salesforce_bulk_ingest.validation.destination import Match

LONGEST_PATH = 4_096
LONGEST_SOURCE_NAME = 80
"""The most characters of a path that names a source; of a longer one the name of the file does."""


def _cell(value: object) -> Cell:
    if isinstance(value, float) and math.isfinite(value) and _digits(value) > sys.float_info.dig:
        raise ValueError(
            f"a number of more than {sys.float_info.dig} digits may have changed on the way: write it in quotes"
        )
    # A union of types would report an error for each of its types.
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("expected text, a number, true, false or null")


def _digits(number: float) -> int:
    """Return the number of significant digits of a number; a float keeps up to `float_info.dig` digits unchanged."""
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


CellValue = Annotated[
    Cell, PlainValidator(_cell), WithJsonSchema({"type": ["string", "number", "boolean", "null"]}, mode="validation")
]


def _field_names(value: object) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise ValueError("expected a field, a list of fields or null")


FieldNames = Annotated[
    str | list[str] | None,  # no tuple: as JSON it is a list, of which pydantic warns
    PlainValidator(_field_names),
    WithJsonSchema({"type": ["string", "array", "null"], "items": {"type": "string"}}),
]
"""The field that a column fills, or the fields; null for none."""


class ClosedModel(BaseModel):
    """A model in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CreateBody(ClosedModel):
    """Salesforce's create request."""

    object: str = Field(
        min_length=1, max_length=80, pattern="^[A-Za-z][A-Za-z0-9_]*$", description="API name, such as Account"
    )
    operation: Operation = Field(description="What is done with the rows")
    externalIdFieldName: str | None = Field(
        None,
        validate_default=True,
        max_length=255,
        pattern="^[A-Za-z][A-Za-z0-9_]*$",
        description="For upsert alone: the field that matches rows, or Id",
    )
    columnDelimiter: Delimiter | None = Field(None, description="Default: COMMA, or the data's")
    lineEnding: LineEnding | None = Field(None, description="Default: LF, or the data's")
    contentType: Literal["CSV"] | None = Field(None, description="Default: CSV")
    assignmentRuleId: str | None = Field(
        None, pattern="^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$", description="Rule for Case or Lead. Default: none"
    )

    @field_validator("externalIdFieldName")
    @classmethod
    def _upsert_names_its_key(cls, name: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("operation") == "upsert" and not name:
            raise ValueError("an upsert needs this: an external id field, or Id")
        return name

    @property
    def create_request(self) -> CreateRequest:
        """The request to create the job."""
        return CreateRequest(
            sobject=self.object,
            operation=self.operation,
            external_id_field_name=self.externalIdFieldName,
            column_delimiter=self.columnDelimiter,
            line_ending=self.lineEnding,
            content_type=self.contentType,
            assignment_rule_id=self.assignmentRuleId,
        )


class StateBody(ClosedModel):
    """Salesforce's close or abort request."""

    state: Literal["UploadComplete", "Aborted"] = Field(description="UploadComplete loads the rows; Aborted drops them")


class Where(ClosedModel):
    """Failed rows by their error; a row has to match all that is given."""

    statusCode: tuple[str, ...] = Field((), description="Such as DUPLICATE_VALUE. Default: any")
    field: tuple[str, ...] = Field((), description="The field at fault. Default: any")

    @property
    def error_filter(self) -> ErrorFilter:
        """The filter of failed rows by their error."""
        return ErrorFilter(self.statusCode, self.field)


NOT_HERE = "not_here"
"""The type of the mistake that an argument does not go with the others; the call without it is right.

Where it is a mistake of the object that has them, `names` in its context are the arguments, and `one_of` those of which the
right call has one.
"""

UNFILLED_GAP = "unfilled_gap"
"""The type of the mistake that a gap of `next` is still there; the call with it is right but for that."""


def _mistake(kind: str, told: str, **context: object) -> PydanticCustomError:
    """Return a mistake of one of these types, in these words."""
    # The words are no template, since they may quote what the caller wrote.
    return PydanticCustomError(kind, "{told}", {"told": told, **context})


class RetryBody(ClosedModel):
    """Rows of ended jobs, to send again or to undo."""

    jobs: tuple[str, ...] = Field(min_length=1, max_length=MOST_JOBS, description=f"Their ids, at most {MOST_JOBS}")
    which: tuple[Which, ...] | None = Field(
        None,
        description="missing: in no result; alone: created (new Ids), before (old values). Default: the "
        "first three, or failed with where",
    )
    where: Where | None = Field(None, description="Of the failed rows, by error. Default: all")
    again: bool = Field(False, description="Also rows that were sent again before")
    skipSent: bool = Field(False, description="Without rows that were sent again before")

    @field_validator("which")
    @classmethod
    def _which_names_rows_of_one_kind(cls, which: tuple[Which, ...] | None) -> tuple[Which, ...] | None:
        if which is not None and not which:
            raise ValueError('which names no rows: give "failed", "unprocessed", "missing" or several, or ["created"]')
        if "before" in (which or ()) and len(set(which or ())) > 1:
            raise ValueError("before gives records back what they held, so it goes without other rows")
        if "created" in (which or ()) and len(set(which or ())) > 1:
            raise ValueError("created gives the ids of new records alone, so it goes without other rows")
        return which

    @field_validator("where")
    @classmethod
    def _where_is_of_failed_rows(cls, where: Where | None, info: ValidationInfo) -> Where | None:
        if where is not None and "failed" not in (info.data.get("which") or ("failed",)):
            raise _mistake(NOT_HERE, "where is about failed rows: name failed in which, or leave where out")
        return where

    @field_validator("skipSent")
    @classmethod
    def _skips_or_goes_again(cls, skip_sent: bool, info: ValidationInfo) -> bool:
        if skip_sent and info.data.get("again"):
            raise ValueError("again sends rows that were sent again before, and skipSent leaves them out: give one")
        if skip_sent and "created" in (info.data.get("which") or ()):
            raise _mistake(
                NOT_HERE,
                "skipSent skips no created record: leave out with leaveOut what was deleted before, by lines or Ids",
            )
        return skip_sent

    @property
    def which_rows(self) -> tuple[Which, ...]:
        """The kinds of rows that are sent again.

        Without `which`, these are the rows that did not get into the org: failed and unprocessed rows and those in no
        result; or, with `where`, failed rows alone.
        """
        if self.which is None:
            return ("failed",) if self.where is not None else ("failed", "unprocessed", "missing")
        return tuple(dict.fromkeys(self.which))

    @property
    def retry_request(self) -> RetryRequest:
        """The request to send these rows again."""
        return RetryRequest(self.jobs, self.which_rows, (self.where or Where()).error_filter, self.again, self.skipSent)


def _texts(value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
        return texts
    raise ValueError("expected a text or a list of texts")


Cells = Annotated[
    list[str],  # no tuple: as JSON it is a list, of which pydantic warns
    PlainValidator(_texts),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]
"""The cells of a column, or one of them: its text is data, also where it is `null`."""


def _as_lines(value: object) -> object:
    """Return lines as a text; findings have them as a list of numbers."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value) if isinstance(value, int) else value


def _check_filled(cells: Mapping[str, Iterable[Cell]]) -> None:
    """Raise PydanticCustomError where a gap of `next` would be loaded as a cell of a field."""
    unfilled = [field for field, given in cells.items() if any(map(_is_gap, given))]
    if unfilled:
        raise _mistake(
            UNFILLED_GAP,
            f"a gap is still there for {quoted_names(unfilled)}: put in what stands for it, or ask the user",
        )


def _is_gap(cell: Cell) -> bool:
    return isinstance(cell, str) and CELL_GAP.fullmatch(cell) is not None


class LeaveOutBody(ClosedModel):
    """Rows to leave out."""

    cells: dict[str, Cells] = Field({}, description='Field to cells of such rows; "": blank. Default: none')
    lines: Annotated[str | None, BeforeValidator(_as_lines)] = Field(
        None, description='As "7, 120-", "all but 2-101"; the header is line 1. Default: none'
    )
    notRows: bool | None = Field(None, description="Totals, blank rows: true omits, false sends. Default: refuse")

    @field_validator("cells")
    @classmethod
    def _cells_have_no_gaps(cls, cells: dict[str, list[str]]) -> dict[str, list[str]]:
        _check_filled(cells)
        return cells

    @field_validator("lines")
    @classmethod
    def _lines_are_lines(cls, lines: str | None) -> str | None:
        LinesOut.parse(lines or "")
        return lines

    @property
    def leave_out(self) -> LeaveOut:
        """The rows to leave out."""
        cells = {name: tuple(texts) for name, texts in self.cells.items()}
        return LeaveOut(cells, LinesOut.parse(self.lines or ""), self.notRows)


class MappingBody(ClosedModel):
    """The changes of columns and cells between a source and its upload."""

    encoding: str | None = Field(None, max_length=40, description="Of file, as windows-1252. Default: UTF-8")
    columns: dict[str, FieldNames] = Field(
        {}, description="Header, or #3 for the third column, to field or fields; null omits it. Default: as is"
    )
    set: dict[str, CellValue] = Field({}, description="Field to a value for every row. Default: none")
    values: dict[str, dict[str, str]] = Field({}, description="Field to {old: new} cells. Default: none")
    formats: dict[str, str] = Field(
        {}, description="Field to form of its cells: DD.MM.YYYY, 1.234,5, Ja/Nein. Default: none"
    )
    only: tuple[str, ...] = Field((), description="Fields to keep. Default: all")
    leaveOut: LeaveOutBody = Field(default_factory=LeaveOutBody, description="Rows to leave out. Default: none")
    match: Match | None = Field(None, description="Upsert rows with a record, or without. Default: all")
    changedOnly: bool = Field(False, description="Without rows equal to their record")

    @field_validator("set")
    @classmethod
    def _set_has_no_gaps(cls, constants: dict[str, Cell]) -> dict[str, Cell]:
        _check_filled({name: [cell] for name, cell in constants.items()})
        return constants

    @field_validator("values")
    @classmethod
    def _values_have_no_gaps(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        _check_filled({name: replaced.values() for name, replaced in values.items()})
        return values

    @property
    def mapping(self) -> ColumnMapping:
        """The mapping of columns and cells for the upload."""
        constants = {name: cell_text(value) for name, value in self.set.items()}
        leave_out = replace(self.leaveOut.leave_out, by_record=ByRecord(self.match, self.changedOnly))
        return ColumnMapping(self.columns, constants, self.values, self.only, self.formats, leave_out)


class SourceBody(ClosedModel):
    """The source of rows."""

    csv: str | None = Field(None, description="CSV text: a header, then rows")
    records: list[dict[str, CellValue]] | None = Field(
        None, description="An object a row, field to value; missing key: empty cell, null: #N/A"
    )
    file: str | None = Field(
        None, max_length=LONGEST_PATH, description="Path of a CSV or .gz file on the server's machine"
    )
    # With a least length, an empty name is refused and does not stand for no recipe.
    recipe: str | None = Field(
        None, min_length=1, max_length=64, description="Name of a reviewed load of file; gives all else, body too"
    )
    rowsOf: RetryBody | None = Field(None, description="Rows of ended jobs, to send again or undo")


SOURCES = ("csv", "records", "file", "rowsOf")
"""The arguments that give rows, of which each call has one."""


def _wrong_source(names: Sequence[str]) -> PydanticCustomError | None:
    """Return the mistake that arguments with these names have not one source of rows; None where they have.

    Its context says which `names` are to be left out, and one of which arguments, `one_of`, is to be given then.
    """
    given = [name for name in SOURCES if name in names]
    if "recipe" in names:
        others, says = sorted(set(names) - {"recipe", "file"}), "a recipe says all about the rows"
        if "file" not in given:
            told = f"{says} but which file they are in: give file as its rows"
            return _mistake(NOT_HERE, told, names=others, one_of=["file"])
        if others:
            told = f"{says} but which file they are in: leave out {', '.join(others)}"
            return _mistake(NOT_HERE, told, names=others)
        return None
    if len(given) == 1:
        return None
    # What a client leaves out may come as an empty text, so an empty source is none.
    why = "" if given else "there is no source of rows, or it is empty: "
    forms = '{"csv": text}, {"records": [...]}, {"file": path} or {"rowsOf": {"jobs": [id]}}'
    of_text = ["encoding"] if given and "encoding" in names and "file" not in given else []
    told = f"{why}give exactly one source: {forms}"
    return _mistake(NOT_HERE, told, names=[*given, *of_text], one_of=given or SOURCES)


def _with_mistake(error: ValidationError, mistake: PydanticCustomError, given: object) -> ValidationError:
    """Return the error that arguments have one more mistake than those of another error."""
    details = [
        InitErrorDetails(
            type=_mistake(detail["type"], **{**detail.get("ctx", {}), "told": detail["msg"]}),
            loc=detail["loc"],
            input=detail["input"],
            ctx={},
        )
        for detail in error.errors(include_url=False)
    ]
    details.append(InitErrorDetails(type=mistake, loc=(), input=given, ctx={}))
    return ValidationError.from_exception_data(error.title, details, hide_input=True)


class DataBody(MappingBody, SourceBody):  # the fields of the last base come first
    """Rows to check and upload as well, from exactly one of csv, records, file, rowsOf. Default: none."""

    @field_validator("encoding")
    @classmethod
    def _encoding_is_that_of_a_file(cls, encoding: str | None, info: ValidationInfo) -> str | None:
        given = {name for name in (*SOURCES, "recipe") if info.data.get(name, "") is not None}
        # Without one source, or with a recipe, more is wrong than the encoding.
        if encoding is not None and len(given) == 1 and given.isdisjoint({"file", "recipe"}):
            raise _mistake(NOT_HERE, "encoding is that of a file: leave it out, since other rows are text already")
        return encoding

    @model_validator(mode="wrap")
    @classmethod
    def _one_source(cls, given: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, dict):
            return handler(given)
        mistake = _wrong_source([name for name in cls.model_fields if given.get(name) is not None])
        try:
            body = handler(given)
        except ValidationError as error:
            if mistake is None:
                raise
            # Told in an answer of its own, it would stand in the call that corrects the other mistakes.
            raise _with_mistake(error, mistake, given) from None
        if mistake is not None:
            raise mistake
        return body

    @property
    def source_name(self) -> str:
        """The name of the source, for people; empty for rows that came as text."""
        if self.rowsOf is not None:
            return jobs_as_source(self.rowsOf.jobs)
        if self.file is not None:
            return self.file if len(self.file) <= LONGEST_SOURCE_NAME else PurePath(self.file).name
        return ""

    def source(self, roots: UploadRoots) -> AnySource:
        """Return the source of the rows.

        Args:
            roots: the folders that files may be uploaded from.

        Raises:
            InvalidArgument: there is no encoding of this name.
            RefusedByPolicy: the source is a file that the operator has not allowed.
        """
        if self.rowsOf is not None:
            return self.rowsOf.retry_request
        if self.file is not None:
            is_as_it_is = self.encoding is None or is_utf_8(self.encoding)
            return UploadFile(roots.find(self.file), UTF_8 if is_as_it_is else str(self.encoding))
        return CsvText(self.csv) if self.csv is not None else Records(self.records or [])


AS_IN_CREATE = "As in create"
"""The description of an argument of an upload that is in full in the list of arguments of create-ingest-job alone."""

_LISTED_BY_NAME: dict[str, Any] = {LISTED_AS: {"description": AS_IN_CREATE}}
NAMED = Field(json_schema_extra=_LISTED_BY_NAME)
"""Marks an argument of an upload of which the list of tools says only the type, and where it is in full."""

_SOURCES_OF_UPLOADS = ("csv", "file")
"""The arguments about rows that are in full in the list of an upload, too: most uploads need no other."""


def _name_others(schema: dict[str, Any]) -> None:
    for name, argument in schema["properties"].items():
        if name not in _SOURCES_OF_UPLOADS:
            argument.update(_LISTED_BY_NAME)


class UploadBody(DataBody):
    """Rows, from exactly one of csv, records, file, rowsOf."""

    model_config = ConfigDict(json_schema_extra=_name_others)


Part = Annotated[int | None, Field(ge=1, description="Upload this part of `of`, with sha256. Default: all rows")]
Sha256 = Annotated[
    str | None,
    # With a least length, an empty text is refused and does not stand for no hash.
    Field(
        min_length=64,
        pattern="^[0-9a-f]{64}$",
        description="From dryRun: refuse changed rows. Default: take them",
    ),
]
DryRun = Annotated[bool, Field(description="Only check the rows")]
LinesShown = Annotated[
    int,
    Field(
        ge=1,
        le=LINES_KEPT,
        description="Of each list",
        json_schema_extra={LISTED_AS: {"default": LINES_SHOWN, "description": "Of each list"}},
    ),
]
PreflightSwitch = Annotated[Literal["on", "off"], Field(description="off: rows go unchecked")]

SaveAs = Annotated[str | None, Field(max_length=LONGEST_PATH, description="New .csv for all rows. Default: none")]

LoadAgain = Annotated[bool, Field(description="Insert rows though they went into an earlier job")]


FieldsToCompare = tuple[str, ...] | Literal[True]
"""The fields that a dry run looks for in the org; true for all of them."""


def _fields_to_compare(value: object) -> FieldsToCompare:
    [only] = value if isinstance(value, list) and len(value) == 1 else [value]
    if isinstance(only, bool):
        return only or ()
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError("expected a list of fields, or [] for none")


Compare = Annotated[
    FieldsToCompare | None,
    PlainValidator(_fields_to_compare),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
    Field(description="In dryRun: fields to compare, or to find an insert's rows by; []: none. Default: all"),
]
JobId = Annotated[
    str,
    # The operations check the form of the id, so that MCP and `/v1` refuse it with the same message.
    Field(description="The job's id, 750..."),
]
WaitSeconds = Annotated[int, Field(ge=0, le=CALL_SECONDS, description="Most seconds to wait for the job")]
LONGEST_CONFIRM = 500
"""The most characters of a sentence: more than those have that closes are refused with."""

Confirm = Annotated[
    str, Field(max_length=LONGEST_CONFIRM, description="The sentence of a refused close, once the user agrees")
]
WithoutUndo = Annotated[bool, Field(description="Close without a way back")]
Offset = Annotated[int, Field(ge=0, description="Rows to skip: nextOffset of the page before")]
Limit = Annotated[int | None, Field(ge=1, le=1_000, description="Rows. Default: 50, or what fits 4,000 tokens")]
PkChunking = Annotated[bool | None, Field(description="With PK chunking (true) or without. Default: all")]
JobTypeFilter = Annotated[JobType | None, Field(description="V2Ingest: Bulk API 2.0; Classic: Bulk API. Default: all")]
QueryLocator = Annotated[
    str | None, Field(max_length=200, description="From the answer before, for its next page. Default: the first")
]
ShownColumns = Annotated[tuple[str, ...], Field(description="Columns to show. Default: all")]
FailedWhere = Annotated[Where | None, Field(description="Only rows with this error. Default: all")]
