"""Every error says what is wrong and what to do next, and none of them holds the token."""

import errno
import re
from functools import partial
from pathlib import Path

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.settings import Settings
from salesforce_bulk_ingest.settings_sources import load_settings
from tests.support.asgi_server import running
from tests.support.next_call import next_call, next_line
from tests.support.orgs import (
    ERAS,
    UNKNOWN_JOB,
    Era,
    agent,
    call,
    loaded,
    paths_in,
    refusal,
    services_of,
    steady,
)
from tests.support.wire import pass_lifespan

INSERT = {"object": "Account", "operation": "insert"}


async def refused_by(settings: Settings, tool: str = "get-ingest-job-status", **arguments: object) -> list[str]:
    """What a call on a server with these settings, and no embedded org, is refused with."""
    async with services_of(settings) as services, Client(build_mcp(services, None)) as client:
        text = await refusal(client, tool, **(arguments or {"jobId": UNKNOWN_JOB}))
        return str(steady(text)).splitlines()


def pointed_at(url: str, token: str = "A.TOKEN") -> Settings:
    return load_settings({}, {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": token})


async def test_without_credentials_a_call_says_what_to_set() -> None:
    lines = await refused_by(Settings())
    lines[0] = re.sub(r"in /\S+/settings.toml", "in FILE", lines[0])
    assert lines == snapshot(
        [
            "SERVER_UNAVAILABLE: No Salesforce org is configured. Log in with `salesforce-bulk-ingest login`, or set SALESFORCE_ORG (a login of the Salesforce CLI), or SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (a token); in FILE these are org, instance and access_token. docs/credentials.md has every way; --emulator tries it without an org.",
            "Next: Tell the user; nothing can be loaded until then.",
        ]
    )


async def test_with_half_of_the_credentials_a_call_says_which_half_is_missing() -> None:
    only_token = await refused_by(load_settings({}, {"SALESFORCE_AUTOMATION_API_KEY": "A.TOKEN"}))
    only_instance = await refused_by(load_settings({}, {"SALESFORCE_INSTANCE": "acme.my"}))
    assert (only_token[0][:80], only_instance[0][:80]) == snapshot(
        (
            "SERVER_UNAVAILABLE: There is an access token but no instance. Log in with `sales",
            "SERVER_UNAVAILABLE: There is an instance but no login. Log in with `salesforce-b",
        )
    )


async def test_an_expired_session_says_where_to_put_a_new_token(org_url: str) -> None:
    lines = await refused_by(pointed_at(org_url, "00D000000000001!EXPIRED.TOKEN"))
    assert lines == snapshot(
        [
            'INVALID_SESSION_ID: "Session expired or invalid"',
            "Next: The access token is expired or wrong. Ask the user to put a new one into settings.toml, which is read again (one in SALESFORCE_AUTOMATION_API_KEY needs a restart of this server), or to log in again with the Salesforce CLI. Jobs and their data are untouched.",
        ]
    )


async def test_an_unreachable_instance_is_named() -> None:
    assert await refused_by(pointed_at("http://127.0.0.1:9")) == snapshot(
        [
            "SERVER_UNAVAILABLE: 127.0.0.1:PORT could not be reached: All connection attempts failed.",
            'Next: get-ingest-job-status {"jobId": "JOB"} reads again. Check the network and the instance name.',
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_change_of_which_nothing_was_sent_is_not_said_to_have_an_unknown_effect(era: Era) -> None:
    async with agent("http://127.0.0.1:9", era=era) as client:
        create = await refusal(client, "create-ingest-job", body=INSERT)
        close = await refusal(client, "close-abort-ingest-job", jobId=UNKNOWN_JOB, body={"state": "Aborted"})
    assert [steady(text).splitlines()[1] for text in (create, close)] == snapshot(
        [
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}} is the same call, and safe: nothing was sent. Check the network and the instance name.',
            'Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} is the same call, and safe: nothing was sent. Check the network and the instance name.',
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_lacks_a_descriptor_says_that_nothing_was_sent_and_is_to_be_made_again(
    era: Era, tmp_path: Path
) -> None:
    def without_descriptors(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("All connection attempts failed") from OSError(errno.EMFILE, "Too many open files")

    transport = httpx2.MockTransport(without_descriptors)
    org = pointed_at("https://acme.my.salesforce.com")
    async with (
        open_services(org, paths_in(tmp_path), transport=transport) as services,
        Client(build_mcp(services, None), mode=era) as client,
    ):
        text = await refusal(client, "create-ingest-job", body=INSERT)
    assert steady(text).splitlines() == snapshot(
        [
            "SERVER_UNAVAILABLE: Nothing was sent to acme.my.salesforce.com: this server has too many files open. Make fewer calls at once, or raise the limit of open files (ulimit -n).",
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}} is the same call, and safe.',
        ]
    )


async def test_the_same_upload_again_sends_nothing_and_another_is_refused(client: Client) -> None:
    job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nAcme\n"})
    again = await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nAcme\n"})
    assert again["status"] == "already uploaded"
    other = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nOther\n"})
    assert steady(other) == snapshot("""\
INVALIDJOBSTATE: This job already has other rows, and Salesforce takes rows once for each job.
Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops this job, if the rows must go in (nothing is loaded then); then create a new one and upload there.\
""")
    await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
    assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["numberRecordsProcessed"] == 1


async def test_rows_that_a_job_has_not_lead_to_its_status(client: Client) -> None:
    by_key = partial(loaded, client, operation="upsert", externalIdFieldName="External_Id__c")
    first = await by_key("External_Id__c,Name\nAll-1,One\n")
    second = await by_key("External_Id__c,Name\nAll-1,Two\n")
    told = [
        await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [first]}}),
        await refusal(
            client,
            "create-ingest-job",
            body={"object": "Account", "operation": "delete"},
            data={"rowsOf": {"jobs": [second], "which": ["created"]}},
        ),
    ]
    assert [text.replace(first, "750A").replace(second, "750B").splitlines() for text in told] == snapshot(
        [
            [
                "INVALID_ARGUMENT: These jobs have no failed, unprocessed or missing rows, so there is nothing to send again.",
                'Next: get-ingest-job-status {"jobId": "750A"} shows what became of its rows, and what undoes it, if anything does: no row is left to send.',
            ],
            [
                "INVALID_ARGUMENT: These jobs created no records, so there are no ids of new records to send.",
                'Next: get-ingest-job-status {"jobId": "750B"} shows what became of its rows, and what undoes it, if anything does: no row is left to send.',
            ],
        ]
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"match": "updateOnly"}, {}),
        ({"changedOnly": True, "only": ["Name"]}, {"only": ["Name"]}),
        ({"set": {"Name": "A"}, "formats": {"Name": "Ja/Nein", "Sic": "1.234,5"}}, {"set": {"Name": "A"}, "formats": {"Sic": "1.234,5"}}),
    ],
)  # fmt: skip
async def test_what_is_to_be_left_out_is_not_in_the_next_call(
    client: Client, wrong: dict[str, object], right: dict[str, object]
) -> None:
    text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name,Sic\nLeft out,1\n", **wrong})
    assert "leave it out" in text
    assert next_call(next_line(text)) == (
        "create-ingest-job",
        {"body": INSERT, "data": {"csv": "<the same rows>", **right}},
    )


async def test_the_job_that_is_not_there_is_named_among_several(client: Client) -> None:
    job = await loaded(client, "Name\nIs there\n")
    jobs = {"rowsOf": {"jobs": [job, UNKNOWN_JOB]}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=jobs)
    assert text.splitlines() == snapshot(
        [
            'NOT_FOUND: There is no job 750000000000001 (any more): "The requested resource does not exist"',
            "Next: list-all-ingest-jobs {} shows the current jobs: check the id. Salesforce removes jobs after 7 days.",
        ]
    )


async def test_an_upload_to_a_closed_job_is_refused_before_anything_is_sent(client: Client) -> None:
    job_id = await loaded(client, "Name\nAcme\n")
    aborted = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
    await call(client, "close-abort-ingest-job", jobId=aborted["id"], body={"state": "Aborted"})
    text = await refusal(client, "upload-data-ingest-job", jobId=aborted["id"], body={"csv": "Name\nAcme\n"})
    assert steady(text).splitlines() == snapshot(
        [
            "INVALIDJOBSTATE: The job is Aborted; it takes rows only while it is Open.",
            'Next: get-ingest-job-status {"jobId": "JOB"} shows the job\'s state and what is possible next.',
        ]
    )
    late = await refusal(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
    assert steady(late).splitlines() == snapshot(
        [
            "INVALIDJOBSTATE: The job is JobComplete: it ended before it was aborted, and rows that it loaded stay in the org.",
            'Next: get-ingest-job-status {"jobId": "JOB"} shows the job\'s state and what is possible next.',
        ]
    )


@pytest.mark.parametrize(
    "name", ["contents for job.csv", "not terminated.csv", "query locator.csv", "is not supported by the Bulk API.csv"]
)
async def test_what_a_caller_names_chooses_no_advice(client: Client, name: str) -> None:
    text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": name})
    other = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "other.csv"})
    assert text.replace(name, "other.csv") == other


def org_with_several_uploads(status: int) -> ASGIApp:
    """An org that refuses every call with this status, and with the message about several uploads to a job."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await pass_lifespan(receive, send)
            return
        if scope["method"] == "GET" and status == 400:
            await JSONResponse({"id": UNKNOWN_JOB, "state": "Open", "operation": "insert"})(scope, receive, send)
            return
        error = [{"errorCode": "INVALIDJOB", "message": "Found multipe contents for job: <750>"}]
        await JSONResponse(error, status, {"Retry-After": "99"})(scope, receive, send)

    return answer


async def test_a_job_with_several_uploads_is_to_be_dropped_when_it_is_closed() -> None:
    closing = {"jobId": UNKNOWN_JOB, "body": {"state": "UploadComplete"}}
    with running(org_with_several_uploads(400)) as url:
        lines = await refused_by(pointed_at(url), "close-abort-ingest-job", **closing)
    assert lines[1].startswith(
        'Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "Aborted"}} drops the job: rows were sent twice'
    )


@pytest.mark.parametrize("status", [401, 404, 429, 503])
async def test_what_an_org_writes_chooses_no_advice_where_the_status_says_what_is_wrong(status: int) -> None:
    with running(org_with_several_uploads(status)) as url:
        lines = await refused_by(
            pointed_at(url), "upload-data-ingest-job", jobId=UNKNOWN_JOB, body={"csv": "Name\nx\n"}
        )
    assert "contents for job" in lines[0] and "Aborted" not in "".join(lines)
