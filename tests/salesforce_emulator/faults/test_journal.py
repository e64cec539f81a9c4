"""The journal of requests."""

import json
import time
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD
from salesforce_emulator.faults.journal import Journal
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, INGEST, Caller, an_org, half_an_upload
from tests.salesforce_emulator.clocks import Clock
from tests.salesforce_emulator.faults.observations import entries, newest


@own
def test_the_journal_tells_of_each_request_what_it_was_and_what_it_met(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        org.http.headers["User-Agent"] = "loader/1.0"
        org.upload(job_id, b"Name\nAcme\n")
        (create, upload) = entries(org)
    assert create["operation"] == "create"
    assert upload.pop("time").endswith("+0000")
    assert upload.pop("milliseconds") >= 0
    assert upload.pop("path") == f"{INGEST}/{job_id}/batches"
    assert upload.pop("jobId") == job_id
    assert upload == snapshot(
        {
            "number": 2,
            "method": "PUT",
            "query": {},
            "operation": "upload",
            "status": 201,
            "ended": "complete",
            "bytesIn": 10,
            "bytesOut": 0,
            "client": "loader/1.0",
            "faults": [],
        }
    )


@own
def test_the_journal_keeps_the_last_thousand_requests() -> None:
    journal = Journal(Clock())
    for _ in range(1002):
        scope = {"type": "http", "method": "GET", "path": "/services/data", "query_string": b"", "headers": []}
        journal.end(journal.begin(scope), "complete")
    assert [entry.number for entry in journal.after(0)] == list(range(3, 1003))


@own
def test_a_request_ends_in_the_journal_once_and_as_it_ended_first() -> None:
    journal = Journal(Clock())
    entry = journal.begin({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    assert (entry.number, journal.after(0)) == (0, [])
    journal.end(entry, "reset")
    journal.end(entry, "error")
    assert [(entry.number, entry.ended) for entry in journal.after(0)] == [(1, "reset")]


@own
def test_the_journal_holds_no_secrets(org: Caller) -> None:
    before = newest(org)
    form = {"grant_type": "password", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "password": PASSWORD}
    org.http.post("/services/oauth2/token", params=form, data=form)
    org.http.get(INGEST, params={"jobType": "V2Ingest", "queryLocator": "01g-5", "access_token": ACCESS_TOKEN})
    org.upload(org.create(), b"Name\nAcme Confidential\n")
    found = entries(org, before)
    assert [entry["query"] for entry in found][:2] == [{}, {"jobType": "V2Ingest", "queryLocator": "01g-5"}]
    text = json.dumps(found)
    assert not [secret for secret in (CLIENT_SECRET, PASSWORD, ACCESS_TOKEN, "Confidential") if secret in text]


@own
@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"Sforce-Call-Options": "client=loader/7.1, defaultNamespace=acme"}, "loader/7.1"),
        ({"Sforce-Call-Options": "defaultNamespace=acme", "User-Agent": "curl/8"}, "curl/8"),
        ({"User-Agent": ""}, None),
        ({"User-Agent": "x" * 1000}, "x" * 300),
    ],
)
def test_the_journal_names_the_client(org: Caller, headers: dict[str, str], name: str | None) -> None:
    org.http.get(INGEST, headers=headers)
    assert entries(org)[-1]["client"] == name


@own
def test_the_journal_counts_bytes_as_they_went_over_the_wire(org: Caller) -> None:
    job = org.load("Name\n" + "Acme\n" * 1000)
    url = f"{INGEST}/{job['id']}/successfulResults"
    with org.http.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert entries(org)[-1]["bytesOut"] == len(packed) < 10_000
    org.http.head(f"{INGEST}/{job['id']}")
    assert (entries(org)[-1]["operation"], entries(org)[-1]["bytesOut"]) == ("status", 0)


@own
def test_the_journal_tells_when_a_caller_left(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        with half_an_upload(org, org.create(), tmp_path):
            pass
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(found := entries(org, 1)) < 1:
            assert time.monotonic() < deadline
        (upload,) = found
    assert (upload["operation"], upload["status"], upload["ended"]) == ("upload", None, "caller left")


@own
def test_a_created_job_is_named_in_the_journal(org: Caller) -> None:
    job_id = org.create()
    assert (entries(org)[-1]["operation"], entries(org)[-1]["jobId"]) == ("create", job_id)
