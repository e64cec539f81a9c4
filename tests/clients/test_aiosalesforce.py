"""aiosalesforce, which signs in by itself and works with many jobs at once."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow, JwtBearerFlow, SoapLogin
from aiosalesforce.exceptions import AuthenticationError, NotFoundError, SalesforceError
from inline_snapshot import snapshot

from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.clients.orgs import AWKWARD, AppKey, asked_for, faults_met, meet, named, stored
from tests.salesforce_emulator.caller import Caller

QUICKLY = 0.01

Records = list[dict[str, Any]]


def to_loopback(org: Caller) -> httpx.AsyncClient:
    """The client only knows https://NAME.my.salesforce.com; its requests go to the org on this machine."""

    async def redirect(request: httpx.Request) -> None:
        here = httpx.URL(str(org.http.base_url))
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)

    return httpx.AsyncClient(event_hooks={"request": [redirect]}, trust_env=False)


@pytest.fixture
async def salesforce(org: Caller) -> AsyncIterator[Salesforce]:
    async with to_loopback(org) as http:
        yield Salesforce(http, "https://acme.my.salesforce.com", ClientCredentialsFlow(CLIENT_ID, CLIENT_SECRET))


# Signing in


async def test_the_wrong_secret_is_raised_as_what_the_org_says(org: Caller) -> None:
    async with to_loopback(org) as http:
        client = Salesforce(http, "https://acme.my.salesforce.com", ClientCredentialsFlow(CLIENT_ID, "guess"))
        with pytest.raises(AuthenticationError) as raised:
            await client.get_limits()
    assert str(raised.value) == snapshot("[invalid_client] invalid client credentials")


@pytest.mark.parametrize("way", ["JWT", "SOAP"])
async def test_an_app_signs_in_with_its_key_and_a_user_with_a_password(org: Caller, app_key: AppKey, way: str) -> None:
    async with to_loopback(org) as http:
        key = JwtBearerFlow(CLIENT_ID, USERNAME, app_key.file)
        flow = key if way == "JWT" else SoapLogin(USERNAME, PASSWORD, "any token")
        limits = await Salesforce(http, "https://acme.my.salesforce.com", flow).get_limits()
    assert limits["DailyApiRequests"]["Max"] > 0


async def test_a_session_that_ends_in_mid_job_is_renewed(org: Caller, salesforce: Salesforce) -> None:
    meet(org, on="upload", fault="expired-session")
    await perform(salesforce, "insert", [{"Name": "one"}])
    assert (stored(org, "Name"), faults_met(org)) == ([("one",)], 1)
    assert (asked_for(org, "token"), asked_for(org, "upload")) == ([200, 200], [401, 201])


# Loading


async def perform(
    salesforce: Salesforce, operation: str, records: Records, sobject: str = "Account", **more: str
) -> Records:
    """One job whose rows all have to succeed, and its successes."""
    results = salesforce.bulk_v2.ingest.perform_operation(operation, sobject, records, polling_interval=QUICKLY, **more)
    (result,) = [each async for each in results]
    assert (result.failed_results, result.unprocessed_records) == ([], [])
    successes: Records = result.successful_results
    return successes


async def test_inserted_records_are_stored_cell_by_cell(org: Caller, salesforce: Salesforce) -> None:
    """In the way that its documentation begins with; it looks every five seconds."""
    records = [{"Name": name, "Description": cell} for name, cell in AWKWARD.items()]
    result = await salesforce.bulk_v2.insert("Account", records)
    assert stored(org, "Name", "Description") == sorted(AWKWARD.items())
    assert [job.state for job in result.jobs] == ["JobComplete"]
    assert (result.failed_results, result.unprocessed_records) == ([], [])


async def test_values_of_python_arrive_as_their_types(org: Caller, salesforce: Salesforce) -> None:
    when = datetime(2025, 3, 4, 9, 15, 27, tzinfo=UTC)
    task = {"Subject": "Call", "ActivityDate": date(2025, 3, 4), "IsReminderSet": True, "ReminderDateTime": when}
    opportunity = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": date(2025, 3, 4), "Amount": 1234.5}
    await perform(salesforce, "insert", [task], "Task")
    await perform(salesforce, "insert", [opportunity], "Opportunity")
    assert stored(org, "ActivityDate", "IsReminderSet", "ReminderDateTime", object_="Task") == [
        ("2025-03-04", True, "2025-03-04T09:15:27.000+0000")
    ]
    assert stored(org, "CloseDate", "Amount", object_="Opportunity") == [("2025-03-04", 1234.5)]


async def test_records_change_through_their_whole_life(org: Caller, salesforce: Salesforce) -> None:
    first, second, third = named(org, "first", "second", "third")
    await perform(salesforce, "update", [{"Id": first, "Site": "HQ", "External_Id__c": "A"}])
    records = [{"External_Id__c": "A", "Phone": "1"}, {"External_Id__c": "B", "Phone": "2", "Name": "other"}]
    upserted = await perform(
        salesforce, "upsert", [{"Name": "first"} | each for each in records], external_id_field="External_Id__c"
    )
    assert {row["External_Id__c"]: row["sf__Created"] for row in upserted} == {"A": "false", "B": "true"}
    await perform(salesforce, "delete", [{"Id": second}])
    await perform(salesforce, "hardDelete", [{"Id": third}])
    assert stored(org, "Name", "Site", "Phone") == [("first", "HQ", "1"), ("other", None, "2")]


async def test_many_jobs_run_at_once(org: Caller, salesforce: Salesforce) -> None:
    records = [{"Name": f"account {number:04}"} for number in range(1000)]
    results = salesforce.bulk_v2.ingest.perform_operation(
        "insert", "Account", records, max_records=50, polling_interval=QUICKLY
    )
    counts = [len(result.successful_results) async for result in results]
    assert counts == [50] * 20
    assert stored(org, "Name") == [(record["Name"],) for record in records]


async def test_a_server_that_is_away_for_a_moment_is_asked_again(org: Caller, salesforce: Salesforce) -> None:
    meet(org, on="upload", fault="unavailable", times=2)
    await perform(salesforce, "insert", [{"Name": "one"}])
    assert (stored(org, "Name"), asked_for(org, "upload")) == ([("one",)], [503, 503, 201])


async def test_failed_rows_come_with_their_reasons(salesforce: Salesforce) -> None:
    results = salesforce.bulk_v2.ingest.perform_operation(
        "insert", "Contact", [{"LastName": "Ngata"}, {"LastName": "", "Email": "a@b.example"}], polling_interval=QUICKLY
    )
    (result,) = [each async for each in results]
    assert [row["LastName"] for row in result.successful_results] == ["Ngata"]
    assert result.failed_results == snapshot(
        [
            {
                "sf__Id": "",
                "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
                "LastName": "",
                "Email": "a@b.example",
            }
        ]
    )


# Jobs, one step at a time


async def test_a_job_lives_and_is_deleted(org: Caller, salesforce: Salesforce) -> None:
    ingest = salesforce.bulk_v2.ingest
    job = await ingest.create_job("insert", "Case", assignment_rule_id="01Q000000000001EAA")
    assert (job.state, job.object, job.api_version, job.column_delimiter) == ("Open", "Case", 60.0, "COMMA")
    assert (datetime.now(UTC) - job.created_date) < timedelta(minutes=5)
    closed = await ingest.upload_job_data(job.id, b"Subject\nIt is broken\n")
    assert closed.state == "UploadComplete"
    assert org.until(job.id)["state"] == "JobComplete"
    await ingest.delete_job(job.id)
    with pytest.raises(NotFoundError):
        await ingest.get_job(job.id)


async def test_an_aborted_job_takes_no_data(salesforce: Salesforce) -> None:
    ingest = salesforce.bulk_v2.ingest
    job = await ingest.create_job("insert", "Account")
    assert (await ingest.abort_job(job.id)).state == "Aborted"
    with pytest.raises(SalesforceError) as raised:
        await ingest.upload_job_data(job.id, b"Name\nx\n")
    assert raised.value.error_code == "INVALIDJOBSTATE"


async def test_jobs_are_listed_page_by_page(salesforce: Salesforce) -> None:
    ingest = salesforce.bulk_v2.ingest
    created = [(await ingest.create_job("insert", "Account")).id for _ in range(1001)]
    listed = [job.id async for job in ingest.list_jobs()]
    assert sorted(listed) == sorted(created)
    assert [job async for job in ingest.list_jobs(is_pk_chunking_enabled=True)] == []


# Queries


async def test_a_query_is_followed_page_by_page(org: Caller, salesforce: Salesforce) -> None:
    names = [f"account {number:04}" for number in range(2500)]
    org.load("\n".join(["Name", *names, ""]))
    assert sorted([record["Name"] async for record in salesforce.query("SELECT Name FROM Account")]) == names


async def test_a_query_of_all_records_finds_the_deleted(org: Caller, salesforce: Salesforce) -> None:
    (gone, _) = named(org, "gone", "there")
    org.load(f"Id\n{gone}\n", operation="delete")
    everything = salesforce.query("SELECT Name, IsDeleted FROM Account", include_all_records=True)
    assert sorted([(each["Name"], each["IsDeleted"]) async for each in everything]) == [
        ("gone", True),
        ("there", False),
    ]
