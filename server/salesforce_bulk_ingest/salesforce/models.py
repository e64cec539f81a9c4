"""The JSON objects that the API sends; their names are camelCase on the wire and snake_case here.

Fields are optional where some answer leaves them out (create has no counters, a state change is short), and unknown
fields are ignored, so that a newer API version does not break a reader.
"""

import re
from datetime import UTC, datetime
from functools import cached_property, partial
from math import isfinite
from typing import Annotated, Literal, get_args
from urllib.parse import parse_qs

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel, to_pascal

from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.salesforce.job_ids import JOB_ID_PATTERN

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete"]
Delimiter = Literal["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"]
LineEnding = Literal["LF", "CRLF"]
JobType = Literal["BigObjectIngest", "Classic", "V2Ingest"]
ResultKind = Literal["failedResults", "successfulResults", "unprocessedrecords"]
RESULT_KINDS: tuple[ResultKind, ...] = get_args(ResultKind)

DELIMITERS: dict[str, str] = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
LINE_ENDINGS: dict[str, str] = {"LF": "\n", "CRLF": "\r\n"}
ID_FIELD = "Id"
IS_PERSON = "IsPersonAccount"
"""The field of an account that says whether it is a person's (Object Reference, Account); orgs without persons lack it."""
NULL_CELL = "#N/A"
"""The cell that Salesforce reads as null; an empty cell changes nothing (Bulk API 2.0 guide, Prepare CSV Files)."""

LONGEST_LOCATOR = 200
_LOCATOR = re.compile(rf"[0-9A-Za-z_-]{{1,{LONGEST_LOCATOR}}}")

LONGEST_ID_SHOWN = 60

TERMINAL_STATES = frozenset({"JobComplete", "Failed", "Aborted"})


class WrongId(ValueError):
    """A text of an answer that should be an id is none; the message is a part of a sentence, and quotes the text."""


def _of_form(form: re.Pattern[str], kind: str, text: str) -> str:
    if not form.fullmatch(text):
        raise WrongId(f"{quoted(text, LONGEST_ID_SHOWN)}, which is not the id of {kind}")
    return text


def _id_of(form: str, kind: str) -> AfterValidator:
    return AfterValidator(partial(_of_form, re.compile(form.removesuffix("$"), re.ASCII), kind))


# Key prefixes: Salesforce Help, Standard Field Record ID Prefix Decoder.
JobId = Annotated[str, _id_of(JOB_ID_PATTERN, "an ingest job")]
OrganizationId = Annotated[str, _id_of("00D[0-9A-Za-z]{12}([0-9A-Za-z]{3})?", "an organization")]
UserId = Annotated[str, _id_of("005[0-9A-Za-z]{12}([0-9A-Za-z]{3})?", "a user")]

MOST_COUNTED = 2**63 - 1
Count = Annotated[
    int | None, AfterValidator(lambda given: given if given is None or 0 <= given <= MOST_COUNTED else None)
]
"""A number of rows, tries or milliseconds; None where it is not told, or can't be one."""


class WireModel(BaseModel):
    """A JSON object of the API, with Salesforce's names in JSON and snake_case attributes in Python."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Job(WireModel):
    """One ingest job. Processing times are in milliseconds (Bulk API 2.0 guide, Get Information About an Ingest Job)."""

    id: JobId
    state: str
    object: str | None = None
    operation: str | None = None
    external_id_field_name: str | None = None
    assignment_rule_id: str | None = None
    number_records_processed: Count = None
    number_records_failed: Count = None
    error_message: str | None = None
    column_delimiter: str | None = None
    line_ending: str | None = None
    content_type: str | None = None
    api_version: Annotated[
        float | None, AfterValidator(lambda given: given if given is None or isfinite(given) else None)
    ] = None
    job_type: str | None = None
    concurrency_mode: str | None = None
    created_by_id: str | None = None
    created_date: str | None = None
    system_modstamp: str | None = None
    content_url: str | None = None
    retries: Count = None
    total_processing_time: Count = None
    api_active_processing_time: Count = None
    apex_processing_time: Count = None

    @property
    def created_at(self) -> datetime | None:
        """The time at which the job was made, by the clock of the org; None where its date can't be read."""
        return _time(self.created_date)

    @property
    def changed_at(self) -> datetime | None:
        """The time of the last change, by the clock of the org; None where its date can't be read."""
        return _time(self.system_modstamp)

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended, so that its state no longer changes."""
        return self.state in TERMINAL_STATES

    @property
    def number_records_loaded(self) -> int:
        """The number of rows that the counters of an ended job say are in the org; absent counters mean none were tried."""
        return (self.number_records_processed or 0) - (self.number_records_failed or 0)

    @property
    def delimiter(self) -> str:
        """The character between cells, in the upload and in the results."""
        return DELIMITERS.get(self.column_delimiter or "COMMA", ",")

    @property
    def newline(self) -> str:
        """The line ending of the upload."""
        return LINE_ENDINGS.get(self.line_ending or "LF", "\n")


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class JobList(WireModel):
    """One page of the org's jobs, at most 1,000, in no promised order.

    Attributes:
        read_at: the time of the page by the clock of the org, from the header Date; None where that is missing.
    """

    records: tuple[Job, ...]
    done: bool = True
    next_records_url: str | None = None
    read_at: datetime | None = Field(None, exclude=True)

    @property
    def query_locator(self) -> str | None:
        """The locator of the next page, or None on the last page."""
        url = self.next_records_url
        if self.done or url is None or url.lower() == "null":
            return None
        # The URL is treated as a path: a host in it is never called.
        locator = parse_qs(url.partition("?")[2]).get("queryLocator", [None])[0]
        return locator if locator and len(locator) <= LONGEST_LOCATOR else None


class QueryPage(WireModel):
    """One page of the records that a query finds (REST API guide, Query)."""

    records: tuple[dict[str, JsonValue], ...]
    total_size: int | None = None
    done: bool = True
    next_records_url: str | None = None

    @property
    def locator(self) -> str | None:
        """The locator of the next page, or None on the last page."""
        if self.done or self.next_records_url is None:
            return None
        # The URL is treated as a path: a host in it is never called.
        locator = self.next_records_url.rpartition("/")[2]
        return locator if _LOCATOR.fullmatch(locator) else None


class Identity(WireModel):
    """The user whom the access token belongs to (`/services/oauth2/userinfo`); which fields it has depends on its scopes."""

    model_config = ConfigDict(alias_generator=None)

    organization_id: OrganizationId | None = None
    user_id: UserId | None = None
    preferred_username: str | None = None
    name: str | None = None


class Allocation(WireModel):
    """One of an org's allocations of 24 hours (REST API guide, Limits)."""

    model_config = ConfigDict(alias_generator=to_pascal)

    max: int
    remaining: int


class OrgLimits(WireModel):
    """The allocations that loads use (REST API guide, Limits); None for one that is not told."""

    model_config = ConfigDict(alias_generator=to_pascal)

    daily_api_requests: Allocation | None = None
    daily_bulk_api_batches: Allocation | None = None


class Permissions(WireModel):
    """What the caller may do, as loads need it (Object Reference, UserPermissionAccess); None for what is not told."""

    model_config = ConfigDict(alias_generator=to_pascal)

    permissions_bulk_api_hard_delete: bool | None = None


class PermissionsFound(WireModel):
    """The answer to a query for the caller's permissions, which are one record."""

    records: Annotated[tuple[Permissions, ...], Field(min_length=1, max_length=1)]


def _empty_for_null(value: object) -> object:
    """Return an empty list for null: some lists of a describe are null instead of empty (seen)."""
    return () if value is None else value


Names = Annotated[tuple[str, ...], BeforeValidator(_empty_for_null)]


class PicklistValue(WireModel):
    """One value of a picklist; an inactive value stays on old records and is refused on new records."""

    value: str
    active: bool = True


class FieldDescribe(WireModel):
    """One field, as the user of the token may use it (REST API guide, sObject Describe: field properties)."""

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    calculated: bool = False
    auto_number: bool = False
    external_id: bool = False
    id_lookup: bool = False
    unique: bool = False
    case_sensitive: bool = False
    reference_to: Names = ()
    relationship_name: str | None = None
    compound_field_name: str | None = None
    restricted_picklist: bool = False
    picklist_values: Annotated[tuple[PicklistValue, ...], BeforeValidator(_empty_for_null)] = ()

    @property
    def is_required(self) -> bool:
        """Whether an insert needs a value for the field; a checkbox without a value becomes false."""
        return self.createable and not (self.nillable or self.defaulted_on_create or self.type == "boolean")

    @property
    def is_polymorphic(self) -> bool:
        """Whether the lookup refers to several objects: their number tells it, not a flag of the describe (seen)."""
        return len(self.reference_to) > 1

    @property
    def finds_records(self) -> bool:
        """Whether a value of the field can identify a record."""
        return self.external_id or self.id_lookup or self.name == ID_FIELD


class SObjectSummary(WireModel):
    """One object without its fields (REST API guide, Describe Global)."""

    name: str
    key_prefix: str | None = None
    createable: bool = False
    updateable: bool = False
    deletable: bool = False

    @property
    def is_loadable(self) -> bool:
        """Whether the user may change records of the object."""
        return self.createable or self.updateable or self.deletable


class SObjectList(WireModel):
    """All objects of an org that the user may see (REST API guide, Describe Global)."""

    sobjects: tuple[SObjectSummary, ...]


class SObjectDescribe(WireModel):
    """One object with the fields that the user may see; hidden fields are missing."""

    name: str
    label: str
    key_prefix: str | None = None
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    fields: tuple[FieldDescribe, ...]

    @cached_property
    def _by_name(self) -> dict[str, FieldDescribe]:
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, FieldDescribe]:
        return {field.relationship_name.lower(): field for field in self.fields if field.relationship_name}

    def field(self, name: str) -> FieldDescribe | None:
        """Return the field with this name in any case, or None if there is none."""
        return self._by_name.get(name.lower())

    @property
    def has_persons(self) -> bool:
        """Whether some records are persons' (Object Reference, Person Account)."""
        return self.field(IS_PERSON) is not None

    def parts_of(self, compound: FieldDescribe) -> tuple[FieldDescribe, ...]:
        """Return the fields that Salesforce makes a compound of, such as an address or a person's name; none of another."""
        return tuple(each for each in self.fields if each.compound_field_name == compound.name and each is not compound)

    def lookup(self, relationship: str) -> FieldDescribe | None:
        """Return the lookup whose relationship has this name in any case, or None if there is none."""
        return self._by_relationship.get(relationship.lower())
