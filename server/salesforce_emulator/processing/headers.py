"""The header of an upload: the field of each column, and for a relationship column the field of the parent.

A relationship column is named `RelationshipName.IndexedField`, or `ObjectType:RelationshipName.IndexedField` where the
lookup can lead to several objects (Bulk API 2.0 guide, Relationship Fields in a Header Row).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from salesforce_emulator.errors import JobFailure
from salesforce_emulator.processing.csv_reader import field_not_found
from salesforce_emulator.schema.model import Field, Schema, SObject

ID_ONLY_OPERATIONS = ("delete", "hardDelete")
"""The operations whose only column is the Id."""

FIRST_VERSION_WITH_API_NAMES = 57.0
"""The first version in which object types are API names; before, they are developer names without namespace and __c."""

_RELATIONSHIP = re.compile(r"(?:(?P<type>[^:.]*):)?(?P<relationship>[^:.]*)\.(?P<field>[^:.]*)")
_DEVELOPER_NAME = re.compile(r"(?:[A-Za-z0-9]+__)?(?P<name>.+)__c", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParentKey:
    """A field of a parent object by which relationship columns find its records.

    Attributes:
        parent: the parent object.
        field: the field of the parent, an external id or another field with idLookup.
    """

    parent: SObject
    field: Field


@dataclass(frozen=True, slots=True)
class HeaderColumn:
    """A column of the header.

    Attributes:
        name: the name of the column.
        field: the field that the column sets.
        parent_key: the field of the parent that its cells hold, for a relationship column; None for other columns.
    """

    name: str
    field: Field
    parent_key: ParentKey | None = None


class HeaderReader:
    """Finds the fields of column names, by the rules of one version of the API."""

    def __init__(self, schema: Schema, sobject: SObject, api_version: str) -> None:
        self._schema = schema
        self._sobject = sobject
        self._api_version = float(api_version)

    def columns(self, operation: str, header: Sequence[str]) -> list[HeaderColumn]:
        """Return the columns of the header.

        Raises:
            JobFailure: a name is unknown (the message has only the first, as seen), repeated, or not allowed for the
                operation.
        """
        if operation in ID_ONLY_OPERATIONS and [name.lower() for name in header] != ["id"]:
            raise JobFailure("InvalidBatch", f"The '{operation}' batch must contain only ids.")
        columns: list[HeaderColumn] = []
        for name in header:
            column = self._column(name)
            if any(column.field is other.field and column.parent_key == other.parent_key for other in columns):
                # assumed: no source shows the effect of a repeated column
                raise JobFailure("InvalidBatch", f"Duplicate field name : {name}")
            columns.append(column)
        return columns

    def _column(self, name: str) -> HeaderColumn:
        if "." in name:
            return self._relationship_column(name)
        field = self._sobject.field(name)
        if field is None:
            raise field_not_found(name)
        return HeaderColumn(name, field)

    def _relationship_column(self, name: str) -> HeaderColumn:
        """Return a relationship column; the errors of an unknown relationship and of an unneeded type are seen."""
        match = _RELATIONSHIP.fullmatch(name)  # one level only (documented); assumed: the text for two
        if match is None:
            raise field_not_found(name)
        lookup = self._sobject.relationship(match["relationship"])
        if lookup is None:
            raise JobFailure("InvalidBatch", f"Unable to find relationship: {match['relationship']}")
        parent = self._parent(lookup, match["type"])
        field = parent.field(match["field"])
        if field is None:
            raise field_not_found(name)
        if not (field.externalId or field.idLookup):  # documented: the field must be indexed; assumed: the text
            message = f"Field is not an external ID or indexed field and can't name a parent : {name}"
            raise JobFailure("InvalidBatch", message)
        return HeaderColumn(name, lookup, ParentKey(parent, field))

    def _parent(self, lookup: Field, type_: str | None) -> SObject:
        """Return the parent object; a type is needed if the lookup can lead to several objects, and only then (seen)."""
        targets = [self._schema[name] for name in lookup.referenceTo if name in self._schema]
        if len(lookup.referenceTo) == 1:
            if type_ is not None:
                message = f"type is not needed for non polymorphic foreign key references: {lookup.relationshipName}"
                raise JobFailure("InvalidBatch", message)
            return targets[0]
        if type_ is None:  # documented: a missing type is an error; assumed: the text
            message = f"type is needed for polymorphic foreign key references: {lookup.relationshipName}"
            raise JobFailure("InvalidBatch", message)
        for target in targets:
            if self._type_name(target).lower() == type_.lower():
                return target
        # assumed: the text
        message = f"Unable to find type {type_} for polymorphic foreign key references: {lookup.relationshipName}"
        raise JobFailure("InvalidBatch", message)

    def _type_name(self, sobject: SObject) -> str:
        if self._api_version >= FIRST_VERSION_WITH_API_NAMES:
            return sobject.name
        match = _DEVELOPER_NAME.fullmatch(sobject.name)
        return match["name"] if match else sobject.name
