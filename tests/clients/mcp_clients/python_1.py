"""The Python SDK, version 1: run in an environment of its own, since the product needs version 2."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

given = json.loads(sys.argv[1])


@asynccontextmanager
async def connected():
    if "url" in given:
        transport = streamablehttp_client(given["url"])
    else:
        command, *args = given["command"]
        transport = stdio_client(StdioServerParameters(command=command, args=args, env=given["env"]))
    async with transport as (read, write, *_), ClientSession(read, write) as session:
        await session.initialize()
        yield session


async def answer(session, tool, arguments):
    if tool is None:
        return [tool.name for tool in (await session.list_tools()).tools]
    result = await session.call_tool(tool, arguments)
    text = "".join(part.text for part in result.content if part.type == "text")
    return {"isError": result.isError, "structure": result.structuredContent, "text": text}


async def main():
    async with connected() as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await answer(session, **json.loads(line))), flush=True)


asyncio.run(main())
