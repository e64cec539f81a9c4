"""A close has to pass the same rules on both surfaces."""

import httpx2
from mcp import Client

from salesforce_bulk_ingest.app import build_mcp
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import ACCESS_TOKEN
from tests.support.orgs import agent, call, refusal, services_of

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
