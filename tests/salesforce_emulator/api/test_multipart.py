"""Jobs that are made with their data, in one multipart body."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import INGEST, Caller, an_org

GOOD = {"object": "Account", "operation": "insert"}
JOB = (None, json.dumps(GOOD), "application/json")
CONTENT = ("content", "Name\nA\n", "text/csv")


@doc("Bulk API 2.0 guide, Create a Job: two parts, job and content")
@assumed("code and text")
@pytest.mark.parametrize("parts", [{"job": JOB}, {"content": CONTENT}])
def test_a_multipart_body_needs_both_parts(org: Caller, parts: Any) -> None:
    answer = org.http.post(INGEST, files=parts)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")


@doc("Bulk API 2.0 guide, Create a Job: job, then content")
@assumed("that the other order is read as well")
def test_the_parts_of_a_multipart_body_may_come_in_either_order(org: Caller) -> None:
    for parts in ([("job", JOB), ("content", CONTENT)], [("content", CONTENT), ("job", JOB)]):
        answer = org.http.post(INGEST, files=parts)
        assert [row["Name"] for row in org.succeeded(org.until(answer.json()["id"]))] == ["A"]


@doc("Bulk API 2.0 guide, Create a Job: at most 100,000 characters")
@assumed("status, code and text")
@pytest.mark.parametrize(("characters", "status"), [(100_000, 200), (100_001, 413)])
def test_a_multipart_body_takes_100_000_characters(org: Caller, characters: int, status: int) -> None:
    data = "Name\n" + "é" * (characters - len("Name\n"))
    answer = org.http.post(INGEST, files={"job": JOB, "content": ("content", data, "text/csv")})
    assert answer.status_code == status


@own
def test_a_job_made_with_its_data_is_there_closed_or_not_at_all(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        with closing(sqlite3.connect(tmp_path / "org.sqlite")) as database:  # whatever could stop it on its way
            database.execute("CREATE TRIGGER no UPDATE OF state ON job BEGIN SELECT RAISE(ABORT, 'no closing'); END")
        assert org.http.post(INGEST, files={"job": JOB, "content": CONTENT}).status_code == 500
        assert org.http.get(INGEST).json()["records"] == []


@assumed("code and text")
def test_a_multipart_body_that_is_none_is_refused(org: Caller) -> None:
    for content_type in ("multipart/form-data; boundary=b", "multipart/form-data"):
        answer = org.http.post(INGEST, content=b"no parts", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")
