"""The metadata of the resources, as clients find them."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.support.callers import serving, token_in
from tests.support.plain_http import plain_http

WELL_KNOWN = "/.well-known/oauth-protected-resource"
OAUTH: dict[str, Any] = {
    "oauth_issuer": "https://id.example/",
    "public_url": "https://bulk.example/",
    "write_scope": "loads",
}


@pytest.mark.parametrize("port", ["mcp", "rest"])
async def test_both_ports_show_where_to_get_a_token_for_each_resource(port: str, tmp_path: Path) -> None:
    async with serving(tmp_path, **OAUTH) as addresses, plain_http() as http:
        base = (addresses.mcp_url if port == "mcp" else addresses.rest_url).rpartition("/")[0]
        of_all, of_mcp = await http.get(f"{base}{WELL_KNOWN}"), await http.get(f"{base}{WELL_KNOWN}/mcp")
        assert of_all.json() == snapshot(
            {
                "resource": "https://bulk.example",
                "resource_name": "Salesforce bulk ingest",
                "authorization_servers": ["https://id.example/"],
                "scopes_supported": ["bulk:read", "loads"],
                "bearer_methods_supported": ["header"],
            }
        )
        assert of_mcp.json() == {**of_all.json(), "resource": "https://bulk.example/mcp"}


async def test_pages_of_every_origin_may_read_the_metadata_and_nothing_else(tmp_path: Path) -> None:
    page = {"Origin": "https://evil.example"}
    async with serving(tmp_path, **OAUTH) as addresses, plain_http(headers=page) as http:
        base = addresses.rest_url.removesuffix("/v1")
        for method in ("GET", "OPTIONS"):
            answer = await http.request(method, f"{base}{WELL_KNOWN}")
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        for path in ("/health/live", "/health/ready", "/v1/jobs/ingest", f"{WELL_KNOWN}/", f"{WELL_KNOWN}/v1"):
            assert (await http.get(f"{base}{path}")).status_code == 403
        foreign = await http.get(f"{base}{WELL_KNOWN}", headers={"Host": "evil.example"})
        assert foreign.status_code == 421


async def test_without_an_issuer_there_are_no_metadata(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http() as http:
        assert (await http.get(f"{addresses.rest_url.removesuffix('/v1')}{WELL_KNOWN}")).status_code == 401
