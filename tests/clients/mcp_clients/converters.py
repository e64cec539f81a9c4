"""The tools of a server as two makers' SDKs hand them to models: run in an environment of its own, which these come with."""

import asyncio
import json
import sys

from agents.mcp import MCPServerStreamableHttp
from agents.mcp.util import MCPUtil
from google.genai import types
from google.genai._mcp_utils import mcp_to_gemini_tools


def gemini_schema(schema):
    converted = types.Schema.from_json_schema(json_schema=types.JSONSchema.model_validate(schema))
    return converted.model_dump(mode="json", by_alias=True, exclude_none=True)


def gemini_session(tool):
    """Return what goes wrong where the SDK itself takes the tools of a session, or None."""
    try:
        mcp_to_gemini_tools([tool])
    except Exception as error:
        return repr(error)
    return None


def openai_function(tool, server, *, strict):
    function = MCPUtil.to_function_tool(tool, server, strict)
    return {"schema": function.params_json_schema, "strict": function.strict_json_schema}


def converted(tool, server):
    return {
        "name": tool.name,
        "schema": tool.input_schema,
        "gemini": gemini_schema(tool.input_schema),
        "geminiSession": gemini_session(tool),
        "openai": openai_function(tool, server, strict=False),
        "openaiStrict": openai_function(tool, server, strict=True),
    }


async def main():
    async with MCPServerStreamableHttp({"url": json.loads(sys.argv[1])["url"]}) as server:
        print(json.dumps([converted(tool, server) for tool in await server.list_tools()]))


asyncio.run(main())
