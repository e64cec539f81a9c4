"""The header of an upload: which field each of its columns is, and by which field of a parent a lookup is given.

A relationship column is named `RelationshipName.IndexedField`, or `ObjectType:RelationshipName.IndexedField` where the
lookup leads to several objects (Bulk API 2.0 guide, Relationship Fields in a Header Row).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from salesforce_emulator.errors import JobFailure
from salesforce_emulator.processing.csv_reader import field_not_found
from salesforce_emulator.schema.model import Field, Schema, SObject

ID_ONLY = ("delete", "hardDelete")
TYPES_ARE_API_NAMES = 57.0  # since this version; before, the developer name without namespace and __c

_RELATIONSHIP = re.compile(r"(?:(?P<type>[^:.]*):)?(?P<relationship>[^:.]*)\.(?P<field>[^:.]*)")
_DEVELOPER_NAME = re.compile(r"(?:[A-Za-z0-9]+__)?(?P<name>.+)__c", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParentKey:
    """A field of a parent object that names its record: External ID or idLookup."""

    parent: SObject
    field: Field


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the field that it fills and, for a relationship column, what of the parent its cells hold."""

    name: str
    field: Field
    key: ParentKey | None = None


class HeaderReader:
    """Understands the names of columns as one version of the API does."""

    def __init__(self, schema: Schema, sobject: SObject, api_version: str) -> None:
        self._schema = schema
        self._sobject = sobject
        self._api_version = float(api_version)

    def columns(self, operation: str, header: Sequence[str]) -> list[Column]:
        """The columns of the header.

        Raises:
            JobFailure: a name is no field (only the first is told, as seen), is there twice, or not for this operation.
        """
        if operation in ID_ONLY and [name.lower() for name in header] != ["id"]:
            raise JobFailure("InvalidBatch", f"The '{operation}' batch must contain only ids.")
        columns: list[Column] = []
        for name in header:
            column = self._column(name)
            if any(column.field is other.field and column.key == other.key for other in columns):
                # assumed: no source shows what a repeated column does
                raise JobFailure("InvalidBatch", f"Duplicate field name : {name}")
            columns.append(column)
        return columns

    def _column(self, name: str) -> Column:
        if "." in name:
            return self._relationship_column(name)
        field = self._sobject.field(name)
        if field is None:
            raise field_not_found(name)
        return Column(name, field)

    def _relationship_column(self, name: str) -> Column:
        """Seen, with these texts: a relationship that is not there, and a type that is not needed."""
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
        if not (field.externalId or field.idLookup):  # documented that it must; assumed: the text
            message = f"Field is not an external ID or indexed field and can't name a parent : {name}"
            raise JobFailure("InvalidBatch", message)
        return Column(name, lookup, ParentKey(parent, field))

    def _parent(self, lookup: Field, type_: str | None) -> SObject:
        """Whether a type is needed goes by how many objects the lookup may lead to (seen)."""
        targets = [self._schema[name] for name in lookup.referenceTo if name in self._schema]
        if len(lookup.referenceTo) == 1:
            if type_ is not None:
                message = f"type is not needed for non polymorphic foreign key references: {lookup.relationshipName}"
                raise JobFailure("InvalidBatch", message)
            return targets[0]
        if type_ is None:  # documented that it is an error; assumed: the text
            message = f"type is needed for polymorphic foreign key references: {lookup.relationshipName}"
            raise JobFailure("InvalidBatch", message)
        for target in targets:
            if self._type_name(target).lower() == type_.lower():
                return target
        # assumed: the text
        message = f"Unable to find type {type_} for polymorphic foreign key references: {lookup.relationshipName}"
        raise JobFailure("InvalidBatch", message)

    def _type_name(self, sobject: SObject) -> str:
        if self._api_version >= TYPES_ARE_API_NAMES:
            return sobject.name
        match = _DEVELOPER_NAME.fullmatch(sobject.name)
        return match["name"] if match else sobject.name
