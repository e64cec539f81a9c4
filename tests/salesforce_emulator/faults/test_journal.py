"""The journal of requests."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import DATA, DEADLINE_SECONDS, INGEST, JOURNAL, Caller, an_org, half_an_upload


def entries(org: Caller, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = org.http.get(JOURNAL, params={"after": after}).json()["requests"]
    return found


def newest(org: Caller) -> int:
    """The number of the last entry."""
    return max((entry["number"] for entry in entries(org)), default=0)


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
def test_the_journal_names_what_each_request_does(org: Caller) -> None:
    before = newest(org)
    job = org.load("Name\nAcme\n")
    job_id = job["id"]
    other = org.create()
    org.patch(other, "Aborted")
    org.http.delete(f"{INGEST}/{other}")
    org.http.get(INGEST)
    for segment in ("successfulResults", "failedResults/", "unprocessedRecords"):
        org.http.get(f"{INGEST}/{job_id}/{segment}")
    org.query("SELECT Id FROM Account LIMIT 1")
    for path in ("/sobjects", "/sobjects/Account/describe", "/limits", "/nothing"):
        org.http.get(DATA + path)
    org.http.get("/services/data")
    named = [entry["operation"] for entry in entries(org, before)]
    assert [name for place, name in enumerate(named) if name != named[place - 1]] == snapshot(
        [
            "create",
            "upload",
            "close",
            "status",
            "create",
            "abort",
            "delete",
            "list",
            "successfulResults",
            "failedResults",
            "unprocessedrecords",
            "query",
            "objects",
            "describe",
            "limits",
            "other",
            "versions",
        ]
    )


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


@own
def test_the_journal_keeps_the_last_thousand_requests(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        for _ in range(1002):
            org.http.get("/services/data")
        numbers = [entry["number"] for entry in entries(org)]
    assert numbers == list(range(3, 1003))


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


@own
@pytest.mark.parametrize(
    ("body", "headers", "operation"),
    [
        (b'{"state": "UploadComplete"}', {}, "close"),
        (gzip.compress(b'{"state": "Aborted"}', mtime=0), {"Content-Encoding": "gzip"}, "abort"),
        (b'{"state": "InProgress"}', {}, "other"),
        (b"nonsense", {}, "other"),
        (b"nonsense", {"Content-Encoding": "gzip"}, "other"),
        (b"[]", {}, "other"),
        (b'{"state": []}', {}, "other"),
        (b" " * 200_000 + b'{"state": "Aborted"}', {}, "other"),
        (gzip.compress(b" " * 200_000 + b'{"state": "Aborted"}', mtime=0), {"Content-Encoding": "gzip"}, "other"),
    ],
    ids=["close", "packed", "state", "text", "not packed", "list", "list as state", "too long", "too long unpacked"],
)
def test_the_journal_tells_closing_from_aborting(
    org: Caller, body: bytes, headers: dict[str, str], operation: str
) -> None:
    org.http.patch(f"{INGEST}/{org.create()}", content=body, headers={"Content-Type": "application/json", **headers})
    assert entries(org)[-1]["operation"] == operation
