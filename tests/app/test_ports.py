"""Both ports of a server."""

from pathlib import Path

from mcp import Client

from tests.support.callers import serving
from tests.support.plain_http import plain_http

CALLERS: list[tuple[dict[str, str], int]] = [
    ({"Host": "evil.example:9090"}, 421),
    ({"Host": "localhost:80@evil.example"}, 421),
    ({"Host": "localhost:evil"}, 421),
    ({"Host": "LOCALHOST:1"}, 200),
    ({"Origin": "http://localhost:port"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "http://localhost:5173"}, 200),
    ({}, 200),
]


async def test_every_port_checks_host_and_origin(tmp_path: Path) -> None:
    implementation = {"name": "test", "version": "1"}
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": implementation}
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    accept = {"Accept": "application/json, text/event-stream"}
    async with serving(tmp_path) as addresses, plain_http() as http:
        assert addresses.org_url is not None
        for headers, status in CALLERS:
            rest = await http.get(f"{addresses.rest_url}/jobs/ingest", headers=headers)
            org = await http.get(f"{addresses.org_url}/services/data", headers=headers)
            mcp = await http.post(addresses.mcp_url, json=initialize, headers={**accept, **headers})
            assert (rest.status_code, org.status_code, mcp.status_code) == (status, status, status), headers


async def test_read_only_holds_on_both_ports(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, read_only=True) as addresses,
        Client(addresses.mcp_url) as client,
        plain_http() as http,
    ):
        assert len((await client.list_tools()).tools) == 5
        insert = {"object": "Account", "operation": "insert"}
        refused = await http.post(f"{addresses.rest_url}/jobs/ingest", json=insert)
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 200
