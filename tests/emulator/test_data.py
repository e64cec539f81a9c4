"""Versions, resources, limits and the list of jobs."""

import pytest
from inline_snapshot import snapshot

from tests.emulator.behaviours import doc
from tests.emulator.caller import Caller, an_org

DATA = "/services/data/v63.0"


@doc("REST API guide, Versions")
def test_versions_are_listed_for_anyone(org: Caller) -> None:
    answer = org.http.get("/services/data", headers={"Authorization": "Bearer nonsense"})
    listed = answer.json()
    assert (listed[0]["version"], listed[-1]["version"], len(listed)) == ("41.0", "67.0", 27)
    assert listed[22] == {"label": "Spring '25", "url": "/services/data/v63.0", "version": "63.0"}


@doc("REST API guide, Limits")
def test_limits_have_a_maximum_and_what_remains(org: Caller) -> None:
    limits = org.http.get(f"{DATA}/limits").json()
    assert limits["DailyBulkApiBatches"]["Max"] == 15_000
    assert 0 < limits["DailyApiRequests"]["Remaining"] < limits["DailyApiRequests"]["Max"]


@doc("REST API guide, Resources by Version")
def test_a_version_lists_its_resources(org: Caller) -> None:
    assert org.http.get("/services/data/v63.0").json() == snapshot(
        {
            "jobs": "/services/data/v63.0/jobs",
            "limits": "/services/data/v63.0/limits",
            "query": "/services/data/v63.0/query",
            "queryAll": "/services/data/v63.0/queryAll",
            "sobjects": "/services/data/v63.0/sobjects",
        }
    )


@doc("Bulk API 2.0 guide, Get Information About All Ingest Jobs")
def test_the_list_of_jobs_comes_in_pages_of_1000(tmp_path_factory: pytest.TempPathFactory) -> None:
    with an_org(tmp_path_factory.mktemp("many-jobs")) as org:
        made = {org.create() for _ in range(1001)}
        first = org.http.get(f"{DATA}/jobs/ingest").json()
        assert (len(first["records"]), first["done"]) == (1000, False)
        assert first["nextRecordsUrl"].startswith("/services/data/v63.0/jobs/ingest?queryLocator=01g")
        last = org.http.get(first["nextRecordsUrl"]).json()
        assert (len(last["records"]), last["done"], last["nextRecordsUrl"]) == (1, True, None)
        assert {job["id"] for job in first["records"] + last["records"]} == made
        bad = org.http.get(f"{DATA}/jobs/ingest?queryLocator=x")
        assert (bad.status_code, bad.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
