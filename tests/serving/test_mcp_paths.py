"""What the MCP port tells those who ask for something else than an MCP client does."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.cli.config import SERVER_KEY as KEY_OF_CONFIG
from salesforce_bulk_ingest.serving.mcp_paths import SERVER_KEY
from tests.support.callers import serving
from tests.support.orgs import ERAS, Era
from tests.support.plain_http import plain_http


@pytest.mark.parametrize("path", ["/sse", "/v1/jobs/ingest", "/mcp/x", "/.well-known/oauth-authorization-server"])
async def test_an_unknown_path_names_the_endpoint_in_the_form_that_clients_read(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        response = await http.get(addresses.mcp_url.replace("/mcp", path))
        assert response.status_code == 404
        assert response.json() == snapshot(
            {
                "error": "not_found",
                "error_description": "Nothing is served at this path. MCP clients connect to /mcp: POST takes the messages of MCP clients (streamable HTTP). GET / names all addresses.",
            }
        )


async def test_a_message_to_the_root_is_told_the_endpoint(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        response = await http.post(addresses.mcp_url.removesuffix("/mcp"), json={})
        assert response.status_code == 405
        assert response.json() == snapshot(
            {
                "error": "method_not_allowed",
                "error_description": "Allowed here are GET, HEAD. MCP clients connect to /mcp: POST takes the messages of MCP clients (streamable HTTP). GET / names all addresses.",
            }
        )


async def test_who_reads_the_endpoint_as_no_client_does_is_told_how_to_connect_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        curl = await http.get(addresses.mcp_url, headers={"Accept": "*/*"})
        assert curl.status_code == 406
        assert curl.json() == snapshot(
            {
                "error": "not_acceptable",
                "error_description": "/mcp speaks to MCP clients, which send it their messages with POST. GET / says how to connect one.",
            }
        )
        browser = await http.get(addresses.mcp_url, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (browser.status_code, browser.headers["Content-Type"]) == (406, "text/html; charset=utf-8")
        assert f"claude mcp add --transport http {SERVER_KEY} {addresses.mcp_url}" in browser.text
        for client in ({"Accept": "text/event-stream"}, {"Accept": "*/*", "Mcp-Session-Id": "unknown"}):
            answer = await http.get(addresses.mcp_url, headers=client)
            assert "jsonrpc" in answer.json()


@pytest.mark.parametrize("era", ERAS)
async def test_clients_are_served_as_ever(tmp_path: Path, era: Era) -> None:
    async with serving(tmp_path) as addresses, Client(addresses.mcp_url, mode=era) as client:
        assert len((await client.list_tools()).tools) == 9


def test_the_key_of_the_entries_is_that_of_config() -> None:
    assert SERVER_KEY == KEY_OF_CONFIG
