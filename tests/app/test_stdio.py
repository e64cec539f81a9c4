"""One client over stdin and stdout."""

import sys
from pathlib import Path

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.support.orgs import call


async def test_the_embedded_org_of_stdio_is_the_same_one_next_time(tmp_path: Path) -> None:
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "salesforce_bulk_ingest", "stdio", "--emulator"],
        env={
            "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        },
    )
    rows = {"csv": "Name\nAcme\n"}
    async with Client(stdio_client(process)) as client:
        first = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        await call(client, "upload-data-ingest-job", jobId=first["id"], body=rows)
    async with Client(stdio_client(process)) as client:
        again = await call(client, "upload-data-ingest-job", jobId=first["id"], body=rows)
        assert (again["status"], again["state"]) == ("already uploaded", "Open")
        closing = {"jobId": first["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        assert (await call(client, "close-abort-ingest-job", **closing))["numberRecordsProcessed"] == 1
