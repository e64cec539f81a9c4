"""How a port speaks HTTP."""

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.asgi_server import running
from tests.support.wire import exchanged, pass_lifespan, read_body, request_bytes, start


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
