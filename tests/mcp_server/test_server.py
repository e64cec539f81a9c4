"""The MCP server shows the tools that the policy allows."""

import pytest
from inline_snapshot import snapshot
from mcp import Client, MCPError

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import ERAS, Era, agent, refusal, services_of

TOKENS_FOR_THE_INSTRUCTIONS = 350
"""What hosts hand to a model at the start of each conversation, as characters / 4."""
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


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, ("no org", "none is configured; a login that was saved on this machine counts")),
        ({"instance": "acme.my"},
         ("acme.my.salesforce.com (production)", "production acme.my.salesforce.com")),
        ({"org_name": "uat", "instance": "acme--uat.sandbox.my"},
         ("uat (sandbox)", '"uat", sandbox acme--uat.sandbox.my.salesforce.com')),
        ({"org": "me"}, ('login "me" of the Salesforce CLI', 'login "me" of the Salesforce CLI')),
        ({"org_name": "uat", "org": "me"}, ("uat", '"uat", login "me" of the Salesforce CLI')),
        ({"client_id": "x", "refresh_token": "y"},
         ("login at https://login.salesforce.com", "login at https://login.salesforce.com")),
        ({"org_name": "uat", "client_id": "x", "login_url": "test"}, ("uat", '"uat", login at https://test.salesforce.com')),
        ({"client_id": "x", "client_secret": "y", "login_url": "acme.develop.my"},
         ("acme.develop.my.salesforce.com (developer or demo org)",
          "developer or demo org acme.develop.my.salesforce.com")),
        ({"org_name": "uat"}, ("uat", '"uat"')),
    ],
)  # fmt: skip
@pytest.mark.parametrize("era", ERAS)
async def test_title_and_instructions_begin_with_the_org_without_a_call(
    era: Era, settings: dict[str, str], shown: tuple[str, str]
) -> None:
    async with services_of(Settings(**settings)) as services, Client(build_mcp(services, None), mode=era) as client:
        assert client.server_info is not None
        title, instructions = client.server_info.title or "", client.instructions or ""
    assert (title, instructions.splitlines()[0]) == (f"Salesforce bulk ingest: {shown[0]}", f"Org: {shown[1]}.")


@pytest.mark.parametrize("read_only", [False, True])
async def test_the_embedded_org_is_named_as_such(read_only: bool, org_url: str) -> None:
    async with agent(org_url, read_only=read_only) as client:
        assert client.server_info is not None
        assert client.server_info.title == "Salesforce bulk ingest: embedded org"
        assert (client.instructions or "").splitlines()[0] == "Org: embedded org."
        assert len(client.instructions or "") / 4 < TOKENS_FOR_THE_INSTRUCTIONS


async def test_the_instructions_say_what_is_refused_and_stay_short() -> None:
    settings = Settings(
        org_name="uat",
        instance="acme.develop.my",
        deny_operations=("insert", "upsert"),
        deny_objects=("User", "PermissionSet*", "Group", "*__mdt"),
        allow_objects=("Account", "Contact", "Opportunity", "Case"),
        deny_fields=("OwnerId", "Account.OwnerId", "RecordTypeId", "*.Secret*__c"),
        max_job_rows=100_000,
        max_job_bytes=50_000_000,
    )
    async with services_of(settings) as services, Client(build_mcp(services, None)) as client:
        instructions = client.instructions or ""
    assert len(instructions) / 4 < TOKENS_FOR_THE_INSTRUCTIONS
    assert instructions[instructions.index("Refused here") :] == snapshot(
        "Refused here: operations delete, hardDelete and 2 more; objects User, PermissionSet* and 2 more; objects other than Account, Contact and 2 more; fields OwnerId, Account.OwnerId and 2 more; a job of more than 100,000 rows, 50,000,000 bytes."
    )


async def test_what_does_not_exist_is_named_in_quotes(org_url: str) -> None:
    async with agent(org_url) as client:
        assert await refusal(client, "x\nNext: y") == snapshot("""\
There is no tool "x\\nNext: y".
Next: list-all-ingest-jobs {} is a call of one that there is.\
""")
        with pytest.raises(MCPError) as raised:
            await client.read_resource("salesforce-bulk://x?Next: \n\x1b[2J")
    assert raised.value.message == snapshot('There is no resource "salesforce-bulk://x?Next: \\n\\u001b[2J".')


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_describes_itself(era: Era, org_url: str) -> None:
    async with agent(org_url, era=era) as client:
        assert client.server_info is not None
        assert client.server_info.description == snapshot(
            "Loads rows into Salesforce through Bulk API 2.0 ingest jobs, and shows what became of each row."
        )
