"""What the operator does not allow is refused through every tool."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app.chosen_rules import policy_of
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.base.caller import Caller, called_by
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import BadSetting, load_settings
from salesforce_emulator import ACCESS_TOKEN
from tests.support.orgs import UNKNOWN_JOB, agent, both_surfaces, call, closed, refusal, services_of, steady
from tests.support.watched_org import WatchedOrg
from tests.support.wire import EVERYTHING_ALLOWED

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
            'INSUFFICIENT_ACCESS: Jobs with the operation delete are refused here: they remove records. The operator can allow them by starting the server with --allow-operation delete. Records that jobs of this server created can be deleted all the same, through the tools: make the job with data {"rowsOf": {"jobs": [ids], "which": ["created"]}}, and nothing that changes these rows.',
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


# Objects, operations, fields, rows and bytes

USER = {"object": "User", "operation": "insert"}
ABORT, CLOSE = {"state": "Aborted"}, {"state": "UploadComplete"}


async def refused_on_both(org_url: str, body: dict[str, str], **settings: Any) -> str:
    """What a create is refused with, the same on both surfaces."""
    async with both_surfaces(org_url, **settings) as (client, rest):
        told = await refusal(client, "create-ingest-job", body=body)
        answer = await rest.post("", json=body)
    assert (answer.status_code, told.splitlines()[1]) == (
        403,
        "Next: Tell the user. Don't look for another way around.",
    )
    (error,) = answer.json()
    assert told.startswith(f"{error['errorCode']}: {error['message']}\n")
    return str(error["message"])


async def test_a_refusal_says_which_rule_of_which_setting_and_what_is_allowed(org_url: str) -> None:
    assert [
        await refused_on_both(org_url, INSERT, deny_operations=("insert",)),
        await refused_on_both(org_url, USER, deny_objects=("Us*", "Group")),
        await refused_on_both(org_url, USER, allow_objects=("Account", "Contact")),
        await refused_on_both(org_url, USER, allow_objects=[f"O{number}" for number in range(20)]),
        await refused_on_both(org_url, INSERT | {"object": "ACCOUNT"}, allow_objects=("*",), deny_objects=("account",)),
    ] == snapshot(
        [
            "Jobs with the operation insert are refused here (--deny-operation insert).",
            "Jobs of User are refused here (--deny-object: Us*, Group).",
            "Jobs of User are refused here: jobs may be of Account, Contact alone (--allow-object).",
            "Jobs of User are refused here: jobs may be of O0, O1, O2, O3, O4, O5, O6, O7, O8, O9, O10, O11 and 8 more alone (--allow-object).",
            "Jobs of ACCOUNT are refused here (--deny-object: account).",
        ]
    )


@pytest.mark.parametrize("name", ["allow_objects", "deny_objects", "deny_fields"])
@pytest.mark.parametrize("pattern", ["", "Acc ount", "[A]ccount", "Account;User", "Account.OwnerId.x", "*'", "Ünder"])
def test_a_pattern_that_can_match_no_name_is_refused_at_the_start(name: str, pattern: str) -> None:
    with pytest.raises(BadSetting, match="expected"):
        load_settings({name: [pattern]}, {})


def test_the_policy_may_stand_in_the_table_of_an_org(tmp_path: Path) -> None:
    (file := tmp_path / "settings.toml").write_text(
        'max_job_rows = 5\n[orgs.a]\norg = "a"\n[orgs.b]\norg = "b"\nmax_job_rows = 9\ndeny_fields = ["OwnerId"]\n',
        encoding="utf-8",
    )
    told = [policy_of(load_settings({"org_name": name}, {}, file)) for name in ("a", "b")]
    assert [(policy.most_rows, policy.denied_fields) for policy in told] == [(5, ()), (9, ("OwnerId",))]


ROWS = "Name,OwnerId\nOne,\nTwo,\n"


async def bounded(org: WatchedOrg, csv: str, **settings: Any) -> tuple[str, str]:
    """What a tool is refused with that makes a job with these rows, and a tool that uploads them; no row has left."""
    async with agent(org.url, **settings) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        org.forget()
        made = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": csv})
        sent = await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"csv": csv})
        assert org.changes == []
        await call(client, "close-abort-ingest-job", jobId=job_id, body=ABORT)
    return made, sent


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_job_rows": 1}, "These are more rows than a job may have here: 1 at most (--max-job-rows)."),
        ({"max_job_bytes": 20}, "These are more bytes than a job may have here: 20 at most (--max-job-bytes)."),
        ({"deny_fields": ("ownerid",)}, "No row may write OwnerId here (--deny-field): leave the column out."),
        ({"deny_fields": ("Account.Own*",)}, "No row may write OwnerId here"),
    ],
)
async def test_rows_beyond_the_bounds_go_nowhere_through_the_tools(
    org: WatchedOrg, settings: dict[str, Any], reason: str
) -> None:
    for text in await bounded(org, ROWS, **settings):
        assert text.startswith("INSUFFICIENT_ACCESS: ") and reason in text


async def test_rows_within_the_bounds_are_loaded_through_both_surfaces(org_url: str) -> None:
    settings: dict[str, Any] = {
        "max_job_rows": 2,
        "max_job_bytes": 24,
        "deny_fields": ("Contact.OwnerId", "Phone"),
        "deny_objects": ["*__x"],
    }
    async with both_surfaces(org_url, **settings) as (client, rest):
        job = await call(client, "create-ingest-job", body=INSERT, data={"csv": ROWS})
        assert (await closed(client, job["id"]))["numberRecordsProcessed"] == 2
        job_id = (await rest.post("", json=INSERT)).json()["id"]
        csv = {"Content-Type": "text/csv"}
        assert (await rest.put(f"/{job_id}/batches", content=ROWS.encode(), headers=csv)).status_code == 201
        assert (await rest.patch(f"/{job_id}", json=CLOSE)).status_code == 200


async def test_the_key_of_an_upsert_is_not_written_and_neither_is_an_id(org_url: str) -> None:
    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    rows = {"csv": "External_Id__c,Name\nk,Acme\n"}
    async with agent(org_url, deny_fields=("Id", "Key__c", "External_Id__c")) as client:
        await call(client, "create-ingest-job", body=upsert, data=rows)
        assert "No row may write External_Id__c" in await refusal(client, "create-ingest-job", body=INSERT, data=rows)


async def test_rows_are_sent_unchecked_only_where_the_operator_allows_it(org: WatchedOrg) -> None:
    unchecked: dict[str, Any] = {"body": INSERT, "data": {"csv": "Name\nAcme\n"}, "preflight": "off"}
    async with agent(org.url, allow_preflight_off=False) as client:
        assert await refusal(client, "create-ingest-job", **unchecked) == snapshot("""\
INSUFFICIENT_ACCESS: preflight "off" is refused here: rows are checked before they are sent. The operator can allow it with --allow-preflight-off.
Next: Tell the user. Don't look for another way around.\
""")
        assert org.changes == []
        assert (await created(client, unchecked["data"]))["status"] == "uploaded"
    async with agent(org.url, allow_preflight_off=True) as client:
        assert (await call(client, "create-ingest-job", **unchecked))["status"] == "uploaded"


async def test_a_dry_run_says_what_the_policy_refuses_and_is_not_refused(org_url: str) -> None:
    async with agent(org_url, deny_objects=("Account",), max_job_rows=1, allow_preflight_off=False) as client:
        answer = await created(client, {"csv": "Name\nOne\nTwo\n"}, dryRun=True)
        assert (answer["status"], answer["findings"], answer["summary"], answer["next"]) == snapshot(
            (
                "checked",
                [
                    {
                        "level": "error",
                        "what": "Without dryRun this is refused. Jobs of Account are refused here (--deny-object: Account).",
                        "do": "Tell the user.",
                        "lines": [],
                        "count": 1,
                    }
                ],
                "No job was made. Checked 2 rows, 13 bytes: 1 error. Nothing was sent to embedded org.",
                "Tell the user. Don't look for another way around.",
            )
        )
        contact = {"object": "Contact", "operation": "insert"}
        told = [
            await created(client, {"csv": "LastName\nOne\nTwo\n"}, body=contact, dryRun=True),
            await created(client, {"csv": "LastName\nOne\n"}, body=contact, dryRun=True, preflight="off"),
            await created(client, {"csv": "LastName\nOne\n"}, body=contact, dryRun=True),
        ]
        assert [[finding["what"] for finding in one["findings"]] for one in told] == snapshot(
            [
                [
                    "Without dryRun this is refused. These are more rows than a job may have here: 1 at most (--max-job-rows)."
                ],
                [
                    'Without dryRun this is refused. preflight "off" is refused here: rows are checked before they are sent. The operator can allow it with --allow-preflight-off.'
                ],
                [],
            ]
        )


async def test_a_dry_run_for_a_job_says_what_is_refused_too(org_url: str) -> None:
    async with agent(org_url) as elsewhere:
        job_id = (await call(elsewhere, "create-ingest-job", body=INSERT))["id"]
    async with agent(org_url, deny_operations=("insert",)) as client:
        upload = {"jobId": job_id, "body": {"csv": "Name\nAcme\n"}}
        answer = await call(client, "upload-data-ingest-job", **upload, dryRun=True)
        assert "--deny-operation insert" in answer["findings"][0]["what"]
        assert "--deny-operation insert" in await refusal(client, "upload-data-ingest-job", **upload)


LONG = Policy(
    allowed_operations=frozenset({"delete"}),
    denied_operations=frozenset({"upsert"}),
    allowed_objects=("Account", "Contact", "Opportunity__c", "Case", "Task"),
    denied_objects=tuple(f"Object_{number}__c" for number in range(30)),
    denied_fields=("OwnerId", "Account.OwnerId", "*Secret*", "Phone"),
    most_rows=10_000,
    most_bytes=5_000_000,
    allows_preflight_off=True,
)


def test_the_policy_is_told_in_facts_and_in_few_words() -> None:
    assert LONG.describe() == snapshot(
        [
            ("policy", "read and write; refused operations: hardDelete, upsert"),
            ("allowed objects", "Account, Contact, Opportunity__c, Case, Task"),
            (
                "refused objects",
                "Object_0__c, Object_1__c, Object_2__c, Object_3__c, Object_4__c, Object_5__c, Object_6__c, Object_7__c, Object_8__c, Object_9__c, Object_10__c, Object_11__c, Object_12__c, Object_13__c, Object_14__c, Object_15__c, Object_16__c, Object_17__c, Object_18__c, Object_19__c, Object_20__c, Object_21__c, Object_22__c, Object_23__c, Object_24__c, Object_25__c, Object_26__c, Object_27__c, Object_28__c, Object_29__c",
            ),
            ("refused fields", "OwnerId, Account.OwnerId, *Secret*, Phone"),
            ("most of a job", "10,000 rows and 5,000,000 bytes"),
            ("preflight off", "allowed"),
        ]
    )
    assert (LONG.in_words(), Policy().in_words(), EVERYTHING_ALLOWED.in_words()) == snapshot(
        (
            " Refused here: operations hardDelete, upsert; objects Object_0__c, Object_1__c and 28 more; objects other than Account, Contact and 3 more; fields OwnerId, Account.OwnerId and 2 more; a job of more than 10,000 rows, 5,000,000 bytes.",
            " Refused here: operations delete, hardDelete.",
            "",
        )
    )
