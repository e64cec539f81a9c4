"""Versions, resources and limits."""

from inline_snapshot import snapshot

from tests.emulator.behaviours import doc, own
from tests.emulator.caller import Caller

DATA = "/services/data/v63.0"


@doc("REST API guide, Versions: the form; Salesforce lists those before 41.0, too")
@own
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


@doc("REST API guide, Resources by Version: the form; Salesforce has more of them")
@own
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
