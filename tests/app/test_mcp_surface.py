"""The MCP server on the services, as the HTTP port serves it."""

import json
from pathlib import Path

from mcp import Client

from tests.support.callers import serving
from tests.support.orgs import call, refusal


async def test_4_mb_of_rows_pass_through_the_http_port_however_they_are_escaped(tmp_path: Path) -> None:
    rows = "Name,Description\n" + ('"Acme","' + '""\t' * 30_000 + '"\n') * 44
    assert 3_900_000 < len(rows.encode()) < 4_000_000 and len(json.dumps(rows)) > 4 * 1024 * 1024
    async with serving(tmp_path) as addresses, Client(addresses.mcp_url) as client:
        job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        assert (await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": rows}))["bytes"] == len(rows)
        over = {"jobId": job["id"], "body": {"csv": rows + "x" * 200_000}}
        assert "over 4,000,000 bytes" in await refusal(client, "upload-data-ingest-job", **over)
