"""A close has to pass the same rules on both surfaces."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import ACCESS_TOKEN
from tests.support.orgs import agent, both_surfaces, call, closed, refusal, services_of

DELETE = {"object": "Account", "operation": "delete"}
CLOSE = {"state": "UploadComplete"}


async def test_a_close_is_refused_in_the_same_words_on_both_surfaces(org_url: str) -> None:
    async with agent(org_url) as elsewhere:
        job_id = (await call(elsewhere, "create-ingest-job", body=DELETE))["id"]
    environ = {"SALESFORCE_INSTANCE_URL": org_url, "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN}
    async with services_of(load_settings({}, environ)) as services, Client(build_mcp(services, None)) as client:
        told = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        transport = httpx2.ASGITransport(build_rest(services.gateway))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost/v1") as caller:
            answer = await caller.patch(f"/jobs/ingest/{job_id}", json=CLOSE)
    assert answer.status_code == 403
    (error,) = answer.json()
    assert told.startswith(f"{error['errorCode']}: {error['message']}\n")


INSERT = {"object": "Account", "operation": "insert"}
CSV = {"Content-Type": "text/csv"}


@pytest.mark.parametrize("bound", [{"max_job_rows": 5}, {"max_job_bytes": 500}, {"deny_fields": ("Phone",)}])
async def test_under_a_bound_a_job_whose_upload_this_server_did_not_count_is_closed_on_neither_surface(
    org_url: str, bound: dict[str, Any]
) -> None:
    async with both_surfaces(org_url, **bound) as (client, rest), both_surfaces(org_url) as (elsewhere, rest_elsewhere):
        filled = (await call(elsewhere, "create-ingest-job", body=INSERT, data={"csv": "Name\nAcme\n"}))["id"]
        streamed, empty = [(await rest_elsewhere.post("", json=INSERT)).json()["id"] for _ in range(2)]
        await rest_elsewhere.put(f"/{streamed}/batches", content=b"Name\nAcme\n", headers=CSV)
        for job_id in (filled, streamed, empty):
            told = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
            assert "did not count the rows of the upload to this job" in told
            assert (await rest.patch(f"/{job_id}", json=CLOSE)).status_code == 403
            assert (await rest_elsewhere.get(f"/{job_id}")).json()["state"] == "Open"
            assert (await rest.patch(f"/{job_id}", json={"state": "Aborted"})).status_code == 200


async def test_an_upload_from_before_the_bound_is_held_to_it_at_the_close(org_url: str, tmp_path: Path) -> None:
    async def made(rows: str) -> str:
        async with agent(org_url, folder=tmp_path) as client:
            return str((await call(client, "create-ingest-job", body=INSERT, data={"csv": rows}))["id"])

    many, few, with_phone = [await made(rows) for rows in ("Name\na1\na2\na3\n", "Name\nb\n", "Name,Phone\nc,1\n")]
    async with agent(org_url, folder=tmp_path, max_job_rows=2, deny_fields=("Phone",)) as client:
        for job_id, reason in ((many, "--max-job-rows"), (with_phone, "--deny-field")):
            assert reason in await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert (await closed(client, few))["numberRecordsProcessed"] == 1
