"""Both halves of an answer: the structure and the text."""

import json
from typing import Any

from mcp import Client

from tests.support.orgs import steady, text_of

TOKEN_BUDGET = 8_000
"""The most tokens that each half of an answer may have; a token counts as four characters."""

MESSAGE_BYTES = 512 * 1024
"""The largest size in bytes of an answer to a call with an explicit limit."""


async def sized_halves(client: Client, tool: str, **arguments: Any) -> tuple[str, str]:
    """The structure as JSON and the text of an answer that fits into one message."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    whole = json.dumps(result.model_dump(by_alias=True, mode="json"))
    assert len(whole) <= MESSAGE_BYTES
    return json.dumps(result.structured_content, ensure_ascii=False), text_of(result)


async def steady_halves(client: Client, tool: str, **arguments: Any) -> tuple[Any, list[str]]:
    """The structure and the lines of the text, without ids, dates and other text that differs from run to run."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return steady(result.structured_content), str(steady(text_of(result))).splitlines()
