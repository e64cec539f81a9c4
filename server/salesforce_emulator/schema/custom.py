"""Custom objects, fields and validation rules: the schema that a schema file makes of the standard objects."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from salesforce_emulator.schema.compounds import LOCATION_PARTS, location_part_name, with_compounds
from salesforce_emulator.schema.model import CURRENT_USER, Field, Rule, Schema, SObject
from salesforce_emulator.schema.schema_file import (
    AUTO_NUMBER_FORMAT,
    CUSTOM_NAME,
    MAX_LENGTHS,
    NUMBER_TYPES,
    OTHER_KINDS,
    CustomField,
    CustomObject,
    SchemaError,
    SchemaFile,
    read_schema_file,
)
from salesforce_emulator.schema.standard_objects import common_fields, make_field, standard_schema
from salesforce_emulator.user_files import KeyPath


def load_schema(file: Path | None) -> Schema:
    """Return the standard objects, with the objects, fields and rules of the schema file added.

    Raises:
        SchemaError: the file can't be read, or can't be added to the standard objects.
    """
    return standard_schema() if file is None else _extended(standard_schema(), read_schema_file(file))


def _extended(standard: Schema, file: SchemaFile) -> Schema:
    objects = {name.lower(): standard[name] for name in standard}
    for name, custom in file.objects.items():
        key_path = ("objects", name)
        known = objects.get(name.lower())
        if known is not None and (known.custom or custom.label or custom.labelPlural):
            reason = "is there twice" if known.custom else "is a standard object, whose label can't be changed"
            raise SchemaError(f"{known.name} {reason}", *key_path)
        if known is None and not CUSTOM_NAME.fullmatch(name):
            raise SchemaError(f"{name} {_why_no_object(name, standard)}", *key_path)
        objects[name.lower()] = _with_additions(known or _custom_object(name, custom), custom, key_path)
    schema = Schema(list(objects.values()))
    for name, custom in file.objects.items():
        _check_references(schema, schema[name], custom, ("objects", name))
    return Schema([_canonical(schema, sobject) for sobject in objects.values()])


def _why_no_object(name: str, standard: Schema) -> str:
    for ending, kind in OTHER_KINDS.items():
        if name.lower().endswith(ending):
            return f"is {kind}, which this org does not have; leave it out"
    return f"is no object of this org; a custom object's name ends in __c, the others are {', '.join(standard)}"


def _custom_object(name: str, custom: CustomObject) -> SObject:
    label = custom.label or _label(name)
    # Not required: a record without a name is named by its id (Object reference, Custom Objects).
    named = {"name": "Name", "label": f"{label} Name", "type": "string", "length": 80, "defaulted": True}
    owner = {"name": "OwnerId", "label": "Owner ID", "type": "reference", "referenceTo": ["Group", "User"]}
    fields = (
        *common_fields(),
        make_field({**named, "nameField": True, "idLookup": True}),
        make_field({**owner, "relationshipName": "Owner", "nillable": False, "default": CURRENT_USER}),
    )
    return SObject(name=name, label=label, labelPlural=custom.labelPlural or f"{label}s", keyPrefix="", fields=fields)


def _with_additions(sobject: SObject, custom: CustomObject, key_path: KeyPath) -> SObject:
    names = {field.name.lower() for field in sobject.fields}
    relationships = {(field.relationshipName or "").lower() for field in sobject.fields}
    fields = []
    additions = [
        (name, field)
        for name, addition in custom.fields.items()
        for field in _fields_of(sobject, name, addition, key_path)
    ]
    for name, field in additions:
        if field.name.lower() in names:
            raise SchemaError(
                f"{sobject.name} already has a field {field.name}; choose another name", *key_path, "fields", name
            )
        if field.relationshipName and field.relationshipName.lower() in relationships:
            message = f"{sobject.name} already has a relationship {field.relationshipName}; choose another name"
            raise SchemaError(message, *key_path, "fields", name)
        names.add(field.name.lower())
        relationships.add((field.relationshipName or "").lower())
        fields.append(field)
    rules = tuple(Rule(**rule.model_dump()) for rule in custom.rules)
    return replace(sobject, fields=(*sobject.fields, *with_compounds(fields)), rules=rules)


def _fields_of(sobject: SObject, name: str, custom: CustomField, key_path: KeyPath) -> list[Field]:
    """Return the field that the file adds, and for a location the two fields that it is made of."""
    if name.endswith("__pc") and sobject.name != "Account":
        raise SchemaError(f"{name} is a field of person accounts, so add it to Account", *key_path, "fields", name)
    field = _field(name, custom)
    if field.type != "location":
        return [field]
    part = {"type": "double", "precision": 18, "scale": 15, "custom": True}
    return [
        *(
            make_field({**part, "name": location_part_name(name, each), "label": f"{field.label} ({each})"})
            for each in LOCATION_PARTS
        ),
        field,
    ]


def _field(name: str, custom: CustomField) -> Field:
    stem, _, ending = name.rpartition("__")
    data: dict[str, Any] = {
        "name": name,
        "label": custom.label or _label(name),
        "type": "string" if custom.type == "autonumber" else custom.type,
        "nillable": not custom.required and custom.type != "boolean",
        "default": custom.default.isoformat() if isinstance(custom.default, date) else custom.default,
        "custom": True,
        "unique": custom.unique,
        "caseSensitive": custom.caseSensitive,
        "externalId": custom.externalId,
        "idLookup": custom.externalId,
        "picklist": custom.picklist,
        "restricted": custom.restricted,
        "referenceTo": custom.referenceTo,
    }
    if custom.type in MAX_LENGTHS:
        data["length"] = custom.length or 255
    if custom.type in NUMBER_TYPES:
        scale = custom.scale if custom.scale is not None else 0 if custom.type == "double" else 2
        data |= {"precision": custom.precision or 18, "scale": scale}
    if custom.type == "boolean":
        data["default"] = bool(custom.default)
    if custom.type == "reference":
        data["relationshipName"] = custom.relationshipName or f"{stem}__{ending.replace('c', 'r')}"
        data["childRelationshipName"] = custom.childRelationshipName
    if custom.type == "autonumber":
        data |= {"length": 30, "autoNumber": True, "createable": False, "updateable": False, "nillable": False}
        data["formula"] = _auto_number(custom.format or "{0}")
    return make_field(data)


def _auto_number(format_: str) -> str:
    """Return the SQL expression of the numbers in this display format, in the order in which the records were created."""
    match = AUTO_NUMBER_FORMAT.fullmatch(format_)
    assert match is not None  # checked as the file was read
    before, zeros, after = (part.replace("'", "''").replace("%", "%%") for part in match.groups())
    return f"printf('{before}%0{len(zeros)}d{after}', _serial)"


def _label(name: str) -> str:
    """Return the label of an object or field whose label the file leaves out; it names no namespace."""
    return name.split("__")[-2].replace("_", " ")


def _check_references(schema: Schema, sobject: SObject, custom: CustomObject, key_path: KeyPath) -> None:
    """Check that the objects and fields that the file refers to exist, now that all of them are added."""
    for name, addition in custom.fields.items():
        for target in addition.referenceTo:
            if target not in schema:
                message = f"there is no object {target}; use one of {', '.join(schema)}"
                raise SchemaError(message, *key_path, "fields", name, "referenceTo")
    for number, rule in enumerate(custom.rules):
        if rule.field is not None and sobject.field(rule.field) is None:
            raise SchemaError(f"{sobject.name} has no field {rule.field}", *key_path, "rules", number, "field")


def _canonical(schema: Schema, sobject: SObject) -> SObject:
    """Return the object with the names of other objects and of fields in the case in which they are defined."""
    fields = tuple(
        replace(field, referenceTo=tuple(schema[target].name for target in field.referenceTo))
        for field in sobject.fields
    )
    rules = tuple(
        replace(rule, field=found.name) if (found := sobject.field(rule.field or "")) else rule
        for rule in sobject.rules
    )
    return replace(sobject, fields=fields, rules=rules)
