"""The operations that requests are named by."""

import gzip

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import DATA, INGEST, Caller
from tests.salesforce_emulator.faults.observations import entries, newest


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
