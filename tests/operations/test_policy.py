"""What the operator does not allow is refused through every tool."""

from typing import Any

from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app import build_mcp
from salesforce_bulk_ingest.base.caller import Caller, called_by
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import ACCESS_TOKEN
from tests.support.orgs import UNKNOWN_JOB, agent, call, refusal, services_of, steady
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
REST_URL = "http://127.0.0.1:8080/v1"


async def created(client: Client, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", body=more.pop("body", INSERT), data=data, **more)


async def test_what_the_operator_does_not_allow_is_not_allowed_with_rows_either_and_no_way_around_is_shown(
    org: WatchedOrg,
) -> None:
    settings = load_settings({}, {"SALESFORCE_INSTANCE_URL": org.url, "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN})
    delete = {"object": "Account", "operation": "delete"}
    async with services_of(settings) as services, Client(build_mcp(services, REST_URL)) as client:
        rows = {"csv": "Id\n001000000000001AAA\n"}
        text = await refusal(client, "create-ingest-job", body=delete, data=rows)
        assert "--allow-operation delete" in text and "curl" not in text
        assert (await created(client, rows, body=delete, dryRun=True))["status"] == "checked"
    assert org.changes == []


async def test_a_read_only_server_takes_no_rows_and_keeps_its_reading_tools(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await created(client, {"csv": "Name\nRead only\n"})
    org.forget()
    async with agent(org.url, read_only=True, rest_url=REST_URL) as client:
        for tool, arguments in {
            "create-ingest-job": {"body": INSERT, "data": {"csv": "Name\nAcme\n"}},
            "upload-data-ingest-job": {"jobId": job["id"], "body": {"file": "/etc/passwd"}},
        }.items():
            text = await refusal(client, tool, **arguments)
            assert "This server is read-only" in text and "curl" not in text
        assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["state"] == "Open"
    assert org.changes == []


DELETE = {"object": "Account", "operation": "delete"}


async def refused_by(settings: Settings, tool: str = "get-ingest-job-status", **arguments: object) -> list[str]:
    """What a call on a server with these settings, and no embedded org, is refused with."""
    async with services_of(settings) as services, Client(build_mcp(services, None)) as client:
        text = await refusal(client, tool, **(arguments or {"jobId": UNKNOWN_JOB}))
        return str(steady(text)).splitlines()


def pointed_at(url: str, token: str = "A.TOKEN") -> Settings:
    return load_settings({}, {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": token})


async def test_delete_and_hard_delete_are_refused_at_create(org_url: str) -> None:
    settings = pointed_at(org_url, "00D000000000001!EMULATOR.ACCESS.TOKEN")
    assert await refused_by(settings, "create-ingest-job", body=DELETE) == snapshot(
        [
            "INSUFFICIENT_ACCESS: Jobs with the operation delete are refused here: they remove records. The operator can allow them by starting the server with --allow-operation delete.",
            "Next: Tell the user. Don't look for another way around.",
        ]
    )


async def test_a_delete_job_made_elsewhere_is_refused_at_close_but_can_be_aborted(org_url: str) -> None:
    async with agent(org_url) as elsewhere:
        job = await call(elsewhere, "create-ingest-job", body=DELETE)
    settings = pointed_at(org_url, "00D000000000001!EMULATOR.ACCESS.TOKEN")
    async with services_of(settings) as services, Client(build_mcp(services, None)) as client:
        closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}}
        assert "--allow-operation delete" in await refusal(client, "close-abort-ingest-job", **closing)
        aborted = await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
        assert aborted["state"] == "Aborted"


async def test_an_allowed_operation_goes_through(org_url: str) -> None:
    environ = {
        "SALESFORCE_INSTANCE_URL": org_url,
        "SALESFORCE_AUTOMATION_API_KEY": "00D000000000001!EMULATOR.ACCESS.TOKEN",
    }
    settings = load_settings({"allow_operation": ["delete"]}, environ)
    async with services_of(settings) as services, Client(build_mcp(services, None)) as client:
        assert (await call(client, "create-ingest-job", body=DELETE))["operation"] == "delete"
        assert "hardDelete are refused" in await refusal(
            client, "create-ingest-job", body={"object": "Account", "operation": "hardDelete"}
        )


async def test_a_caller_who_may_only_read_writes_nothing(org: WatchedOrg) -> None:
    with called_by(Caller("reader", may_write=False)):
        async with agent(org.url) as client:
            assert "may only read" in await refusal(client, "create-ingest-job", body=INSERT)
            assert "may only read" in await refusal(client, "delete-ingest-job", jobId=UNKNOWN_JOB)
            await call(client, "list-all-ingest-jobs")
    assert org.changes == []
