"""The model of the org's schema: objects, their fields and validation rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from salesforce_emulator.schema.field_types import FIELD_TYPES, FieldType

StoredValue = str | int | float | None
"""The value of a field in the database; booleans are 0 and 1, dates and times the text that the REST API prints."""

CURRENT_USER = "$me"
"""The default of a field that an insert fills with the id of the user."""

MAX_SHORT_TEXT = 255
"""The largest number of characters of a text area that is not a long one."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an object; attributes have the names of the describe resource.

    Attributes:
        length: the largest number of characters; 0 for a field that does not hold text.
        caseSensitive: whether a unique field takes "ABC" and "abc" as two values.
        compoundFieldName: the address, location or name that the field is a part of.
        childRelationshipName: the name under which a parent record refers to its child records, for a lookup.
        default: the value that an insert without this field stores; `$me` stands for the id of the user.
        defaulted: whether the org fills the field by itself.
        formula: an SQL expression over the object's own columns; the value of a formula field is never stored.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    custom: bool = False
    externalId: bool = False
    unique: bool = False
    caseSensitive: bool = False
    idLookup: bool = False
    autoNumber: bool = False
    nameField: bool = False
    restricted: bool = False
    picklist: tuple[str, ...] = ()
    referenceTo: tuple[str, ...] = ()
    relationshipName: str | None = None
    childRelationshipName: str | None = None
    compoundFieldName: str | None = None
    default: Any = None
    defaulted: bool = False
    formula: str | None = None

    @property
    def field_type(self) -> FieldType:
        """The properties of the field's type."""
        return FIELD_TYPES[self.type]

    @property
    def required(self) -> bool:
        """Whether an insert needs a value for the field."""
        return not (self.nillable or self.defaulted_on_create) and self.createable and self.type != "boolean"

    @property
    def keys_differ_in_case(self) -> bool:
        """Whether keys that differ in case alone name two records.

        An external id is matched without regard to case only if it is unique and set to do so (Apex developer guide,
        Upserting Records); assumed: keys that are no external ids are matched without it, and emails, which are stored in
        lower case.
        """
        return self.caseSensitive or (self.externalId and not self.unique and self.type != "email")

    @property
    def long_text(self) -> bool:
        """Whether queries can neither filter nor sort by the field (SOQL and SOSL reference, Text Area (Long))."""
        return self.type == "textarea" and self.length > MAX_SHORT_TEXT

    @property
    def filterable(self) -> bool:
        """Whether queries can filter and sort by the field.

        Not by long and encrypted text (SOQL and SOSL reference; Salesforce help, Classic Encryption for Custom Fields), nor
        by a compound, other than with DISTANCE, which the emulator does not have.
        """
        return not self.long_text and self.type != "encryptedstring" and self.field_type.holds != "compound"

    @property
    def defaulted_on_create(self) -> bool:
        """Whether the org fills the field in an insert that gives it no value."""
        return self.defaulted or self.default is not None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A validation rule, which refuses every record that meets its condition.

    Attributes:
        name: the name of the rule.
        when: the condition, as after WHERE in SOQL.
        message: the message of the error.
        field: the field that the error names; None for an error of the whole record.
    """

    name: str
    when: str
    message: str
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class SObject:
    """One object of the org.

    Attributes:
        keyPrefix: the first three characters of the records' ids; empty for a custom object until the org assigns one.
        ingestable: whether jobs and requests may change the records.
        deletable: whether jobs and requests may also delete the records.
    """

    name: str
    label: str
    labelPlural: str
    keyPrefix: str
    fields: tuple[Field, ...]
    ingestable: bool = True
    deletable: bool = True
    rules: tuple[Rule, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def _by_relationship(self) -> dict[str, Field]:
        return {field.relationshipName.lower(): field for field in self.fields if field.relationshipName}

    def field(self, name: str) -> Field | None:
        """Return the field with this name, in any case; None if there is none."""
        return self._by_name.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """Return the lookup with this relationship name, in any case; None if there is none."""
        return self._by_relationship.get(name.lower())

    @cached_property
    def name_field(self) -> Field | None:
        """The field that shows people which record it is, such as Name or CaseNumber; None if there is none."""
        return next((field for field in self.fields if field.nameField), None)

    @property
    def custom(self) -> bool:
        """Whether a schema file defines the object."""
        return self.name.endswith("__c")


class Schema(Mapping[str, SObject]):
    """All objects of the org by their names, in any case."""

    def __init__(self, objects: list[SObject]) -> None:
        self._by_name = {sobject.name.lower(): sobject for sobject in objects}

    def __getitem__(self, name: str) -> SObject:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (sobject.name for sobject in self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def lookups_to(self, name: str) -> Iterator[tuple[SObject, Field]]:
        """Yield every lookup that can lead to a record of this object, with the object that has the lookup."""
        for sobject in self._by_name.values():
            for field in sobject.fields:
                if name in field.referenceTo:
                    yield sobject, field
