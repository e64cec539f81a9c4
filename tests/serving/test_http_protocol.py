"""How a port speaks HTTP."""

import pytest
from starlette.types import Receive, Scope, Send

from tests.support.asgi_server import running
from tests.support.wire import exchanged, pass_lifespan, request_bytes, start


async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that breaks its connection in the middle of an answer."""
    if scope["type"] == "lifespan":
        return await pass_lifespan(receive, send)
    await start(send, 200, [("Content-Length", "100")])
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    scope["extensions"]["connection"]["abort"]()


def test_a_caller_finds_a_connection_reset_that_the_application_breaks() -> None:
    with running(breaking) as url, pytest.raises(ConnectionResetError):
        exchanged(url, request_bytes("GET", "/"))
