"""What happens to every request: slashes, the count of calls, bodies that are read to their end."""

from collections.abc import Iterator

import httpx2

from tests.salesforce_emulator.behaviours import doc, own, seen
from tests.salesforce_emulator.caller import INGEST, Caller


@doc("Bulk API 2.0 guide, quick start: trailing slashes")
@seen("Data Loader posts to /jobs/ingest//")
def test_slashes_may_trail_and_double(org: Caller) -> None:
    job_id = org.create()
    assert org.http.get(f"/services/data/v63.0//jobs/ingest//{job_id}/").json()["id"] == job_id
    created = org.http.post("/services/data/v63.0/jobs/ingest//", json={"object": "Account", "operation": "insert"})
    assert created.status_code == 200


@doc("REST API guide, Limit Info Header")
def test_every_call_is_told_the_count_of_calls_but_not_the_one_for_versions(org: Caller) -> None:
    for answer in (org.http.get(INGEST), org.http.get("/services/data/v63.0/nowhere")):
        assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert "Sforce-Limit-Info" not in org.http.get("/services/data/").headers


@own
def test_a_caller_refused_in_mid_upload_still_gets_the_answer(org: Caller) -> None:
    """Without reading on, the connection would be reset and the 401 lost."""

    def body() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 65536

    headers = {"Authorization": "Bearer expired", "Content-Type": "text/csv"}
    with httpx2.Client(base_url=org.http.base_url) as fresh:
        answer = fresh.put(f"{INGEST}/{org.create()}/batches", content=body(), headers=headers)
    assert answer.status_code == 401
