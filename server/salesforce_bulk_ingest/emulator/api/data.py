"""The resources around jobs: the org's objects and records, queries, limits and versions."""

import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .. import errors, ids
from ..org import Org
from ..schema.describe import described, summary
from ..schema.model import Field, SObject
from ..soql import query as soql
from ..storage.records import json_value
from ..storage.usage import Allocation
from .edge import NEWEST, OLDEST, Resource, anyone, json_answer, org_of, version_of

# Release names are for people; clients read version and url.
RELEASES = ("Winter", "Spring", "Summer")


async def versions(request: Request) -> Response:
    """The versions there are; needs no token (REST API guide, Versions)."""
    return json_answer(request, [_version(number) for number in range(OLDEST, NEWEST + 1)])


def _version(number: int) -> dict[str, str]:
    year, season = divmod(number + 13, 3)  # Spring '25 was 63
    return {
        "label": f"{RELEASES[season]} '{year:02}",
        "url": f"/services/data/v{number}.0",
        "version": f"{number}.0",
    }


async def limits(request: Request) -> Response:
    """The limits that a load cares about; only requests and batches are ever used up."""
    full = {
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyBulkV2QueryJobs": 10_000,
        "DataStorageMB": 10_240,
        "FileStorageMB": 10_240,
    }
    counted = await run_in_threadpool(_counted, org_of(request))
    return json_answer(request, counted | {name: {"Max": size, "Remaining": size} for name, size in full.items()})


def _counted(org: Org) -> dict[str, dict[str, int]]:
    most = org.usage.max
    with org.database.reading() as connection:
        batches_left = org.usage.left(connection, Allocation.BATCHES)
    return {
        "DailyApiRequests": {
            "Max": most[Allocation.REQUESTS],
            "Remaining": most[Allocation.REQUESTS] - org.usage.requests(),
        },
        "DailyBulkApiBatches": {"Max": most[Allocation.BATCHES], "Remaining": batches_left},
    }


async def list_objects(request: Request) -> Response:
    """All objects of the org (REST API guide, Describe Global)."""
    schema = org_of(request).schema
    sobjects = [summary(schema[name]) | {"urls": _urls(request, name)} for name in schema]
    return json_answer(request, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})


async def describe(request: Request) -> Response:
    """One object with its fields."""
    sobject = _sobject(request)
    return json_answer(request, described(sobject, org_of(request).schema) | {"urls": _urls(request, sobject.name)})


async def show_record(request: Request) -> Response:
    """All fields of one record; 404 for one that is missing or deleted."""
    sobject = _sobject(request)
    row = await run_in_threadpool(_record, org_of(request), sobject, request.path_params["record_id"])
    if row is None:
        raise errors.not_found()
    return json_answer(request, _record_body(request, sobject, sobject.fields, row))


async def query(request: Request) -> Response:
    """The first page of a query; LIMIT and COUNT() included (REST API guide, Query)."""
    text = request.query_params.get("q", "")
    return await _page(request, text, 0, None)


async def query_more(request: Request) -> Response:
    """A further page of a query, by the locator that the page before handed out."""
    match = re.fullmatch(r"01g[A-Za-z]*0*([0-9]{1,15})-([0-9]{1,12})", request.path_params["locator"])
    text = await run_in_threadpool(_recall, org_of(request), int(match[1])) if match else None
    if match is None or text is None:
        raise errors.ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator", platform=True)
    return await _page(request, text, int(match[2]), int(match[1]))


async def _page(request: Request, text: str, start: int, cursor: int | None) -> Response:
    org = org_of(request)
    parsed = soql.parse(text, org.schema)

    def find() -> tuple[int, list[Any], int | None]:
        with org.database.reading() as connection:
            total = soql.count(connection, parsed)
            rows = soql.page(connection, parsed, start) if parsed.fields else []
        more = bool(rows) and start + len(rows) < total
        return total, rows, (cursor or _remember(org, text)) if more else None

    total, rows, cursor = await run_in_threadpool(find)
    body: dict[str, Any] = {"totalSize": total, "done": cursor is None}
    if cursor is not None:
        body["nextRecordsUrl"] = f"/services/data/v{version_of(request)}/query/01gEm{cursor:010}-{start + len(rows)}"
    records = [_record_body(request, parsed.sobject, parsed.fields, row) for row in rows]
    return json_answer(request, body | {"records": records})


def _remember(org: Org, text: str) -> int:
    with org.database.writing() as connection:
        cursor = connection.execute("INSERT INTO query_cursor (soql) VALUES (?)", (text,)).lastrowid
    assert cursor is not None
    return cursor


def _recall(org: Org, cursor: int) -> str | None:
    with org.database.reading() as connection:
        row = connection.execute("SELECT soql FROM query_cursor WHERE id = ?", (cursor,)).fetchone()
    return row["soql"] if row else None


def _record(org: Org, sobject: SObject, record_id: str) -> Any:
    with org.database.reading() as connection:
        statement = f'SELECT * FROM "{sobject.name}" WHERE Id = ? AND NOT IsDeleted'
        return connection.execute(statement, (ids.normal(record_id),)).fetchone()


def _record_body(request: Request, sobject: SObject, fields: tuple[Field, ...], row: Any) -> dict[str, Any]:
    url = f"/services/data/v{version_of(request)}/sobjects/{sobject.name}/{row['Id']}"
    attributes = {"attributes": {"type": sobject.name, "url": url}}
    return attributes | {field.name: json_value(field, row[field.name]) for field in fields}


def _sobject(request: Request) -> SObject:
    sobject = org_of(request).schema.get(request.path_params["object"])
    if sobject is None:
        raise errors.not_found()
    return sobject


def _urls(request: Request, name: str) -> dict[str, str]:
    base = f"/services/data/v{version_of(request)}/sobjects/{name}"
    return {"describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}", "sobject": base}


BASE = "/services/data/v{version}"

ROUTES = [
    Route("/services/data", Resource(check=anyone, GET=versions)),
    Route(f"{BASE}/limits", Resource(GET=limits)),
    Route(f"{BASE}/sobjects", Resource(GET=list_objects)),
    Route(f"{BASE}/sobjects/{{object}}/describe", Resource(GET=describe)),
    Route(f"{BASE}/sobjects/{{object}}/{{record_id}}", Resource(GET=show_record)),
    Route(f"{BASE}/query", Resource(GET=query)),
    Route(f"{BASE}/query/{{locator}}", Resource(GET=query_more)),
]
