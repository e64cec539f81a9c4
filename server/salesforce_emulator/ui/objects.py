"""The data of the pages about an object and about a record."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from salesforce_emulator import ids
from salesforce_emulator.api.endpoint import org_of
from salesforce_emulator.errors import not_found
from salesforce_emulator.schema.model import Field, Schema, SObject
from salesforce_emulator.storage.record_browser import count_live, find, newest
from salesforce_emulator.storage.records import json_value
from salesforce_emulator.ui.page import number_in_query

PAGE_RECORDS = 25
DERIVED_FIELDS = ("PhotoUrl", "JigsawCompanyId", "JigsawContactId")
"""The fields that the org makes of the id, or of another field alone."""

SYSTEM_FIELDS = {
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "OwnerId",
}
"""Fields that the table of records leaves out; the page of a record shows them."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of a field in a record.

    Attributes:
        field: the field.
        text: the value as text, empty for null.
        refers_to: name of the object that a lookup points to; None for other fields.
    """

    field: Field
    text: str
    refers_to: str | None


def show_object(request: Request) -> Mapping[str, Any]:
    """Return one object: its fields, and a page of its records."""
    org, sobject = org_of(request), _sobject(request)
    before = number_in_query(request, "before")
    with org.database.reading() as connection:
        records = count_live(connection, sobject)
        rows, older = newest(connection, sobject, before, PAGE_RECORDS)
    columns = _columns(sobject, rows)
    return {
        "sobject": sobject,
        "records": records,
        "columns": columns,
        "rows": [[_field_value(org.schema, field, row) for field in columns] for row in rows],
        "older": older,
        "from_start": before is None,
    }


def show_record(request: Request) -> Mapping[str, Any]:
    """Return one record with all its fields."""
    org, sobject = org_of(request), _sobject(request)
    with org.database.reading() as connection:
        row = find(connection, sobject, ids.normal(request.path_params["record_id"]))
    if row is None or row["IsDeleted"]:
        raise not_found()
    return {
        "sobject": sobject,
        "id": row["Id"],
        "values": [_field_value(org.schema, field, row) for field in sobject.fields],
    }


def _sobject(request: Request) -> SObject:
    sobject = org_of(request).schema.get(request.path_params["object"])
    if sobject is None:
        raise not_found()
    return sobject


def _columns(sobject: SObject, rows: list[sqlite3.Row]) -> list[Field]:
    """Return the fields in which at least one of these records has a value, the id first."""
    return [
        field
        for field in sobject.fields
        if field.name == "Id" or (_tells_more(field) and any(row[field.name] not in (None, 0) for row in rows))
    ]


def _tells_more(field: Field) -> bool:
    """Return whether a field tells people more than the other columns do."""
    is_derived = field.field_type.holds == "compound" or field.name in DERIVED_FIELDS
    return not is_derived and field.name not in SYSTEM_FIELDS


def _field_value(schema: Schema, field: Field, row: sqlite3.Row) -> FieldValue:
    value = json_value(field, row[field.name])
    if isinstance(value, dict):
        text = ", ".join(str(part) for part in value.values() if part is not None)
    else:
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return FieldValue(field, text, _object_of(schema, text) if field.type == "reference" and text else None)


def _object_of(schema: Schema, record_id: str) -> str | None:
    """Return the name of the object with the key prefix of this id, if there is one."""
    return next((name for name in schema if schema[name].keyPrefix == record_id[:3]), None)
