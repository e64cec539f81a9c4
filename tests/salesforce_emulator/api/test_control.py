"""Controlling the org: the plan of faults in force, and the journal."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import FAULTS, INGEST, JOURNAL, Caller, an_org
from tests.salesforce_emulator.faults.observations import entries, newest, statuses


@pytest.fixture
def org(org: Caller) -> Iterator[Caller]:
    """The shared org, in which no fault is in force before the test, nor after it."""
    yield org
    org.go_right()


@own
def test_a_plan_is_shown_with_how_often_its_rules_matched_and_fired(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "unavailable", "retryAfter": 3, "after": 1}, {"fault": "locked-rows"}, seed=5)
    statuses(org, 3)
    assert org.http.get(FAULTS).json() == snapshot(
        {
            "seed": 5,
            "rules": [
                {
                    "fault": "unavailable",
                    "after": 1,
                    "every": 1,
                    "probability": 1,
                    "times": None,
                    "on": "list",
                    "retryAfter": 3,
                    "matched": 3,
                    "fired": 2,
                },
                {
                    "fault": "locked-rows",
                    "after": 0,
                    "every": 1,
                    "probability": 1,
                    "times": None,
                    "on": "processing",
                    "matched": 0,
                    "fired": 0,
                },
            ],
        }
    )


@own
def test_a_deleted_plan_does_nothing_more(org: Caller) -> None:
    org.go_wrong({"on": "any", "fault": "unavailable"})
    assert org.http.delete(FAULTS).status_code == 204
    assert statuses(org, 1) == [200]
    assert org.http.get(FAULTS).json() == {"seed": None, "rules": []}


@own
def test_the_plan_that_is_shown_can_be_put_in_force_again(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "unavailable", "times": 1}, {"fault": "locked-rows"}, seed=7)
    statuses(org, 2)
    shown = org.http.get(FAULTS).json()
    assert [rule["matched"] for rule in shown["rules"]] == [2, 0]
    again = org.http.post(FAULTS, json=shown)
    assert (again.status_code, [rule.pop("matched") for rule in again.json()["rules"]]) == (200, [0, 0])
    assert statuses(org, 2) == [503, 200]


@own
def test_a_plan_has_to_be_sent_as_json(org: Caller) -> None:
    assert org.http.post(FAULTS, content=b'{"rules": []}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert org.http.post(FAULTS, content=b'{"rules": []}').status_code == 415
    broken = org.http.post(FAULTS, content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@own
def test_controlling_the_org_needs_no_token_and_meets_no_fault(org: Caller) -> None:
    org.go_wrong({"on": "any", "fault": "unavailable"})
    with httpx2.Client(base_url=org.http.base_url) as stranger:
        assert stranger.get(FAULTS).status_code == 200
        assert stranger.get(JOURNAL).status_code == 200
        assert stranger.delete(FAULTS).status_code == 204
    assert "Sforce-Limit-Info" not in org.http.get(FAULTS).headers


@own
def test_the_journal_tells_the_newest_last_and_from_a_number_on(org: Caller) -> None:
    before = newest(org)
    for _ in range(3):
        org.http.get(INGEST)
    assert [entry["number"] for entry in entries(org, before)] == [before + 1, before + 2, before + 3]
    assert [entry["number"] for entry in entries(org, before + 2)] == [before + 3]
    wrong = org.http.get(JOURNAL, params={"after": "yesterday"})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_PARAMETER")


@own
def test_an_emptied_journal_counts_on(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.http.get(INGEST)
        assert org.http.delete(JOURNAL).status_code == 204
        assert entries(org) == []
        org.http.get(INGEST)
        assert [entry["number"] for entry in entries(org)] == [2]
