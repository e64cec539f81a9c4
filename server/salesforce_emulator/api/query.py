"""The query resources: a first page, further pages, and the same with what lies in the recycle bin."""

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
from salesforce_emulator.disconnects import watched
from salesforce_emulator.org import Org
from salesforce_emulator.responses import json_answer
from salesforce_emulator.soql import cursors
from salesforce_emulator.soql.query import Query

Body = dict[str, Any]
T = TypeVar("T")

AT_ONCE = 4  # so many queries are worked on; the others wait, and not in the threads that all other requests share

SMALLEST_PAGE, LARGEST_PAGE = 200, 2000  # documented, of Sforce-Query-Options: batchSize


async def query(request: Request) -> Response:
    """The first page of what a query finds (REST API guide, Query)."""
    return await _first_page(request, deleted_too=False)


async def query_all(request: Request) -> Response:
    """The same, with what lies in the recycle bin (REST API guide, QueryAll)."""
    return await _first_page(request, deleted_too=True)


async def query_more(request: Request) -> Response:
    """A further page of a query, by the locator that the page before handed out."""
    match = re.fullmatch(r"01g[A-Za-z]*0*([0-9]{1,15})-([0-9]{1,12})", request.path_params["locator"])
    if match is None:
        raise errors.invalid_query_locator()
    place = cursors.PagePosition(int(match[1]), int(match[2]), _page_size(request))
    return await _answered(request, partial(_rest, org_of(request), place, _base(request)))


async def _first_page(request: Request, *, deleted_too: bool) -> Response:
    text = request.query_params.get("q")
    if not text:
        raise errors.missing_query()
    if request.query_params.get("columns") == "true":
        return json_answer(
            request, column_metadata(Query(text, org_of(request).schema, org_of(request).config.clock()))
        )
    size = _page_size(request)
    find = partial(_found, org_of(request), text, _base(request), size, deleted_too)
    return await _answered(request, find)


async def _answered(request: Request, find: Callable[[Event], Body]) -> Response:
    queries: CapacityLimiter = request.state.queries
    return json_answer(request, await while_waited_for(request, queries, find))


async def while_waited_for(request: Request, limiter: CapacityLimiter, find: Callable[[Event], T]) -> T:
    """What is found in a thread of this limiter; `find` is given an event that is set once the caller has left.

    Raises:
        ClientDisconnect: the caller left, and `find` gave up its statement.
    """
    async with watched(request.receive) as gone:
        try:
            return await to_thread.run_sync(find, gone, limiter=limiter)
        except sqlite3.OperationalError:
            if gone.is_set():
                raise ClientDisconnect from None
            raise


def _page_size(request: Request) -> int:
    """How many records the caller wants on a page (REST API guide, Query Options Header)."""
    match = re.search(r"batchSize\s*=\s*([0-9]{1,9})", request.headers.get("Sforce-Query-Options", ""), re.IGNORECASE)
    return min(max(int(match[1]), SMALLEST_PAGE), LARGEST_PAGE) if match else LARGEST_PAGE


def _found(org: Org, text: str, base: str, size: int, deleted_too: bool, gone: Event) -> Body:
    now = org.config.clock()
    query = Query(text, org.schema, now, deleted_too=deleted_too)
    with org.database.reading(gone.is_set) as connection:
        if query.counts:
            return _count(query.count(connection), query)
        serials = query.serials(connection)
        records = query.records(connection, serials[:size], base)
    if len(serials) <= size:
        return _page(len(serials), records, None)
    with org.database.writing() as connection:
        cursor = cursors.store_result(connection, text, serials, now)
    return _page(len(serials), records, _locator(base, cursor, size))


def _count(found: int, query: Query) -> Body:
    if query.counts is None or query.counts.name is None:
        return _page(found, [], None)
    return _page(1, [{"attributes": {"type": "AggregateResult"}, query.counts.alias: found}], None)


def _rest(org: Org, place: cursors.PagePosition, base: str, gone: Event) -> Body:
    now = org.config.clock()
    with org.database.reading(gone.is_set) as connection:
        rest = cursors.load_page(connection, place, now)
        if rest is None:
            raise errors.invalid_query_locator()
        records = Query(rest.soql, org.schema, now).records(connection, rest.serials, base)
    after = place.start + len(rest.serials)
    return _page(rest.total, records, _locator(base, place.cursor, after) if after < rest.total else None)


def _page(total: int, records: list[Body], next_url: str | None) -> Body:
    further = {} if next_url is None else {"nextRecordsUrl": next_url}
    return {"totalSize": total, "done": next_url is None, **further, "records": records}


def _locator(base: str, cursor: int, start: int) -> str:
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
