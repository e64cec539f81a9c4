"""The objects of the org and their fields, as the data files in `objects/` say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from salesforce_emulator.schema.types import TYPES, FieldType

Stored = str | int | float | None
"""What a field can hold; booleans are 0 and 1, dates and times the text that the REST API prints."""

ME = "$me"  # the default of fields that hold the user's own id

SHORT_TEXT = 255  # the longest text area that is not a long one


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, under the names that describe uses.

    Attributes:
        length: in characters; 0 where text has no place.
        childRelationshipName: under which the record that a lookup leads to speaks of those that lead to it.
        default: what an insert without this field stores; `$me` is the user.
        defaulted: the org fills the field by itself.
        formula: an SQL expression over the object's own columns; such a field is never stored.
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
    idLookup: bool = False
    autoNumber: bool = False
    nameField: bool = False
    restricted: bool = False
    picklist: tuple[str, ...] = ()
    referenceTo: tuple[str, ...] = ()
    relationshipName: str | None = None
    childRelationshipName: str | None = None
    default: Any = None
    defaulted: bool = False
    formula: str | None = None

    @property
    def kind(self) -> FieldType:
        """What its type means."""
        return TYPES[self.type]

    @property
    def required(self) -> bool:
        """Whether an insert must bring a value."""
        return not (self.nillable or self.defaulted_on_create) and self.createable and self.type != "boolean"

    @property
    def long_text(self) -> bool:
        """Whether it can be neither filtered nor sorted by (SOQL and SOSL reference, Text Area (Long))."""
        return self.type == "textarea" and self.length > SHORT_TEXT

    @property
    def defaulted_on_create(self) -> bool:
        """Whether an insert without a value gets one from the org."""
        return self.defaulted or self.default is not None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A validation rule: a record for which `when` is true, a condition as after WHERE in SOQL, is refused.

    Attributes:
        field: the field that the message stands at; None for the top of the page.
    """

    name: str
    when: str
    message: str
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class SObject:
    """One object.

    Attributes:
        keyPrefix: what its ids begin with; of a custom object the org decides that when it first opens with it.
        ingestable: jobs and requests may change its records.
        deletable: they may also delete them.
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
        """The field of this name, in any case."""
        return self._by_name.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The lookup that is spoken of by this relationship name, in any case."""
        return self._by_relationship.get(name.lower())

    @cached_property
    def name_field(self) -> Field | None:
        """The field that names a record to people."""
        return next((field for field in self.fields if field.nameField), None)

    @property
    def custom(self) -> bool:
        """Whether somebody added it to the standard objects."""
        return self.name.endswith("__c")


class Schema(Mapping[str, SObject]):
    """All objects, found by name in any case."""

    def __init__(self, objects: list[SObject]) -> None:
        self._by_name = {sobject.name.lower(): sobject for sobject in objects}

    def __getitem__(self, name: str) -> SObject:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (sobject.name for sobject in self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def lookups_to(self, name: str) -> Iterator[tuple[SObject, Field]]:
        """Every lookup that can lead to a record of this object, with the object that has it."""
        for sobject in self._by_name.values():
            for field in sobject.fields:
                if name in field.referenceTo:
                    yield sobject, field


def make_field(data: Mapping[str, Any]) -> Field:
    """The field that a data file describes, with what goes without saying for its type."""
    lists = {key: tuple(data[key]) for key in ("picklist", "referenceTo") if key in data}
    usual = {"length": TYPES[data["type"]].length, "nillable": data["type"] != "boolean"}
    return Field(**usual | dict(data) | lists)


@lru_cache(maxsize=1)
def common_fields() -> tuple[Field, ...]:
    """The fields that every object has."""
    return tuple(map(make_field, _read(_objects() / "common.json")["fields"]))


@lru_cache(maxsize=1)
def standard_schema() -> Schema:
    """The objects that ship with the package, read once."""
    files = sorted(
        (file for file in _objects().iterdir() if file.name.endswith(".json") and file.name != "common.json"),
        key=lambda file: file.name,
    )
    return Schema([_standard_object(_read(file)) for file in files])


def _standard_object(data: dict[str, Any]) -> SObject:
    id_, *others = common_fields()
    own_id = replace(id_, label=f"{data['label']} ID")
    return SObject(**data | {"fields": (own_id, *others, *map(make_field, data["fields"]))})


def _objects() -> Traversable:
    return resources.files(__package__) / "objects"


def _read(file: Traversable) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return data
