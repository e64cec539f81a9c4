"""What models get of the tools by way of the SDKs of Google and OpenAI, which convert the schemas to dialects of their own."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.environments import python_of
from tests.clients.mcp_clients.connected import SCRIPTS
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started

Tool = dict[str, Any]
OPEN = {"create-ingest-job", "upload-data-ingest-job"}
"""The tools with an object whose keys are the caller's, which OpenAI's strict dialect does not have."""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> list[Tool]:
    """Each tool as it is listed, and as each of the SDKs converts it."""
    with started(fresh_environ(tmp_path_factory.mktemp("served")), *SERVE_EMBEDDED) as server:
        command = [str(python_of("converters")), "converters.py", json.dumps({"url": server.url("MCP")})]
        ended = subprocess.run(command, cwd=SCRIPTS, capture_output=True, encoding="utf-8", timeout=60)
    assert ended.returncode == 0, ended.stderr
    found: list[Tool] = json.loads(ended.stdout)
    assert len(found) == 9
    return found


def arguments(schema: Any, at: str = "") -> Iterator[tuple[str, str | None]]:
    """Every argument of a schema, at any depth, with its description."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{at}{name}", inner.get("description")
        yield from arguments(inner, f"{at}{name}.")
    if "items" in schema:
        yield from arguments(schema["items"], f"{at}[].")
    for form in schema.get("anyOf", ()):
        yield from arguments(form, at)


@pytest.mark.parametrize("dialect", ["gemini", "openai", "openaiStrict"])
def test_no_argument_and_no_description_is_lost(dialect: str, tools: list[Tool]) -> None:
    for tool in tools:
        converted = tool[dialect].get("schema", tool[dialect])
        assert set(arguments(converted)) == set(arguments(tool["schema"])), tool["name"]


def test_every_tool_without_an_open_object_is_strict(tools: list[Tool]) -> None:
    assert {tool["name"] for tool in tools if not tool["openaiStrict"]["strict"]} == OPEN


def test_google_genai_takes_no_closed_schema_from_a_session(tools: list[Tool]) -> None:
    """https://github.com/googleapis/python-genai/issues/2393: declarations made from the schemas are the way round it."""
    assert {tool["geminiSession"] for tool in tools} == {"AttributeError(\"'bool' object has no attribute 'items'\")"}
