"""A tool that fails says what is wrong and what to do next, whatever the reason."""

from pathlib import Path
from typing import Annotated, cast

import anyio
import anyio.lowlevel
from inline_snapshot import snapshot
from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import SecretStr

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.mcp_server.answers.deleted_job import DeletedJobAnswer
from salesforce_bulk_ingest.mcp_server.tool_schema import closed_tool
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.transport import open_http
from tests.support.next_call import next_call, next_line
from tests.support.orgs import (
    UNKNOWN_JOB,
    refusal,
    services_over,
)
from tests.support.wire import JOB_ID


async def test_a_call_that_runs_out_of_time_says_so_and_what_to_look_at() -> None:
    async def endless(jobId: str) -> Annotated[CallToolResult, DeletedJobAnswer]:
        """Never answers."""
        return await endless_create()

    async def endless_create() -> Annotated[CallToolResult, DeletedJobAnswer]:
        """Never answers, and nobody has the id of what it made."""
        return cast(CallToolResult, await anyio.Event().wait())

    tools: list[Tool] = []
    for never in (endless, endless_create):
        name = never.__name__
        tool = closed_tool(never, name=name, title=name, read_only=False, destructive=False, idempotent=False)
        tool.longest_call_seconds = 0
        tools.append(tool)
    async with Client(MCPServer("test", tools=tools)) as client:
        text = await refusal(client, "endless", jobId=JOB_ID)
        assert text.startswith("endless did not finish within 0 s")
        assert next_call(next_line(text)) == ("get-ingest-job-status", {"jobId": JOB_ID})
        assert next_call(next_line(await refusal(client, "endless_create"))) == ("list-all-ingest-jobs", {})


class BrokenLogin(FixedCredentials):
    """A fault of ours: not one of the errors that a login may raise."""

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        raise RuntimeError("an inside view")


async def test_a_crash_is_reported_without_an_inside_view(tmp_path: Path) -> None:
    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, BrokenLogin(Credentials("http://127.0.0.1", SecretStr("A.TOKEN"))), "63.0")
        async with Client(build_mcp(services_over(client, tmp_path, tasks), None)) as connected:
            text = await refusal(connected, "get-ingest-job-status", jobId=UNKNOWN_JOB)
    assert text.splitlines() == snapshot(
        [
            "get-ingest-job-status failed inside this server; its log has the details. Tell the user.",
            'Next: get-ingest-job-status {"jobId": "750000000000001AAA"} shows the job: look before you repeat a change.',
        ]
    )
