"""What callers are told when the org itself is in trouble."""

import errno
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator.api.error_handlers import EXCEPTION_HANDLERS
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import INGEST, an_org
from tests.support.asgi_server import running

UNEXPECTED = [{"message": "An unexpected error occurred", "errorCode": "UNKNOWN_EXCEPTION"}]


def find_the_database_held(folder: Path) -> None:
    with (
        closing(sqlite3.connect(folder / "held.sqlite")) as holder,
        closing(sqlite3.connect(folder / "held.sqlite", timeout=0)) as other,
    ):
        holder.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


def fill_the_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "full.sqlite")) as database:
        database.execute("PRAGMA max_page_count = 1")
        database.execute("CREATE TABLE one_page_is_not_enough (x)")


def fill_the_disk(folder: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(folder / "upload"))


@contextmanager
def an_app_that_fails(folder: Path, trouble: Callable[[Path], None]) -> Iterator[str]:
    """The URL of an application that shows its errors as the org does."""

    def fail(request: Request) -> Response:
        trouble(folder)
        return Response()

    app = Starlette(routes=[Route("/", fail)], exception_handlers=EXCEPTION_HANDLERS)
    with running(app) as url:
        yield url


@own
def test_an_org_that_is_held_by_another_process_for_too_long_is_busy(tmp_path: Path) -> None:
    with an_app_that_fails(tmp_path, find_the_database_held) as url:
        answer = httpx2.get(url)
    assert (answer.status_code, answer.json()) == (
        503,
        [{"message": "Service temporarily unavailable", "errorCode": "SERVER_UNAVAILABLE"}],
    )


@own
@pytest.mark.parametrize("trouble", [fill_the_database, fill_the_disk])
def test_a_full_disk_is_named_in_the_log_and_not_to_the_caller(
    tmp_path: Path, trouble: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with an_app_that_fails(tmp_path, trouble) as url:
        answer = httpx2.get(url)
    assert (answer.status_code, answer.json()) == (500, UNEXPECTED)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.messages[0].startswith("The disk that holds the org is full")


@assumed("code and text of the platform's other APIs")
def test_an_error_of_the_orgs_own_is_told_in_the_envelope_of_refusals_and_logged_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with an_org(tmp_path) as org:
        with closing(sqlite3.connect(tmp_path / "org.sqlite")) as database:
            database.execute("DROP TABLE job")
        answer = org.http.get(INGEST)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/json;charset=UTF-8")
    assert answer.json() == UNEXPECTED
    assert any("no such table: job" in (record.exc_text or "") for record in caplog.records)
