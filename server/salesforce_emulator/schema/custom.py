"""The schema file: YAML that adds objects, fields and validation rules to the standard objects.

objects:
  Account:
    fields:
      Erp_Id__c: {label: ERP id, type: string, length: 40, externalId: true, unique: true}
    rules:
      - {name: No_negative_revenue, when: AnnualRevenue < 0, message: Revenue can't be negative., field: AnnualRevenue}
  Invoice__c:
    label: Invoice
    fields:
      Account__c: {type: reference, referenceTo: Account, required: true}
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic import Field as Setting

from salesforce_emulator.schema.model import (
    ME,
    Field,
    Rule,
    Schema,
    SObject,
    common_fields,
    make_field,
    standard_schema,
)
from salesforce_emulator.user_files import Mistake, Place, plainly, read

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")
_RELATIONSHIP = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*(?:__r)?")
NUMBERS = ("currency", "double", "percent")
PICKLISTS = ("picklist", "multipicklist")
KEYS = ("string", "email", "double")  # types that an external id or a unique field can have (Salesforce help)
SETTABLE_LENGTHS = {"string": 255, "textarea": 131_072}  # and the longest that there is


class SchemaError(ValueError):
    """A schema that can't be used; the message says in one line what is wrong, where, and what to do.

    Attributes:
        place: the keys and numbers that lead there in the schema file; none where the message names the place.
    """

    def __init__(self, message: str, *place: str | int) -> None:
        super().__init__(message)
        self.place = place


@contextmanager
def naming_the_line(file: Path | None) -> Iterator[None]:
    """Let errors that know their place in this schema file name it, with its line."""
    try:
        yield
    except SchemaError as error:
        if file is None or not error.place:
            raise
        raise SchemaError(f"{read(file).where(error.place)}: {error}") from None


def load_schema(file: Path | None) -> Schema:
    """The standard objects, with what the schema file adds to them.

    Raises:
        SchemaError: the file can't be read, or says what can't be.
    """
    standard = standard_schema()
    if file is None:
        return standard
    try:
        written = read(file)
    except Mistake as error:
        raise SchemaError(f"The schema file {error}") from None
    try:
        content = _SchemaFile.model_validate({} if written.content is None else written.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # pydantic names a key that it refuses after its value's place
        place = tuple(key for key in first["loc"] if key != "[key]")
        raise SchemaError(f"{written.where(place)}: {plainly(first)}") from None
    return _extended(standard, content)


# What may stand in the file.


def _custom_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no name of a custom field; use letters, digits and single _, and end it in __c")
    return name


def _relationship_name(name: str) -> str:
    if not _RELATIONSHIP.fullmatch(name):
        raise ValueError(f"'{name}' is no relationship name; use letters, digits and single _, as in Parent__r")
    return name


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


CustomName = Annotated[str, AfterValidator(_custom_name)]
RelationshipName = Annotated[str, AfterValidator(_relationship_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _CustomField(_Part):
    """A field, under the names of the data files of the standard objects."""

    label: str | None = None
    type: Literal[
        "string", "textarea", "boolean", "double", "currency", "percent", "date", "datetime",
        "email", "phone", "url", "picklist", "multipicklist", "reference",
    ]  # fmt: skip
    length: int | None = Setting(None, ge=1)
    precision: int | None = Setting(None, ge=1, le=18)
    scale: int | None = Setting(None, ge=0, le=17)
    required: bool = False
    default: Any = None
    unique: bool = False
    externalId: bool = False
    picklist: list[str] = Setting([])
    restricted: bool = False
    referenceTo: Annotated[list[str], BeforeValidator(_one_or_more)] = Setting([])
    relationshipName: RelationshipName | None = None
    childRelationshipName: RelationshipName | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if self.length is not None and self.type not in SETTABLE_LENGTHS:
            yield f"only string and textarea have a length to set; leave it out of a {self.type}"
        elif self.length is not None and self.length > SETTABLE_LENGTHS[self.type]:
            yield f"a {self.type} has at most {SETTABLE_LENGTHS[self.type]} characters"
        if (self.precision is not None or self.scale is not None) and self.type not in NUMBERS:
            yield f"only {', '.join(NUMBERS)} have precision and scale; leave them out of a {self.type}"
        elif self.scale is not None and self.scale > (self.precision or 18):
            yield "scale, the digits after the point, can't be more than precision, all digits"
        if (self.externalId or self.unique) and self.type not in KEYS:
            yield f"only {', '.join(KEYS)} can be externalId or unique, not {self.type}"
        if bool(self.picklist) != (self.type in PICKLISTS):
            yield "a picklist needs its values, as in picklist: [A, B], and only a picklist has them"
        if self.restricted and self.type not in PICKLISTS:
            yield "only a picklist can be restricted"
        if bool(self.referenceTo) != (self.type == "reference"):
            yield "a reference needs the object it leads to, as in referenceTo: Account, and only a reference has one"
        if (self.relationshipName or self.childRelationshipName) and self.type != "reference":
            yield "only a reference has relationship names"
        if self.required and self.type == "boolean":
            yield "a boolean always has a value; leave required out"
        if self.unique and self.default is not None:
            yield "a unique field can't have a default, for two records would hold it; leave one of the two out"
        if self.default is not None and not self._default_fits():
            yield f"the default does not fit: {self._wanted_default()}"

    def _default_fits(self) -> bool:
        match self.type:
            case "boolean":
                return isinstance(self.default, bool)
            case "double" | "currency" | "percent":
                return isinstance(self.default, int | float) and not isinstance(self.default, bool)
            case "date":
                return isinstance(self.default, date) and not isinstance(self.default, datetime)
            case "datetime" | "reference":
                return False
            case "picklist" if self.restricted:
                return self.default in self.picklist
        return isinstance(self.default, str)

    def _wanted_default(self) -> str:
        match self.type:
            case "boolean":
                return "use true or false"
            case "double" | "currency" | "percent":
                return "use a number"
            case "date":
                return "use a day, as in 2025-01-31"
            case "datetime" | "reference":
                return f"a {self.type} can't have one"
            case "picklist" if self.restricted:
                return f"use one of {', '.join(self.picklist)}"
        return "use text, in quotes if it looks like something else"


class _CustomRule(_Part):
    name: str
    when: str
    message: str
    field: str | None = None


class _CustomObject(_Part):
    label: str | None = None
    labelPlural: str | None = None
    fields: dict[CustomName, _CustomField] = Setting({})
    rules: list[_CustomRule] = Setting([])


class _SchemaFile(_Part):
    objects: dict[str, _CustomObject] = Setting({})


# From the file to the schema.


def _extended(standard: Schema, file: _SchemaFile) -> Schema:
    objects = {name.lower(): standard[name] for name in standard}
    for name, custom in file.objects.items():
        place = ("objects", name)
        known = objects.get(name.lower())
        if known is not None and (known.custom or custom.label or custom.labelPlural):
            reason = "is there twice" if known.custom else "is a standard object, whose label can't be changed"
            raise SchemaError(f"{known.name} {reason}", *place)
        if known is None and not _NAME.fullmatch(name):
            reason = "is no object of this org; a custom object's name ends in __c, the others are"
            raise SchemaError(f"{name} {reason} {', '.join(standard)}", *place)
        objects[name.lower()] = _with_additions(known or _custom_object(name, custom), custom, place)
    schema = Schema(list(objects.values()))
    for name, custom in file.objects.items():
        _check_names(schema, schema[name], custom, ("objects", name))
    return Schema([_canonical(schema, sobject) for sobject in objects.values()])


def _custom_object(name: str, custom: _CustomObject) -> SObject:
    label = custom.label or _label(name)
    # Not required: a record without a name is named by its id (Object reference, Custom Objects).
    named = {"name": "Name", "label": f"{label} Name", "type": "string", "length": 80, "defaulted": True}
    owner = {"name": "OwnerId", "label": "Owner ID", "type": "reference", "referenceTo": ["Group", "User"]}
    fields = (
        *common_fields(),
        make_field({**named, "nameField": True, "idLookup": True}),
        make_field({**owner, "relationshipName": "Owner", "nillable": False, "default": ME}),
    )
    return SObject(name=name, label=label, labelPlural=custom.labelPlural or f"{label}s", keyPrefix="", fields=fields)


def _with_additions(sobject: SObject, custom: _CustomObject, place: Place) -> SObject:
    names = {field.name.lower() for field in sobject.fields}
    relationships = {(field.relationshipName or "").lower() for field in sobject.fields}
    fields = []
    for name, addition in custom.fields.items():
        field = _field(name, addition)
        if name.lower() in names:
            raise SchemaError(f"{sobject.name} already has a field {name}; choose another name", *place, "fields", name)
        if field.relationshipName and field.relationshipName.lower() in relationships:
            message = f"{sobject.name} already has a relationship {field.relationshipName}; choose another name"
            raise SchemaError(message, *place, "fields", name)
        names.add(name.lower())
        relationships.add((field.relationshipName or "").lower())
        fields.append(field)
    rules = tuple(Rule(**rule.model_dump()) for rule in custom.rules)
    return replace(sobject, fields=(*sobject.fields, *fields), rules=rules)


def _field(name: str, custom: _CustomField) -> Field:
    stem = name.removesuffix("__c")
    data: dict[str, Any] = {
        "name": name,
        "label": custom.label or _label(name),
        "type": custom.type,
        "nillable": not custom.required and custom.type != "boolean",
        "default": custom.default.isoformat() if isinstance(custom.default, date) else custom.default,
        "custom": True,
        "unique": custom.unique,
        "externalId": custom.externalId,
        "idLookup": custom.externalId,
        "picklist": custom.picklist,
        "restricted": custom.restricted,
        "referenceTo": custom.referenceTo,
    }
    if custom.type in SETTABLE_LENGTHS:
        data["length"] = custom.length or 255
    if custom.type in NUMBERS:
        scale = custom.scale if custom.scale is not None else 0 if custom.type == "double" else 2
        data |= {"precision": custom.precision or 18, "scale": scale}
    if custom.type == "boolean":
        data["default"] = bool(custom.default)
    if custom.type == "reference":
        data["relationshipName"] = custom.relationshipName or f"{stem}__r"
        data["childRelationshipName"] = custom.childRelationshipName
    return make_field(data)


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _check_names(schema: Schema, sobject: SObject, custom: _CustomObject, place: Place) -> None:
    """What the additions speak of must be there, now that all of them are."""
    for name, addition in custom.fields.items():
        for target in addition.referenceTo:
            if target not in schema:
                message = f"there is no object {target}; use one of {', '.join(schema)}"
                raise SchemaError(message, *place, "fields", name, "referenceTo")
    for number, rule in enumerate(custom.rules):
        if rule.field is not None and sobject.field(rule.field) is None:
            raise SchemaError(f"{sobject.name} has no field {rule.field}", *place, "rules", number, "field")


def _canonical(schema: Schema, sobject: SObject) -> SObject:
    """The object with every name that it speaks of spelled as it is where it belongs."""
    fields = tuple(
        replace(field, referenceTo=tuple(schema[target].name for target in field.referenceTo))
        for field in sobject.fields
    )
    rules = tuple(
        replace(rule, field=found.name) if (found := sobject.field(rule.field or "")) else rule
        for rule in sobject.rules
    )
    return replace(sobject, fields=fields, rules=rules)
