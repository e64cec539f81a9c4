"""The read-only resources of objects and single records (REST API guide, sObject resources)."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors, ids
from salesforce_emulator.api.endpoint import Resource, org_of, version_of
from salesforce_emulator.api.out_of_scope import LOAD
from salesforce_emulator.clock import from_rest_time
from salesforce_emulator.org import Org
from salesforce_emulator.responses import json_response
from salesforce_emulator.schema.describe import describe_object, summarize_object
from salesforce_emulator.schema.model import Field, SObject
from salesforce_emulator.soql.conditions import unknown_column
from salesforce_emulator.storage.object_tables import schema_changed_at
from salesforce_emulator.storage.record_browser import find
from salesforce_emulator.storage.records import ids_by_value, json_value

Body = dict[str, Any]


async def list_objects(request: Request) -> Response:
    """Return all objects of the org (Describe Global)."""
    schema = org_of(request).schema
    sobjects = [summarize_object(schema[name]) | {"urls": _urls(request, name)} for name in schema]
    return await _if_modified(request, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})


async def show_object(request: Request) -> Response:
    """Return one object without its fields (sObject Basic Information)."""
    sobject = _sobject(request)
    about = summarize_object(sobject) | {"urls": _urls(request, sobject.name)}
    return json_response(request, {"objectDescribe": about, "recentItems": []})


async def describe(request: Request) -> Response:
    """Return one object with its fields (sObject Describe)."""
    sobject = _sobject(request)
    body = describe_object(sobject, org_of(request).schema) | {"urls": _urls(request, sobject.name)}
    return await _if_modified(request, body)


async def _if_modified(request: Request, body: Body) -> Response:
    """Return the body, or 304 if the schema has not changed since If-Modified-Since (Conditional Request Headers)."""
    changed = (await run_in_threadpool(_schema_changed_at, org_of(request))).replace(microsecond=0)
    headers = {"Last-Modified": format_datetime(changed.astimezone(UTC), usegmt=True)}
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
    except (ValueError, OverflowError):  # OverflowError: a year that no calendar has
        return json_response(request, body, headers=headers)
    if since.tzinfo is not None and changed <= since:
        return Response(status_code=304, headers=headers)
    return json_response(request, body, headers=headers)


def _schema_changed_at(org: Org) -> datetime:
    with org.database.reading() as connection:
        return from_rest_time(schema_changed_at(connection))


async def show_record(request: Request) -> Response:
    """Return a record by its id, with all its fields or only those that `fields` names (sObject Rows)."""
    sobject = _sobject(request)
    record_id = ids.normal(request.path_params["record_id"])
    if record_id is None or not record_id.startswith(sobject.keyPrefix):
        raise errors.no_external_id(request.path_params["record_id"])
    return await run_in_threadpool(_record, request, sobject, record_id)


async def show_record_by_external_id(request: Request) -> Response:
    """Return a record by an external id, or 300 and the URLs if several records have it (sObject Rows by External ID)."""
    sobject = _sobject(request)
    name = request.path_params["field"]
    key = sobject.field(name)
    if key is None or not (key.externalId or key.idLookup):
        raise errors.no_external_id(name)
    found = await run_in_threadpool(_ids_with_value, request, sobject, key)
    if not found:
        raise errors.not_found()
    if len(found) > 1:
        return json_response(request, [f"{_base(request, sobject.name)}/{record_id}" for record_id in found], 300)
    return await run_in_threadpool(_record, request, sobject, found[0])


def _ids_with_value(request: Request, sobject: SObject, key: Field) -> list[str]:
    with org_of(request).database.reading() as connection:
        found = ids_by_value(connection, sobject, key, [request.path_params["value"]])
    return [record_id for record_ids in found.values() for record_id in record_ids]


def _record(request: Request, sobject: SObject, record_id: str) -> Response:
    fields = _fields(sobject, request.query_params.get("fields"))
    with org_of(request).database.reading() as connection:
        row = find(connection, sobject, record_id)
    if row is None:
        raise errors.not_found()
    if row["IsDeleted"]:
        raise errors.entity_is_deleted()
    return json_response(request, _record_body(request, sobject, fields, row))


def _fields(sobject: SObject, names: str | None) -> list[Field]:
    if not names:
        return list(sobject.fields)
    fields = []
    for name in names.split(","):
        field = sobject.field(name.strip())
        if field is None:
            raise errors.invalid_field(unknown_column(sobject.name, name.strip()))
        fields.append(field)
    return fields


def _record_body(request: Request, sobject: SObject, fields: Iterable[Field], row: sqlite3.Row) -> Body:
    attributes = {"attributes": {"type": sobject.name, "url": f"{_base(request, sobject.name)}/{row['Id']}"}}
    values = {field.name: json_value(field, row[field.name]) for field in fields}
    return attributes | values | {"Id": row["Id"]}


def _sobject(request: Request) -> SObject:
    sobject = org_of(request).schema.get(request.path_params["object"])
    if sobject is None:
        raise errors.not_found()
    return sobject


def _base(request: Request, name: str) -> str:
    return f"/services/data/v{version_of(request)}/sobjects/{name}"


def _urls(request: Request, name: str) -> dict[str, str]:
    base = _base(request, name)
    return {"describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}", "sobject": base}


BASE = "/services/data/v{version}/sobjects"
READ_ONLY = errors.not_in_this_org("resources that write single records", LOAD)

ROUTES = [
    Route(BASE, Resource(GET=list_objects)),
    Route(f"{BASE}/{{object}}", Resource(instead=READ_ONLY, GET=show_object)),
    Route(f"{BASE}/{{object}}/describe", Resource(GET=describe)),
    Route(f"{BASE}/{{object}}/{{record_id}}", Resource(instead=READ_ONLY, GET=show_record)),
    Route(f"{BASE}/{{object}}/{{field}}/{{value:path}}", Resource(instead=READ_ONLY, GET=show_record_by_external_id)),
]
