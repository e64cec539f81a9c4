"""Which messages of MCP write: calls of tools that do more than read."""

import json
from collections.abc import Collection
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from salesforce_bulk_ingest.serving.bearer_tokens import Refused

MOST_BODY_BYTES = 1_000_000
"""The most bytes of a message of someone who may only read: a call of a reading tool is short."""


class WritesByTool:
    """Tells whether a request to the MCP endpoint writes: it calls a tool that is none of the reading ones.

    Args:
        reading_tools: the names of the tools that only read.
    """

    def __init__(self, reading_tools: Collection[str]) -> None:
        self._reading = frozenset(reading_tools)

    async def __call__(self, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        """Return whether the request writes, and from where the application receives it.

        Raises:
            Refused: the message can be read in more than one way, or is too long to be a call of a reading tool.
        """
        if scope["method"] != "POST":
            return False, receive
        body = await _whole_body(scope, receive)
        parsed = _parsed(body) if body else {}
        messages = parsed if isinstance(parsed, list) else [parsed]
        return any(map(self._calls_writing_tool, messages)), _replayed(body, receive)

    def _calls_writing_tool(self, message: Any) -> bool:
        if not isinstance(message, dict):
            return True
        if message.get("method") != "tools/call":
            return False
        params = message.get("params")
        name = params.get("name") if isinstance(params, dict) else None
        return not isinstance(name, str) or name not in self._reading


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    body = bytearray()
    try:
        async for chunk in Request(scope, receive).stream():
            body += chunk
            if len(body) > MOST_BODY_BYTES:
                raise Refused(413, "invalid_request", "The message is too long for a token that allows to read only.")
    except ClientDisconnect:
        raise Refused(400, "invalid_request", "The request broke off.") from None
    return bytes(body)


def _parsed(body: bytes) -> Any:
    # The SDK reads messages with two parsers, which differ where a name stands twice or the text is not plain UTF-8.
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_request", "The message is no plain JSON in UTF-8, each name once.") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError
    return values


def _no_constant(name: str) -> Any:
    raise ValueError


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a function that receives the body that was read, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
