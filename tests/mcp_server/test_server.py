"""The MCP server shows the tools that the policy allows."""

from inline_snapshot import snapshot

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
