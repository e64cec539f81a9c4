"""The query resources: query, queryAll (with deleted records), and their further pages."""

import re
import sqlite3
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors
from salesforce_emulator.api.endpoint import Resource, org_of, version_of
from salesforce_emulator.api.query_columns import column_metadata
from salesforce_emulator.caller_disconnects import watch_for_disconnect
from salesforce_emulator.org import Org
from salesforce_emulator.responses import json_response
from salesforce_emulator.soql import cursors
from salesforce_emulator.soql.query import Query

Body = dict[str, Any]
T = TypeVar("T")

CONCURRENT_QUERIES = 4  # more queries wait, so that they can't occupy all the threads that other requests need

SMALLEST_PAGE, LARGEST_PAGE = 200, 2000  # records (REST API guide, Sforce-Query-Options: batchSize)


async def query(request: Request) -> Response:
    """Return the first page of the records that a query finds (REST API guide, Query)."""
    return await _first_page(request, include_deleted=False)


async def query_all(request: Request) -> Response:
    """Return the first page of the records that a query finds, deleted ones included (REST API guide, QueryAll)."""
    return await _first_page(request, include_deleted=True)


async def query_more(request: Request) -> Response:
    """Return a further page of a query, by the locator in the nextRecordsUrl of the page before."""
    match = re.fullmatch(r"01g[A-Za-z]*0*([0-9]{1,15})-([0-9]{1,12})", request.path_params["locator"])
    if match is None:
        raise errors.invalid_query_locator()
    page = cursors.PagePosition(int(match[1]), int(match[2]), _page_size(request))
    return await _run(request, partial(_further_page, org_of(request), page, _base(request)))


async def _first_page(request: Request, *, include_deleted: bool) -> Response:
    text = request.query_params.get("q")
    if not text:
        raise errors.missing_query()
    if request.query_params.get("columns") == "true":
        return json_response(
            request, column_metadata(Query(text, org_of(request).schema, org_of(request).config.clock()))
        )
    size = _page_size(request)
    find = partial(_new_query, org_of(request), text, _base(request), size, include_deleted)
    return await _run(request, find)


async def _run(request: Request, find: Callable[[Event], Body]) -> Response:
    queries: CapacityLimiter = request.state.queries
    return json_response(request, await run_while_connected(request, queries, find))


async def run_while_connected(request: Request, limiter: CapacityLimiter, find: Callable[[Event], T]) -> T:
    """Run `find` in a thread, with an event that is set once the caller has closed its connection.

    Args:
        request: request that waits for the result.
        limiter: limits how many threads run at once.
        find: queries the database; interrupts its SQL statement when the event is set.

    Raises:
        ClientDisconnect: the caller closed its connection, and `find` was interrupted.
    """
    async with watch_for_disconnect(request.receive) as gone:
        try:
            return await to_thread.run_sync(find, gone, limiter=limiter)
        except sqlite3.OperationalError:
            if gone.is_set():
                raise ClientDisconnect from None
            raise


def _page_size(request: Request) -> int:
    """Return the number of records on a page, which the caller may set (REST API guide, Query Options Header)."""
    match = re.search(r"batchSize\s*=\s*([0-9]{1,9})", request.headers.get("Sforce-Query-Options", ""), re.IGNORECASE)
    return min(max(int(match[1]), SMALLEST_PAGE), LARGEST_PAGE) if match else LARGEST_PAGE


def _new_query(org: Org, text: str, base: str, size: int, include_deleted: bool, gone: Event) -> Body:
    now = org.config.clock()
    query = Query(text, org.schema, now, deleted_too=include_deleted)
    with org.database.reading(gone.is_set) as connection:
        if query.counts:
            return _count(query.count(connection), query)
        serials = query.serials(connection)
        records = query.records(connection, serials[:size], base)
    if len(serials) <= size:
        return _page(len(serials), records, None)
    with org.database.writing() as connection:
        cursor = cursors.store_result(connection, text, serials, now)
    return _page(len(serials), records, _next_url(base, cursor, size))


def _count(found: int, query: Query) -> Body:
    if query.counts is None or query.counts.name is None:
        return _page(found, [], None)
    return _page(1, [{"attributes": {"type": "AggregateResult"}, query.counts.alias: found}], None)


def _further_page(org: Org, page: cursors.PagePosition, base: str, gone: Event) -> Body:
    now = org.config.clock()
    with org.database.reading(gone.is_set) as connection:
        rest = cursors.load_page(connection, page, now)
        if rest is None:
            raise errors.invalid_query_locator()
        records = Query(rest.soql, org.schema, now).records(connection, rest.serials, base)
    after = page.start + len(rest.serials)
    return _page(rest.total, records, _next_url(base, page.cursor, after) if after < rest.total else None)


def _page(total: int, records: list[Body], next_url: str | None) -> Body:
    further = {} if next_url is None else {"nextRecordsUrl": next_url}
    return {"totalSize": total, "done": next_url is None, **further, "records": records}


def _next_url(base: str, cursor: int, start: int) -> str:
    return f"{base}/query/01gEm{cursor:010}-{start}"


def _base(request: Request) -> str:
    return f"/services/data/v{version_of(request)}"


BASE = "/services/data/v{version}"

ROUTES = [
    Route(f"{BASE}/query", Resource(GET=query)),
    Route(f"{BASE}/queryAll", Resource(GET=query_all)),
    Route(f"{BASE}/query/{{locator}}", Resource(GET=query_more)),
    Route(f"{BASE}/queryAll/{{locator}}", Resource(GET=query_more)),
]
