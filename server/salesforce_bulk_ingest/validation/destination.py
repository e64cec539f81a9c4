"""The job that rows are loaded into, as far as it is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, cast

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
from salesforce_bulk_ingest.validation.keys import KeyForm, same_id, same_text

DELETES = frozenset({"delete", "hardDelete"})


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """The object and operation of an upload.

    Attributes:
        describe: the describe of the object.
        operation: the operation of the job.
        key: the name of the field that names the record of a row; None if every row is a new record.
    """

    describe: SObjectDescribe
    operation: str
    key: str | None

    @classmethod
    def of(cls, describe: SObjectDescribe, operation: str, external_id_field: str | None) -> Self:
        """Return the target of a job, with the key as the describe spells it."""
        keys = {"insert": None, "upsert": external_id_field}
        key = keys.get(operation, ID_FIELD)
        known = describe.field(key) if key else None
        return cls(describe, operation, known.name if known else key)

    @property
    def deletes(self) -> bool:
        """Whether the operation deletes records, and so takes ids alone."""
        return self.operation in DELETES

    @property
    def needs_keys(self) -> bool:
        """Whether a row with a blank key fails; an upsert by Id takes the row for a new record."""
        return self.key is not None and not (self.operation == "upsert" and self.key == ID_FIELD)

    @property
    def key_form(self) -> KeyForm:
        """The form of a key that is equal for all spellings of one record's key."""
        if self.key == ID_FIELD:
            return same_id
        field = self.describe.field(self.key) if self.key else None
        return str if field is not None and field.case_sensitive else same_text

    def is_key(self, column: FieldColumn | UnknownColumn) -> bool:
        """Whether the column holds the keys."""
        return isinstance(column, FieldColumn) and column.parent_field is None and column.field.name == self.key


NO_PARENTS: Mapping[str, SObjectDescribe] = MappingProxyType({})

UPLOAD_LIMIT_BYTES = 100_000_000
"""The most bytes of one job by the guide (Upload Job Data): its 150 MB are counted after base64."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A job that exists or is about to.

    Attributes:
        operation: the operation of the job.
        external_id_field: the external id field of an upsert.
        delimiter: the delimiter of the job; None takes that of the data.
        line_ending: the line ending of the job; None takes that of the data.
        describe: the describe of the object; without it nothing is checked against the org.
        parents: describes of the objects that relationship columns lead to, by name.
        limit: the most bytes of one upload.
        is_made: whether the job exists, and with it the object.
    """

    operation: str | None = None
    external_id_field: str | None = None
    delimiter: Delimiter | None = None
    line_ending: LineEnding | None = None
    describe: SObjectDescribe | None = None
    parents: Mapping[str, SObjectDescribe] = field(default_factory=lambda: NO_PARENTS)
    limit: int = UPLOAD_LIMIT_BYTES
    is_made: bool = False

    @classmethod
    def of_job(
        cls,
        job: Job,
        describe: SObjectDescribe | None = None,
        parents: Mapping[str, SObjectDescribe] = NO_PARENTS,
        limit: int = UPLOAD_LIMIT_BYTES,
    ) -> Self:
        """Return the destination of rows for a job that exists; it always has a dialect."""
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
        """The object and operation of the job; None if one of them is not known."""
        if self.describe is None or self.operation is None:
            return None
        return LoadTarget.of(self.describe, self.operation, self.external_id_field)

    def dialect(self, found: Dialect = Dialect()) -> Dialect:  # noqa: B008
        """Return the dialect of the job's rows: that of the job, or else the dialect that was found."""
        return Dialect(self.delimiter or found.delimiter, self.line_ending or found.line_ending)
