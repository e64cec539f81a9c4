"""Ports: bound before anything starts, served side by side, stopped together."""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.serving.ports import CantStart, Listener, PortBusy, bound_socket, listening
from tests.support.wire import exchanged, pass_lifespan, request_bytes


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """An application without a lifespan."""
    await PlainTextResponse("hello")(scope, receive, send)


def port_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{port_of(bound)}"


def test_a_port_that_is_in_use_is_named_with_the_option_that_chooses_another() -> None:
    with bound_socket("127.0.0.1", 0) as bound:
        port = port_of(bound)
        with pytest.raises(PortBusy) as raised, bound_socket("127.0.0.1", port, "--mcp-port"):
            pass
    assert str(raised.value) == (
        f"127.0.0.1:{port} is in use by another program: stop it or choose another --mcp-port."
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the system's own words")
def test_a_port_or_an_address_that_can_not_be_listened_on_is_named() -> None:
    complaints = []
    for host, port in (("127.0.0.1", 65_536), ("192.0.2.1", 0)):
        with pytest.raises(CantStart) as raised, bound_socket(host, port, "--rest-port"):
            pass
        complaints.append(str(raised.value))
    assert complaints == snapshot(
        [
            "65536 is no port: choose a --rest-port from 0 to 65535.",
            "192.0.2.1:0 can't be listened on (Cannot assign requested address): choose another address or --rest-port.",
        ]
    )


def test_a_socket_takes_connections_from_the_moment_it_is_bound() -> None:
    with bound_socket("127.0.0.1", 0) as bound, socket.create_connection(("127.0.0.1", port_of(bound)), timeout=5):
        pass


async def test_listeners_serve_side_by_side_for_the_time_of_the_block() -> None:
    with bound_socket("127.0.0.1", 0) as one, bound_socket("127.0.0.1", 0) as two:
        urls = [url_of(one), url_of(two)]
        async with listening([Listener(hello, one), Listener(hello, two)]):
            for url in urls:
                answer = await anyio.to_thread.run_sync(exchanged, url, request_bytes("GET", "/"))
                assert answer.endswith(b"\r\n\r\nhello")
                assert b"\r\nserver:" not in answer.lower() and b"\r\ndate:" not in answer.lower()
    for url in urls:
        with pytest.raises(ConnectionRefusedError):
            exchanged(url, request_bytes("GET", "/"))


async def test_an_application_that_can_not_start_is_a_reason_in_one_line_and_none_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @asynccontextmanager
    async def broken(app: Starlette) -> AsyncIterator[None]:
        if app.routes == []:
            raise ValueError("no such folder.")
        yield

    with bound_socket("127.0.0.1", 0) as bound, pytest.raises(ExceptionGroup) as raised:
        async with listening([Listener(Starlette(lifespan=broken), bound, name="the embedded org", lifespan=True)]):
            raise AssertionError("it serves")
    (error,) = raised.value.exceptions
    assert isinstance(error, CantStart)
    assert str(error) == "the embedded org can't be opened: no such folder."
    assert caplog.messages == []


async def test_an_application_is_told_of_the_end_also_when_the_block_is_cancelled() -> None:
    ended = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def end() -> None:
            ended.set()

        await pass_lifespan(receive, send, end)

    with bound_socket("127.0.0.1", 0) as bound, anyio.CancelScope() as scope:
        async with listening([Listener(app, bound, lifespan=True)]):
            scope.cancel()
            await anyio.sleep_forever()
    assert ended.is_set()
