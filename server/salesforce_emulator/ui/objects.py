"""What pages show of objects and records."""

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
from salesforce_emulator.ui.page import position

PAGE_RECORDS = 25
KEPT_BY_THE_ORG = {
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "OwnerId",
}
"""Fields that say little in a table of records; the page of a record shows them."""


@dataclass(frozen=True, slots=True)
class ShownValue:
    """What a record holds in a field: its text, and for a lookup the object of the record that it points to."""

    field: Field
    text: str
    refers_to: str | None


def show_object(request: Request) -> Mapping[str, Any]:
    """One object: its fields, and a page of its records."""
    org, sobject = org_of(request), _sobject(request)
    before = position(request, "before")
    with org.database.reading() as connection:
        records = count_live(connection, sobject)
        rows, older = newest(connection, sobject, before, PAGE_RECORDS)
    columns = _telling(sobject, rows)
    return {
        "sobject": sobject,
        "records": records,
        "columns": columns,
        "rows": [[_shown(org.schema, field, row) for field in columns] for row in rows],
        "older": older,
        "from_start": before is None,
    }


def show_record(request: Request) -> Mapping[str, Any]:
    """One record with all its fields."""
    org, sobject = org_of(request), _sobject(request)
    with org.database.reading() as connection:
        row = find(connection, sobject, ids.normal(request.path_params["record_id"]))
    if row is None or row["IsDeleted"]:
        raise not_found()
    return {
        "sobject": sobject,
        "id": row["Id"],
        "values": [_shown(org.schema, field, row) for field in sobject.fields],
    }


def _sobject(request: Request) -> SObject:
    sobject = org_of(request).schema.get(request.path_params["object"])
    if sobject is None:
        raise not_found()
    return sobject


def _telling(sobject: SObject, rows: list[sqlite3.Row]) -> list[Field]:
    """The fields in which some of these records differ from empty, the id first."""
    return [
        field
        for field in sobject.fields
        if field.name == "Id"
        or (field.name not in KEPT_BY_THE_ORG and any(row[field.name] not in (None, 0) for row in rows))
    ]


def _shown(schema: Schema, field: Field, row: sqlite3.Row) -> ShownValue:
    value = json_value(field, row[field.name])
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return ShownValue(field, text, _object_of(schema, text) if field.type == "reference" and text else None)


def _object_of(schema: Schema, record_id: str) -> str | None:
    """The object whose ids begin so."""
    return next((name for name in schema if schema[name].keyPrefix == record_id[:3]), None)
