"""How a port speaks HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from anyio.abc import SocketStream
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from salesforce_bulk_ingest.serving.http_protocol import DEFAULT_LIMITS, HttpLimits, HttpProtocol
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening
from tests.support.asgi_server import running
from tests.support.wire import connected, exchanged, pass_lifespan, read_body, request_bytes, start, status_of


async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that breaks its connection in the middle of an answer."""
    if scope["type"] == "lifespan":
        return await pass_lifespan(receive, send)
    await start(send, 200, [("Content-Length", "100")])
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    scope["extensions"]["connection"]["abort"]()


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with the body of the request."""
    if scope["type"] == "lifespan":
        return await pass_lifespan(receive, send)
    body, _ = await read_body(receive)
    await start(send, 200, [("Content-Length", str(len(body)))])
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("first", ["Content-Length: 3", "Transfer-Encoding: chunked"])
def test_a_request_that_tells_its_length_twice_is_answered_and_its_connection_closed(first: str) -> None:
    lengths = {"Content-Length: 3": "Transfer-Encoding: chunked", "Transfer-Encoding: chunked": "Content-Length: 3"}
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{first}\r\n{lengths[first]}\r\n\r\n"
    smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with running(reading) as url:
        answer = exchanged(url, f"{head}2\r\nab\r\n0\r\n\r\n{smuggled}".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\nab")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_caller_finds_a_connection_reset_that_the_application_breaks() -> None:
    with running(breaking) as url, pytest.raises(ConnectionResetError):
        exchanged(url, request_bytes("GET", "/"))


class Timer:
    """A timer that ends when the test says so."""

    def __init__(self, seconds: float, at_end: Callable[[], None]) -> None:
        self.seconds, self.is_running, self._at_end = seconds, True, at_end

    def cancel(self) -> None:
        self.is_running = False

    def end(self) -> None:
        self.is_running = False
        self._at_end()


class Loop:
    """An event loop without time, which runs no application."""

    def __init__(self) -> None:
        self._timers: list[Timer] = []

    def call_later(self, seconds: float, at_end: Callable[[], None]) -> Timer:
        self._timers.append(Timer(seconds, at_end))
        return self._timers[-1]

    def create_task(self, application: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        application.close()
        return asyncio.get_running_loop().create_future()

    def running(self) -> list[Timer]:
        return [timer for timer in self._timers if timer.is_running]


class Transport(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self._closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self._closed = True

    def is_closing(self) -> bool:
        return self._closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def protocol(loop: Loop, transport: Transport) -> HttpProtocol:
    config = uvicorn.Config(reading, log_config=None)
    protocol = HttpProtocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    protocol.connection_made(transport)
    return protocol


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
SOON = 0.05
A_WHILE = 1
"""A time in which a whole request arrives, also on a busy machine."""

WAIT_SECONDS = 10


@asynccontextmanager
async def limited(app: ASGIApp, **limits: float) -> AsyncIterator[str]:
    """The application on a free port with these limits; the others are far away."""
    far = HttpLimits(**{"head_seconds": 600, "body_seconds": 600, "refusal_seconds": 600, **limits})  # type: ignore[arg-type]
    with bound_socket("127.0.0.1", 0) as bound:
        async with listening([Listener(app, bound, limits=far)]):
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def rest_of(stream: SocketStream) -> bytes:
    """What arrives until the server closes the connection."""
    received = b""
    with anyio.fail_after(WAIT_SECONDS):
        try:
            while True:
                received += await stream.receive()
        except anyio.EndOfStream:
            return received


@pytest.mark.parametrize("sent", [b"", b"GE", b"GET / HTTP/1.1\r\nHost: localhost\r\n", HEAD])
async def test_a_head_that_does_not_arrive_in_time_ends_its_connection(sent: bytes) -> None:
    async with limited(reading, head_seconds=SOON) as url, connected(url) as stream:
        if sent:
            await stream.send(sent)
        answer = await rest_of(stream)
    assert status_of(answer) == 408 and b"connection: close" in answer.lower()


def test_bytes_of_a_head_do_not_give_it_more_time(protocol: HttpProtocol, loop: Loop, transport: Transport) -> None:
    for byte in HEAD:
        protocol.data_received(bytes([byte]))
    (timer,) = loop.running()
    assert timer.seconds == DEFAULT_LIMITS.head_seconds
    timer.end()
    assert status_of(transport.written) == 408 and transport.is_closing()


async def test_the_head_of_a_second_request_has_its_time_too() -> None:
    async with limited(reading, head_seconds=A_WHILE) as url, connected(url) as stream:
        await stream.send(HEAD + b"\r\nbodyGET / HT")
        answers = await rest_of(stream)
    assert answers.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in answers


async def test_a_connection_that_was_idle_has_its_time_from_the_first_byte_on() -> None:
    async with limited(reading, head_seconds=A_WHILE) as url, connected(url) as stream:
        await stream.send(HEAD + b"\r\nbody")
        assert status_of(await stream.receive()) == 200
        await stream.send(b"G")
        assert b"HTTP/1.1 408 " in await rest_of(stream)


async def test_a_body_whose_next_byte_does_not_arrive_in_time_ends_its_connection_and_the_application_is_told() -> None:
    told = anyio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        if not (await read_body(receive))[1]:
            told.set()

    async with limited(waiting, body_seconds=SOON) as url, connected(url) as stream:
        await stream.send(HEAD + b"\r\nbo")
        assert status_of(await rest_of(stream)) == 408
        with anyio.fail_after(WAIT_SECONDS):
            await told.wait()


async def test_each_byte_gives_a_body_its_time_anew(protocol: HttpProtocol, loop: Loop) -> None:
    """The time of a whole body is not limited."""
    protocol.data_received(HEAD + b"\r\n")
    for _ in range(3):
        (timer,) = loop.running()
        assert timer.seconds == DEFAULT_LIMITS.body_seconds
        protocol.data_received(b"x")
        assert not timer.is_running
    assert len(loop.running()) == 1


async def test_a_caller_who_waits_for_the_application_is_not_late(
    protocol: HttpProtocol, loop: Loop, transport: Transport
) -> None:
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)
    for _ in range(3):
        (timer,) = loop.running()
        assert timer.seconds == DEFAULT_LIMITS.body_seconds
        timer.end()
        assert not transport.is_closing()
    protocol.flow.resume_reading()
    loop.running()[0].end()
    assert status_of(transport.written) == 408 and transport.is_closing()


async def test_a_caller_who_was_not_asked_for_the_body_yet_is_not_late(
    protocol: HttpProtocol, loop: Loop, transport: Transport
) -> None:
    protocol.data_received(HEAD + b"Expect: 100-continue\r\n\r\n")
    loop.running()[0].end()
    assert not transport.is_closing() and len(loop.running()) == 1


async def test_connections_beyond_the_limit_get_a_503_and_room_is_made_by_those_that_end() -> None:
    async with limited(reading, connections=2, refusals=2) as url, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connected(url)) for _ in range(2)]
        for stream in held:
            await stream.send(HEAD + b"Expect: 100-continue\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 100 ")
        for _ in range(3):
            async with connected(url) as stream:
                await stream.send(HEAD + b"\r\nbody")
                answer = await rest_of(stream)
            assert status_of(answer) == 503
            assert b"retry-after: 5" in answer.lower() and b"connection: close" in answer.lower()
            assert b'"SERVER_UNAVAILABLE"' in answer
        await held[0].aclose()
        with anyio.fail_after(WAIT_SECONDS):
            while status_of(answer) == 503:
                async with connected(url) as stream:
                    await stream.send(HEAD + b"Connection: close\r\n\r\nbody")
                    answer = await rest_of(stream)
        assert status_of(answer) == 200


async def test_an_idle_connection_makes_room_for_a_new_one() -> None:
    async with limited(reading, connections=1) as url, connected(url) as idle:
        await idle.send(HEAD + b"\r\nbody")
        assert status_of(await idle.receive()) == 200
        async with connected(url) as stream:
            await stream.send(HEAD + b"Connection: close\r\n\r\nbody")
            assert status_of(await rest_of(stream)) == 200
        await rest_of(idle)


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers without a look at the body."""
    await start(send, 401, [("Content-Length", "0")])
    await send({"type": "http.response.body", "body": b""})


async def test_a_connection_whose_caller_was_answered_and_sends_on_makes_room_for_a_new_one() -> None:
    async with limited(refusing, connections=1) as url, connected(url) as held:
        await held.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        assert status_of(await held.receive()) == 401
        await held.send(b"x")
        async with connected(url) as stream:
            await stream.send(HEAD + b"Connection: close\r\n\r\nbody")
            assert status_of(await rest_of(stream)) == 401
        await rest_of(held)


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with more than systems hold for a caller at `/much`, and with nothing elsewhere."""
    await start(send, 200, [])
    for _ in range(500 if scope["path"] == "/much" else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def test_a_connection_whose_caller_takes_no_answer_makes_room_for_a_new_one_in_time() -> None:
    async with limited(telling, connections=1, body_seconds=SOON) as url, connected(url) as held:
        await held.send(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await held.receive()
        status = 503
        with anyio.fail_after(WAIT_SECONDS):
            while status == 503:
                async with connected(url) as stream:
                    await stream.send(request_bytes("GET", "/"))
                    status = status_of(await rest_of(stream))
        assert status == 200
        with pytest.raises(anyio.BrokenResourceError):
            await rest_of(held)


@pytest.mark.parametrize("path", ["/", "/much"])
async def test_a_body_that_goes_wrong_after_the_answer_has_begun_ends_its_connection_and_nothing_else(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with limited(telling) as url, connected(url) as stream:
        await stream.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert status_of(await stream.receive()) == 200
        await stream.send(b"this is no chunk\r\n")
        with contextlib.suppress(anyio.BrokenResourceError):
            await rest_of(stream)
    assert [record.name for record in caplog.records] == ["uvicorn.error"]


async def test_a_connection_beyond_the_limit_that_says_nothing_is_closed_and_many_of_them_are_at_once() -> None:
    async with limited(reading, connections=0, refusals=1, refusal_seconds=SOON) as url, connected(url) as stream:
        assert status_of(await rest_of(stream)) == 408
    async with limited(reading, connections=0, refusals=1) as url, AsyncExitStack() as stack:
        for _ in range(2):
            last = await stack.enter_async_context(connected(url))
        with contextlib.suppress(anyio.BrokenResourceError):
            assert await rest_of(last) == b""
