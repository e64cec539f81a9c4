"""The objects of the org and their fields, as the data files in `schema/` say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

Stored = str | int | float | None
"""What a field can hold; booleans are 0 and 1, dates and times the text that the REST API prints."""

LENGTHS = {"id": 18, "reference": 18, "phone": 40, "email": 80, "url": 255, "picklist": 255}
SOAP_TYPES = {"id": "tns:ID", "reference": "tns:ID", "currency": "xsd:double", "percent": "xsd:double"} | {
    name: f"xsd:{name}" for name in ("boolean", "int", "double", "date")
}
SOAP_TYPES["datetime"] = "xsd:dateTime"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, under the names that describe uses.

    Attributes:
        length: in characters; 0 where text has no place.
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
    restricted: bool = False
    picklist: tuple[str, ...] = ()
    referenceTo: tuple[str, ...] = ()
    relationshipName: str | None = None
    default: Any = None
    defaulted: bool = False
    formula: str | None = None

    @property
    def required(self) -> bool:
        """Whether an insert must bring a value."""
        return not (self.nillable or self.defaulted_on_create) and self.createable and self.type != "boolean"

    @property
    def defaulted_on_create(self) -> bool:
        """Whether an insert without a value gets one from the org."""
        return self.defaulted or self.default is not None

    def describe(self) -> dict[str, Any]:
        """The field as the describe resource shows it (REST API guide, sObject Describe)."""
        return {
            "autoNumber": self.autoNumber,
            "calculated": self.formula is not None and not self.autoNumber,
            "caseSensitive": False,
            "compoundFieldName": None,
            "createable": self.createable,
            "custom": self.custom,
            "defaultedOnCreate": self.defaulted_on_create,
            "deprecatedAndHidden": False,
            "digits": self.digits,
            "encrypted": False,
            "externalId": self.externalId,
            "idLookup": self.idLookup,
            "label": self.label,
            "length": self.length,
            "name": self.name,
            "namePointing": len(self.referenceTo) > 1,
            "nillable": self.nillable,
            "permissionable": self.nillable and self.createable,
            "picklistValues": [
                {"active": True, "defaultValue": value == self.default, "label": value, "value": value}
                for value in self.picklist
            ],
            "precision": self.precision,
            "referenceTo": list(self.referenceTo),
            "relationshipName": self.relationshipName,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": SOAP_TYPES.get(self.type, "xsd:string"),
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable,
        }


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
    """One object; `ingestable` says whether jobs and requests may change its records."""

    name: str
    label: str
    labelPlural: str
    keyPrefix: str
    fields: tuple[Field, ...]
    ingestable: bool = True
    rules: tuple[Rule, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name.lower(): field for field in self.fields}

    def field(self, name: str) -> Field | None:
        """The field of this name, in any case."""
        return self._by_name.get(name.lower())

    def summary(self) -> dict[str, Any]:
        """The object as the list of all objects shows it (REST API guide, Describe Global)."""
        return {
            "createable": self.ingestable,
            "custom": self.name.endswith("__c"),
            "deletable": self.ingestable,
            "keyPrefix": self.keyPrefix,
            "label": self.label,
            "labelPlural": self.labelPlural,
            "name": self.name,
            "queryable": True,
            "updateable": self.ingestable,
        }

    def describe(self) -> dict[str, Any]:
        """The object with all its fields (REST API guide, sObject Describe)."""
        fields = [field.describe() for field in self.fields]
        return self.summary() | {"childRelationships": [], "fields": fields, "recordTypeInfos": []}


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


def _field(data: dict[str, Any]) -> Field:
    lists = {key: tuple(data[key]) for key in ("picklist", "referenceTo") if key in data}
    return Field(**{"length": LENGTHS.get(data["type"], 0)} | data | lists)


@lru_cache(maxsize=1)
def standard_schema() -> Schema:
    """The objects that ship with the package, read once."""
    folder = resources.files(__package__) / "objects"
    files = {file.name: json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".json")}
    common = [_field(data) for data in files.pop("common.json")["fields"]]
    return Schema(
        [SObject(**data | {"fields": (*common, *map(_field, data["fields"]))}) for _, data in sorted(files.items())]
    )
