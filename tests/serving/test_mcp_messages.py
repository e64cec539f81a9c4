"""Which messages of MCP write."""

import json

import pytest
from starlette.types import Message

from salesforce_bulk_ingest.serving.bearer_tokens import Refused
from salesforce_bulk_ingest.serving.mcp_messages import MOST_BODY_BYTES, WritesByTool

READING = ["list-all-ingest-jobs"]
POST = {"type": "http", "method": "POST"}


def call_of(tool: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}


class Body:
    """Hands out a body in parts, and then the end of the connection."""

    def __init__(self, *parts: bytes) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, start=1)
        ]

    async def receive(self) -> Message:
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}


async def is_write(body: bytes) -> bool:
    return (await WritesByTool(READING)(POST, Body(body).receive))[0]


READS = [
    call_of("list-all-ingest-jobs"),
    {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"name": "create-ingest-job"}},
    {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "x"}},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    [call_of("list-all-ingest-jobs"), {"jsonrpc": "2.0", "id": 2, "method": "ping"}],
    [],
]


@pytest.mark.parametrize("message", READS)
async def test_reading_is_no_write(message: object) -> None:
    assert not await is_write(json.dumps(message).encode())


WRITES = [
    call_of("create-ingest-job"),
    call_of("delete-ingest-job"),
    call_of("List-all-ingest-jobs"),
    call_of("list-all-ingest-jobs "),
    call_of("no such tool"),
    call_of(None),
    call_of(["list-all-ingest-jobs"]),
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ["list-all-ingest-jobs"]},
    [call_of("list-all-ingest-jobs"), call_of("create-ingest-job")],
    [[call_of("create-ingest-job")]],
    "tools/call",
    None,
    1,
]


@pytest.mark.parametrize("message", WRITES)
async def test_a_call_of_any_tool_but_a_reading_one_is_a_write(message: object) -> None:
    assert await is_write(json.dumps(message).encode())


CALL = json.dumps(call_of("create-ingest-job"))
TWO_WAYS = [
    CALL.replace('"method"', '"method": "ping", "method"').encode(),
    CALL.replace('"name"', '"name": "list-all-ingest-jobs", "name"').encode(),
    CALL.replace('"method"', '"method": "ping", "\\u006dethod"').encode(),
    CALL.encode("utf-16"),
    CALL.encode("utf-32-le"),
    b"\xef\xbb\xbf" + CALL.encode(),
    b"\x1f\x8b\x08" + CALL.encode(),
    CALL.encode() + b"\0",
    CALL.encode() + CALL.encode(),
    CALL.replace("1", "NaN").encode(),
    CALL.replace("1", "9" * 5000).encode(),
    b"[" * 100_000,
    b"method=tools/call",
    CALL.replace("create", "cr\xe9ate").encode("latin-1"),
]


@pytest.mark.parametrize("body", TWO_WAYS)
async def test_a_message_that_may_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as raised:
        await is_write(body)
    assert raised.value.status == 400


async def test_the_application_receives_what_was_read_and_what_comes_after() -> None:
    body = json.dumps(call_of("list-all-ingest-jobs")).encode()
    _, receive = await WritesByTool(READING)(POST, Body(body[:10], body[10:]).receive)
    assert await receive() == {"type": "http.request", "body": body, "more_body": False}
    assert await receive() == {"type": "http.disconnect"}


async def test_a_request_without_a_message_is_no_write_and_is_left_as_it_is() -> None:
    receive = Body(b"").receive
    assert await WritesByTool(READING)({**POST, "method": "DELETE"}, receive) == (False, receive)


@pytest.mark.parametrize(("parts", "status"), [([b" " * MOST_BODY_BYTES, b" "], 413), ([], 400)])
async def test_a_message_that_is_too_long_or_breaks_off_is_refused(parts: list[bytes], status: int) -> None:
    with pytest.raises(Refused) as raised:
        await WritesByTool(READING)(POST, Body(*parts).receive)
    assert raised.value.status == status
