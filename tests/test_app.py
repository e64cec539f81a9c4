"""The main job over the transports that hosts use: a real stdio process, and MCP over HTTP on a real port."""

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_bulk_ingest.app.ports import Addresses, running
from salesforce_bulk_ingest.settings import Settings
from tests.support.commands import fresh_environ, run
from tests.support.orgs import ERAS, Era, call, emulator, paths_in, refusal
from tests.support.plain_http import plain_http

TOKEN = "00D000000000001!EMULATOR.ACCESS.TOKEN"
SAMPLE = files("salesforce_bulk_ingest").joinpath("sample", "contacts.csv").read_text(encoding="utf-8")
SAMPLE_CAUSES = {
    "REQUIRED_FIELD_MISSING": 4,
    "INVALID_FIELD": 3,
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


async def test_rows_that_went_through_v1_are_not_followed_by_others_from_a_tool() -> None:
    async with served() as addresses, Client(addresses.mcp_url) as client, plain_http() as http:
        job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        url = f"{addresses.rest_url}/jobs/ingest/{job['id']}/batches"
        assert (await http.put(url, content=b"Name\nAcme\n", headers={"Content-Type": "text/csv"})).status_code == 201
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": "Name\nOther\n"})
        assert "already has other rows" in text
        closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        assert (await call(client, "close-abort-ingest-job", **closing))["numberRecordsProcessed"] == 1


def test_a_start_imports_neither_the_embedded_org_nor_what_reads_jwts_or_guesses_encodings(tmp_path: Path) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "salesforce_bulk_ingest")
    done = run(fresh_environ(tmp_path), "stdio", program=program)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0 and {"salesforce_bulk_ingest.app.stdio", "mcp", "salesforce_emulator"} <= imported
    unneeded = {"jwt", "yaml", "charset_normalizer", "salesforce_emulator.app", "salesforce_emulator.org"}
    assert not unneeded & imported
