"""The object that rows are loaded into, and what is done with its records."""

from dataclasses import dataclass
from typing import Self

from salesforce_bulk_ingest.salesforce.models import ID_FIELD, SObjectDescribe
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
