"""FastMCP's client: run in an environment of its own, since it brings its own versions of what the product needs."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

given = json.loads(sys.argv[1])


def transport():
    if "url" in given:
        return given["url"]
    command, *args = given["command"]
    return StdioTransport(command, args, env=given["env"], keep_alive=False)


async def answer(client, tool, arguments):
    if tool is None:
        return [tool.name for tool in await client.list_tools()]
    result = await client.call_tool(tool, arguments, raise_on_error=False)
    text = "".join(part.text for part in result.content if part.type == "text")
    return {"isError": result.is_error, "structure": result.structured_content, "text": text}


async def main():
    async with Client(transport()) as client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await answer(client, **json.loads(line))), flush=True)


asyncio.run(main())
