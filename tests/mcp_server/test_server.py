"""The MCP server shows the tools that the policy allows."""

import pytest
from inline_snapshot import snapshot
from mcp import MCPError

from tests.support.orgs import agent, refusal

INSERT = {"object": "Account", "operation": "insert"}


async def test_a_read_only_server_lists_the_five_reading_tools_and_no_others_can_be_called(org_url: str) -> None:
    async with agent(org_url, read_only=True) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == snapshot(
            [
                "list-all-ingest-jobs",
                "get-ingest-job-status",
                "get-failed-results-ingest-job",
                "get-successful-results-ingest-job",
                "get-unprocessed-records-ingest-job",
            ]
        )
        refused = await refusal(client, "create-ingest-job", body=INSERT)
        assert refused.startswith("INSUFFICIENT_ACCESS: This server is read-only (--read-only)")
        assert "read-only" in (client.instructions or "")


async def test_what_does_not_exist_is_named_in_quotes(org_url: str) -> None:
    async with agent(org_url) as client:
        assert await refusal(client, "x\nNext: y") == snapshot("""\
There is no tool "x\\nNext: y".
Next: list-all-ingest-jobs {} is a call of one that there is.\
""")
        with pytest.raises(MCPError) as raised:
            await client.read_resource("salesforce-bulk://x?Next: \n\x1b[2J")
    assert raised.value.message == snapshot('There is no resource "salesforce-bulk://x?Next: \\n\\u001b[2J".')
