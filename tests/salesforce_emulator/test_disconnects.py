"""Callers that leave before their answer."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator.api.query import run_while_connected
from salesforce_emulator.storage.database import MAX_IDLE_CONNECTIONS, Database
from tests.salesforce_emulator.behaviours import own
from tests.support.asgi_server import running

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
LONG = ENDLESS.replace("FROM n)", "FROM n WHERE i < 200000)")
SECONDS = 30


@contextmanager
def an_endless_query(folder: Path, begun: Event, given_up: Event) -> Iterator[str]:
    """The URL of an application that asks its database for what it will never find."""
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


@own
def test_a_connection_that_gave_up_a_query_answers_the_next_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with pytest.raises(sqlite3.OperationalError, match="interrupted"), database.reading(given_up=lambda: True) as first:
        first.execute(ENDLESS)
    with database.reading() as second:
        assert second is first
        assert second.execute(LONG).fetchone()[0] == 200_000
    database.close()


@own
def test_an_org_keeps_only_some_connections_to_its_database_when_many_were_needed(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with ExitStack() as many:
        used = [many.enter_context(database.reading()) for _ in range(3 * MAX_IDLE_CONNECTIONS)]
    still_open = 0
    for connection in used:
        with suppress(sqlite3.ProgrammingError):
            still_open += connection.execute("SELECT 1").fetchone()[0]
    assert still_open == MAX_IDLE_CONNECTIONS
    database.close()
