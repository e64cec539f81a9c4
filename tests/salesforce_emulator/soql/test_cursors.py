"""Pages of long query results."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller, an_org


@doc("REST API guide, Query More Results")
def test_long_answers_come_in_pages_of_2000(org: Caller) -> None:
    org.load("Name,Site\n" + "".join(f"{number:04},paged\n" for number in range(4500)))
    found = org.pages(org.query("SELECT Name FROM Account WHERE Site = 'paged' ORDER BY Name DESC"))
    assert [len(page["records"]) for page in found] == [2000, 2000, 500]
    assert {page["totalSize"] for page in found} == {4500}
    assert [record["Name"] for page in found for record in page["records"]] == [f"{n:04}" for n in range(4499, -1, -1)]
    assert "nextRecordsUrl" not in found[-1]


@doc("REST API guide, Query Options Header")
@pytest.mark.parametrize(("asked", "given"), [("batchSize=200", 200), ("batchSize=1", 200), ("batchSize=9999", 250)])
def test_a_caller_may_ask_for_smaller_pages(org: Caller, asked: str, given: int) -> None:
    site = uuid4().hex
    org.load("Name,Site\n" + "".join(f"{number},{site}\n" for number in range(250)))
    headers = {"Sforce-Query-Options": asked}
    soql = f"SELECT Name FROM Account WHERE Site = '{site}'"
    answer = org.http.get(f"{DATA}/query", params={"q": soql}, headers=headers).json()
    assert [len(page["records"]) for page in org.pages(answer)] == [given, *[250 - given] * (given < 250)]


@doc("REST API guide, Query More Results")
def test_a_locator_can_be_followed_for_two_days(tmp_path: Path) -> None:
    now = datetime(2025, 3, 20, tzinfo=UTC)
    with an_org(tmp_path, clock=lambda: now) as org:
        org.load("Name\n" + "x\n" * 201)
        headers = {"Sforce-Query-Options": "batchSize=200"}
        answer = org.http.get(f"{DATA}/query", params={"q": "SELECT Id FROM Account"}, headers=headers).json()
        now += timedelta(days=2)
        assert len(org.http.get(answer["nextRecordsUrl"]).json()["records"]) == 1
        now += timedelta(seconds=1)
        assert org.http.get(answer["nextRecordsUrl"]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@doc("SOAP API guide, queryMore(): 10 open cursors for each user, of which the oldest is released")
@assumed("that it holds of REST, too")
def test_the_pages_of_the_ten_newest_queries_can_be_followed(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.load("Name\n" + "x\n" * 201)
        headers = {"Sforce-Query-Options": "batchSize=200"}
        soql = {"q": "SELECT Id FROM Account"}
        urls = [org.http.get(f"{DATA}/query", params=soql, headers=headers).json()["nextRecordsUrl"] for _ in range(11)]
        assert org.http.get(urls[0]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
        assert [len(org.http.get(url).json()["records"]) for url in urls[1:]] == [1] * 10


@own
def test_pages_stay_what_they_are_while_records_come_and_change(org: Caller) -> None:
    job = org.load("Name,Site\n" + "".join(f"{number:04},stable\n" for number in range(2001)))
    ids = {row["Name"]: row["sf__Id"] for row in org.succeeded(job)}
    first = org.query("SELECT Name FROM Account WHERE Site = 'stable' ORDER BY Name")
    org.load("Name,Site\n0000,stable\n")
    org.load(f"Id,Site\n{ids['0001']},moved\n", operation="update")
    assert [record["Name"] for record in org.http.get(first["nextRecordsUrl"]).json()["records"]] == ["2000"]


@seen("query results of the platform")
@pytest.mark.parametrize("locator", ["01gEm0000099999-2000", "x", "01gEm0000000001-99999999"])
def test_a_locator_that_leads_nowhere_is_refused(org: Caller, locator: str) -> None:
    answer = org.http.get(f"{DATA}/query/{locator}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
