"""Who may call a port of ours: local names and pages, and those that the operator added. As seen on a real socket."""

import json
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from tests.support.asgi_server import running
from tests.support.wire import exchanged, pass_lifespan, status_of


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """What is guarded."""
    if scope["type"] == "lifespan":
        return await pass_lifespan(receive, send)
    await PlainTextResponse("hello")(scope, receive, send)


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    with running(HostGuard(hello, AllowedCallers.local_and())) as url:
        yield url


@pytest.fixture(scope="module")
def public() -> Iterator[str]:
    allowed = AllowedCallers.local_and(["loader.example.com", "proxied.example.com:8443"], ["https://app.example.com"])
    with running(HostGuard(hello, allowed)) as url:
        yield url


def ask(url: str, *headers: str, version: str = "1.1") -> tuple[int, str]:
    """Status and error code of the answer to a GET with exactly these headers."""
    raw = exchanged(
        url, "\r\n".join([f"GET / HTTP/{version}", *headers, "Connection: close", "", ""]).encode("latin-1")
    )
    body = raw.partition(b"\r\n\r\n")[2]
    return status_of(raw), body.decode() if body == b"hello" else json.loads(body)[0]["errorCode"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:1", "LocalHost:65535", "[::1]", "[::1]:8080"]
)
def test_this_machines_own_names_are_let_in_on_any_port(local: str, host: str) -> None:
    assert ask(local, f"Host: {host}") == (200, "hello")


FOREIGN_HOSTS = [
    "evil.com",
    "evil.com:8080",
    "127.0.0.1.evil.com",
    "localhost.evil.com:8080",
    "evil.com.localhost",
    "notlocalhost",
    "localhost:80@evil.com",
    "localhost:80@evil.com:8080",
    "localhost:evil",
    "localhost:",
    "127.0.0.1:80/x?y=",
    "evil.com#localhost",
    "localhost,evil.com",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "0.0.0.0:8080",
    "[::]",
    "::1",
    "[::1].evil.com",
    "[::1",
    "",
    ":8080",
    "*",
    "null",
    "loader.example.com",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_name_is_misdirected(local: str, host: str) -> None:
    assert ask(local, f"Host: {host}") == (421, "INVALID_HOST")


def test_a_caller_that_names_no_host_is_misdirected(local: str) -> None:
    assert ask(local, version="1.0") == (421, "INVALID_HOST")


def test_a_second_host_is_no_way_round(local: str) -> None:
    raw = exchanged(local, b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\nConnection: close\r\n\r\n")
    assert status_of(raw) == 400


@pytest.mark.parametrize(
    "origin",
    ["http://localhost", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:3000", "http://LOCALHOST"],
)
def test_a_page_of_this_machine_may_call(local: str, origin: str) -> None:
    assert ask(local, "Host: localhost", f"Origin: {origin}") == (200, "hello")


FOREIGN_ORIGINS = [
    "null",
    "",
    "https://evil.com",
    "http://evil.com:8080",
    "https://localhost",
    "http://localhost.evil.com",
    "http://127.0.0.1.evil.com:80",
    "http://localhost:80@evil.com",
    "http://localhost@evil.com",
    "http://evil.com#@localhost:80",
    "http://localhost:port",
    "http://[::1",
    "http://",
    "localhost",
    "file://",
    "chrome-extension://abcdef",
    "http://localhost http://evil.com",
    "https://app.example.com",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_page_may_not_call(local: str, origin: str) -> None:
    assert ask(local, "Host: localhost", f"Origin: {origin}") == (403, "INVALID_ORIGIN")


def test_a_second_origin_is_no_way_round(local: str) -> None:
    assert ask(local, "Host: localhost", "Origin: http://localhost", "Origin: https://evil.com")[0] == 403


@pytest.mark.parametrize(
    "host",
    ["loader.example.com", "loader.example.com:8080", "LOADER.example.com", "proxied.example.com:8443", "localhost"],
)
def test_a_name_that_the_operator_added_is_let_in(public: str, host: str) -> None:
    assert ask(public, f"Host: {host}") == (200, "hello")


@pytest.mark.parametrize(
    "host", ["proxied.example.com", "proxied.example.com:80", "x.loader.example.com", "example.com"]
)
def test_only_what_was_added_is_let_in(public: str, host: str) -> None:
    assert ask(public, f"Host: {host}") == (421, "INVALID_HOST")


def test_a_page_that_the_operator_added_may_call(public: str) -> None:
    assert ask(public, "Host: loader.example.com", "Origin: https://app.example.com") == (200, "hello")
    assert ask(public, "Host: loader.example.com", "Origin: http://app.example.com")[0] == 403
    assert ask(public, "Host: loader.example.com", "Origin: https://loader.example.com")[0] == 403
