"""The main job over the transports that hosts use: a real stdio process, and MCP over HTTP on a real port."""

import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_bulk_ingest.app import Addresses, EmbeddedOrg, open_services, running
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import ERAS, Era, call, emulator, paths_in, refusal
from tests.support.plain_http import plain_http

TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"
SAMPLE = files("salesforce_bulk_ingest").joinpath("sample", "contacts.csv").read_text(encoding="utf-8")
SAMPLE_CAUSES = {
    "REQUIRED_FIELD_MISSING": 4,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": 3,
    "INVALID_EMAIL_ADDRESS": 2,
    "DUPLICATE_VALUE": 1,
    "STRING_TOO_LONG": 1,
}
CONTACTS = {"object": "Contact", "operation": "insert"}


@asynccontextmanager
async def served(**settings: object) -> AsyncIterator[Addresses]:
    chosen = Settings.model_validate({"emulator": True, "mcp_port": 0, "rest_port": 0, **settings})
    with tempfile.TemporaryDirectory() as folder:
        async with running(chosen, paths_in(Path(folder))) as addresses:
            yield addresses


async def sample_loads(client: Client, rows: dict[str, str]) -> str:
    job = await call(client, "create-ingest-job", body=CONTACTS)
    await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
    closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    closed = await call(client, "close-abort-ingest-job", **closing)
    assert (closed["numberRecordsProcessed"], closed["numberRecordsFailed"]) == (240, 11)
    failed = await call(client, "get-failed-results-ingest-job", jobId=job["id"])
    assert {cause["statusCode"]: cause["count"] for cause in failed["causes"]} == SAMPLE_CAUSES
    return str(job["id"])


async def count(org_url: str, sobject: str) -> int:
    async with plain_http() as http:
        answer = await http.get(
            f"{org_url}/services/data/v63.0/query",
            params={"q": f"SELECT COUNT() FROM {sobject}"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
    total: int = answer.raise_for_status().json()["totalSize"]
    return total


@pytest.mark.parametrize("era", ERAS)
async def test_a_sample_loads_through_mcp_over_http_and_reads_the_same_through_v1(era: Era) -> None:
    async with served() as addresses, Client(addresses.mcp_url, mode=era) as client:
        job_id = await sample_loads(client, {"csv": SAMPLE})
        assert addresses.org_url is not None and await count(addresses.org_url, "Contact") == 229
        async with plain_http() as http:
            job = (await http.get(f"{addresses.rest_url}/jobs/ingest/{job_id}")).json()
            page = await call(client, "get-successful-results-ingest-job", jobId=job_id)
            result = await http.get(page["restUrl"])
        assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 11)
        assert result.status_code == 200 and result.text.startswith('"sf__Id","sf__Created",External_Id__c,FirstName')


@pytest.mark.parametrize("era", [ERAS[0], pytest.param(ERAS[1], marks=pytest.mark.slow)])
async def test_a_file_of_the_folder_that_a_stdio_process_runs_in_loads(era: Era, tmp_path: Path) -> None:
    (project := tmp_path / "project").mkdir()
    (project / "contacts.csv").write_text(SAMPLE, encoding="utf-8")
    with emulator(tmp_path / "org") as org_url:
        # Hosts pass a handful of variables on and no more.
        environ = {
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path),
            "SALESFORCE_INSTANCE_URL": org_url,
            "SALESFORCE_AUTOMATION_API_KEY": TOKEN,
        }
        process = StdioServerParameters(
            command=sys.executable, args=["-m", "salesforce_bulk_ingest", "stdio"], env=environ, cwd=project
        )
        async with Client(stdio_client(process), mode=era) as client:
            job_id = await sample_loads(client, {"file": "contacts.csv"})
            for rows in ({"file": "contacts.csv"}, {"csv": SAMPLE}):
                again = await call(client, "upload-data-ingest-job", jobId=job_id, body=rows)
                assert again["status"] == "already uploaded"
            elsewhere = {"body": CONTACTS, "data": {"file": str(tmp_path / "other.csv")}}
            text = await refusal(client, "create-ingest-job", **elsewhere)
            assert "curl -T FILE.csv" in text and "salesforce-bulk-ingest serve" in text
        assert await count(org_url, "Contact") == 229


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


async def test_4_mb_of_rows_pass_through_the_http_port_however_they_are_escaped() -> None:
    rows = "Name,Description\n" + ('"Acme","' + '""\t' * 30_000 + '"\n') * 44
    assert 3_900_000 < len(rows.encode()) < 4_000_000 and len(json.dumps(rows)) > 4 * 1024 * 1024
    async with served() as addresses, Client(addresses.mcp_url) as client:
        job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        assert (await call(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": rows}))["bytes"] == len(rows)
        over = {"jobId": job["id"], "body": {"csv": rows + "x" * 200_000}}
        assert "over 4,000,000 bytes" in await refusal(client, "upload-data-ingest-job", **over)


CALLERS: list[tuple[dict[str, str], int]] = [
    ({"Host": "evil.example:9090"}, 421),
    ({"Host": "localhost:80@evil.example"}, 421),
    ({"Host": "localhost:evil"}, 421),
    ({"Host": "LOCALHOST:1"}, 200),
    ({"Origin": "http://localhost:port"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "http://localhost:5173"}, 200),
    ({}, 200),
]


async def test_every_port_checks_host_and_origin() -> None:
    implementation = {"name": "test", "version": "1"}
    parameters = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": implementation}
    initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    accept = {"Accept": "application/json, text/event-stream"}
    async with served() as addresses, plain_http() as http:
        assert addresses.org_url is not None
        for headers, status in CALLERS:
            rest = await http.get(f"{addresses.rest_url}/jobs/ingest", headers=headers)
            org = await http.get(f"{addresses.org_url}/services/data", headers=headers)
            mcp = await http.post(addresses.mcp_url, json=initialize, headers={**accept, **headers})
            assert (rest.status_code, org.status_code, mcp.status_code) == (status, status, status), headers


async def test_read_only_holds_on_both_ports() -> None:
    async with served(read_only=True) as addresses, Client(addresses.mcp_url) as client, plain_http() as http:
        assert len((await client.list_tools()).tools) == 5
        insert = {"object": "Account", "operation": "insert"}
        refused = await http.post(f"{addresses.rest_url}/jobs/ingest", json=insert)
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 200


async def test_rows_that_went_through_v1_are_not_followed_by_others_from_a_tool() -> None:
    async with served() as addresses, Client(addresses.mcp_url) as client, plain_http() as http:
        job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        url = f"{addresses.rest_url}/jobs/ingest/{job['id']}/batches"
        assert (await http.put(url, content=b"Name\nAcme\n", headers={"Content-Type": "text/csv"})).status_code == 201
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nOther\n"})
        assert "already has other rows" in text
        closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        assert (await call(client, "close-abort-ingest-job", **closing))["numberRecordsProcessed"] == 1


async def test_an_embedded_org_is_never_elsewhere(tmp_path: Path) -> None:
    elsewhere = EmbeddedOrg("https://acme.my.salesforce.com", tmp_path)
    with pytest.raises(ValueError, match="on this machine"):
        await open_services(Settings(emulator=True), paths_in(tmp_path), elsewhere).__aenter__()
