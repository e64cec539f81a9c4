"""The destination of rows: the object, the operation and the job, as far as these are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Self, cast

from salesforce_bulk_ingest.base.hidden_fields import NOTHING_HIDDEN, HiddenFields
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.salesforce.models import (
    DELIMITERS,
    ID_FIELD,
    LINE_ENDINGS,
    Delimiter,
    Job,
    LineEnding,
    SObjectDescribe,
)
from salesforce_bulk_ingest.validation.columns import FieldColumn, UnknownColumn
from salesforce_bulk_ingest.validation.key_forms import KeyForm, key_form, same_id

DELETES = frozenset({"delete", "hardDelete"})

Match = Literal["updateOnly", "createOnly"]
"""Which rows of an upsert go: those whose records are there, or those whose records are not."""


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """The object and operation of an upload.

    Attributes:
        describe: the describe of the object.
        operation: the operation of the job.
        key: the name of the field whose value identifies the record of a row; None if every row is a new record.
        match: which rows go; None for all.
    """

    describe: SObjectDescribe
    operation: str
    key: str | None
    match: Match | None = None

    @classmethod
    def of(
        cls, describe: SObjectDescribe, operation: str, external_id_field: str | None, match: Match | None = None
    ) -> Self:
        """Return the target of a job, with the key as the describe spells it."""
        keys = {"insert": None, "upsert": external_id_field}
        key = keys.get(operation, ID_FIELD)
        known = describe.field(key) if key else None
        return cls(describe, operation, known.name if known else key, match)

    @property
    def creates(self) -> bool:
        """Whether rows may make new records."""
        return self.operation == "insert" or (self.operation == "upsert" and self.match != "updateOnly")

    @property
    def updates(self) -> bool:
        """Whether rows may change records that are there."""
        return self.operation == "update" or (self.operation == "upsert" and self.match != "createOnly")

    @property
    def deletes(self) -> bool:
        """Whether the operation deletes records, so that its rows are ids alone."""
        return self.operation in DELETES

    @property
    def needs_keys(self) -> bool:
        """Whether a row with a blank key fails; in an upsert by Id, the row makes a new record instead."""
        return self.key is not None and not (self.operation == "upsert" and self.key == ID_FIELD)

    @property
    def key_form(self) -> KeyForm:
        """The function that gives all spellings of a record's key the same form."""
        return same_id if self.key == ID_FIELD else key_form(self.describe.field(self.key) if self.key else None)

    def is_key(self, column: FieldColumn | UnknownColumn) -> bool:
        """Return whether the column holds the keys."""
        return isinstance(column, FieldColumn) and column.parent_field is None and column.field.name == self.key


NO_PARENTS: Mapping[str, SObjectDescribe] = MappingProxyType({})

UPLOAD_LIMIT_BYTES = 100_000_000
"""The maximum number of bytes of one job by the Bulk API 2.0 guide (Upload Job Data), whose limit of 150 MB is counted after
base64."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A job that exists or is about to be created.

    Attributes:
        operation: the operation of the job.
        external_id_field: the external id field of an upsert.
        delimiter: the delimiter of the job; None for the delimiter of the data.
        line_ending: the line ending of the job; None for the line ending of the data.
        describe: the describe of the object; if None, rows are not checked against the org.
        parents: describes of the objects that relationship columns lead to, by name.
        limit: the maximum number of bytes of one upload.
        hidden: the fields whose cells no finding shows.
        is_made: whether the job exists already, which proves that its object exists.
        gives_back: whether the rows are what records held before, so that each cell is meant as it is.
        match: which rows go; None for all.
    """

    operation: str | None = None
    external_id_field: str | None = None
    delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    describe: SObjectDescribe | None = None
    parents: Mapping[str, SObjectDescribe] = field(default_factory=lambda: NO_PARENTS)
    limit: int = UPLOAD_LIMIT_BYTES
    hidden: HiddenFields = NOTHING_HIDDEN
    is_made: bool = False
    gives_back: bool = False
    match: Match | None = None

    @classmethod
    def of_job(
        cls,
        job: Job,
        describe: SObjectDescribe | None = None,
        parents: Mapping[str, SObjectDescribe] = NO_PARENTS,
        limit: int = UPLOAD_LIMIT_BYTES,
    ) -> Self:
        """Return the destination for a job that exists, with the delimiter and line ending of the job."""
        delimiter = next(name for name, mark in DELIMITERS.items() if mark == job.delimiter)
        line_ending = next(name for name, newline in LINE_ENDINGS.items() if newline == job.newline)
        return cls(
            operation=job.operation,
            external_id_field=job.external_id_field_name,
            delimiter=cast(Delimiter, delimiter),
            line_ending=cast(LineEnding, line_ending),
            describe=describe,
            parents=parents,
            limit=limit,
            is_made=True,
        )

    @property
    def load_target(self) -> LoadTarget | None:
        """The object and operation of the job; None if the object or the operation is not known."""
        if self.describe is None or self.operation is None:
            return None
        return LoadTarget.of(self.describe, self.operation, self.external_id_field, self.match)

    def dialect(self, found: Dialect = Dialect()) -> Dialect:  # noqa: B008 # frozen
        """Return the dialect of the uploaded rows: the job's, with the parts of `found` that the job leaves open."""
        return Dialect(self.delimiter or found.delimiter, self.line_ending or found.line_ending)
