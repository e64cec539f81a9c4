"""The query resources: pages, counts and callers that leave."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx2
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator.api.query import run_while_connected
from salesforce_emulator.storage.database import Database
from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import DATA, Caller
from tests.support.asgi_server import running

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
SECONDS = 30


@doc("REST API guide, Query Options Header: batchSize from 200 on; Query: nextRecordsUrl")
def test_a_further_page_is_found_by_query_and_by_query_all(org: Caller) -> None:
    org.load("LastName,Department\n" + "Page,paged by two\n" * 201, "Contact")
    soql = "SELECT Id FROM Contact WHERE Department = 'paged by two'"
    small = {"Sforce-Query-Options": "batchSize=200"}
    for resource in ("query", "queryAll"):
        first = org.http.get(f"{DATA}/{resource}", params={"q": soql}, headers=small).json()
        locator = first["nextRecordsUrl"].rpartition("/")[2]
        rest = org.http.get(f"{DATA}/{resource}/{locator}", headers=small).json()
        assert (first["totalSize"], first["done"], len(first["records"])) == (201, False, 200)
        assert (rest["totalSize"], rest["done"], len(rest["records"]), "nextRecordsUrl" in rest) == (
            201,
            True,
            1,
            False,
        )


@contextmanager
def an_endless_query(folder: Path, begun: Event, given_up: Event) -> Iterator[str]:
    """The URL of an application whose query of its database never ends by itself."""
    database = Database(folder / "endless.sqlite")

    async def ask(request: Request) -> Response:
        def find(is_gone: Event) -> None:
            with database.reading(given_up=is_gone.is_set) as connection:
                begun.set()
                connection.execute(ENDLESS).fetchall()

        try:
            await run_while_connected(request, CapacityLimiter(1), find)
        except ClientDisconnect:
            given_up.set()
        return Response()

    with running(Starlette(routes=[Route("/", ask)])) as url:
        yield url


@own
def test_a_query_ends_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    begun, given_up = Event(), Event()
    with an_endless_query(tmp_path, begun, given_up) as text:
        url = httpx2.URL(text)
        with socket.create_connection((url.host, url.port or 80)) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: org\r\n\r\n")
            assert begun.wait(SECONDS)
        assert given_up.wait(SECONDS)
