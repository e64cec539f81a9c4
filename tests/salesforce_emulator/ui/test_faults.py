"""The page of faults and requests."""

import re
from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import an_org
from tests.salesforce_emulator.ui.pages import look

STUCK = {"fault": "stuck-job"}


@own
def test_the_faults_in_force_are_shown_with_how_often_each_fired(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        assert "None. A plan comes into force with POST /emulator/faults." in look(org, "/faults").words
        org.go_wrong(
            {"fault": "unavailable", "on": "create", "every": 2, "after": 1, "times": 1, "probability": 1},
            {"fault": "latency", "on": "any", "seconds": 0.001, "probability": 0.25},
            STUCK,
        )
        for _ in range(3):
            org.http.post("/services/data/v63.0/jobs/ingest", json={})
        words = look(org, "/faults").words
        assert "3 rules, fired" in look(org, "/").words
    assert "unavailable create 1 in 2, after the first 1, once retryAfter 1 3 1" in words
    assert "latency any each, with a chance of 25% seconds 0.001" in words
    assert "stuck-job processing each 0 0" in words


@own
def test_requests_are_shown_newest_first_with_what_became_of_them(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        org.http.post("/services/data/v63.0/jobs/ingest", json={"object": "Nothing__c"})
        page = look(org, "/faults")
    assert re.search(r"No\. Time .* 2 .* create 400 .* 1 .* create 200 ", page.words)
    assert "POST /services/data/v63.0/jobs/ingest" in page.words
    assert page.links["create"] == f"/jobs/{job_id}"


@own
def test_older_requests_are_on_further_pages(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        for _ in range(41):
            org.http.get("/services/data")
        first = look(org, "/faults")
        second = look(org, first.links["Older requests"])
    assert "41 2" in first.words
    assert re.search(r"Client 1 \d{4}-", second.words)
    assert second.links["Newest requests"] == "/faults"
