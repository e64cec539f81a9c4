"""Both halves of an answer: the structure and the text."""

import json
from typing import Any

from mcp import Client

from tests.support.orgs import steady, text_of

TOKEN_BUDGET = 8_000
"""The most that a half of an answer may cost a model; a token is four characters."""

MESSAGE_BYTES = 512 * 1024
"""The most that an answer with an explicit limit may take on the wire."""


async def sized_halves(client: Client, tool: str, **arguments: Any) -> tuple[str, str]:
    """The structure as JSON and the text of an answer that fits into one message."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    whole = json.dumps(result.model_dump(by_alias=True, mode="json"))
    assert len(whole) <= MESSAGE_BYTES
    return json.dumps(result.structured_content, ensure_ascii=False), text_of(result)


async def steady_halves(client: Client, tool: str, **arguments: Any) -> tuple[Any, list[str]]:
    """The structure and the lines of the text, without what differs from run to run."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return steady(result.structured_content), str(steady(text_of(result))).splitlines()
