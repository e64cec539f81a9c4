"""Versions, resources and limits."""

from pathlib import Path

from inline_snapshot import snapshot

from salesforce_emulator import USERNAME
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller, an_org


@doc("REST API guide, Versions: the form; Salesforce lists those before 41.0, too")
@own
def test_versions_are_listed_for_anyone(org: Caller) -> None:
    answer = org.http.get("/services/data", headers={"Authorization": "Bearer nonsense"})
    listed = answer.json()
    assert (listed[0]["version"], listed[-1]["version"], len(listed)) == ("41.0", "67.0", 27)
    assert listed[22] == {"label": "Spring '25", "url": "/services/data/v63.0", "version": "63.0"}


@doc("REST API guide, Limits: the form; Salesforce has more of them")
@assumed("the maxima of what is never used up")
def test_limits_have_a_maximum_and_what_remains(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        assert org.http.get(f"{DATA}/limits").json() == snapshot(
            {
                "DailyApiRequests": {"Max": 100000, "Remaining": 99999},
                "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
                "DailyAsyncApexExecutions": {"Max": 250000, "Remaining": 250000},
                "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
                "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
                "DataStorageMB": {"Max": 10240, "Remaining": 10240},
                "FileStorageMB": {"Max": 10240, "Remaining": 10240},
            }
        )


@doc("REST API guide, Resources by Version: the form; Salesforce has more of them")
@seen("the identity: jsforce, whose identity() reads it")
@own
def test_a_version_lists_its_resources(org: Caller) -> None:
    resources = org.http.get("/services/data/v63.0").json()
    assert org.http.get(resources.pop("identity")).json()["username"] == USERNAME
    assert resources == snapshot(
        {
            "jobs": "/services/data/v63.0/jobs",
            "limits": "/services/data/v63.0/limits",
            "query": "/services/data/v63.0/query",
            "queryAll": "/services/data/v63.0/queryAll",
            "sobjects": "/services/data/v63.0/sobjects",
        }
    )
