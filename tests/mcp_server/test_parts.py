"""Rows that are more than one job takes: cut, sent part by part, and refused where they are not what was cut."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from salesforce_bulk_ingest.loading.plan import Plan, make_plan
from salesforce_bulk_ingest.operations import planning
from tests.loading.making import file_of
from tests.support.orgs import ERAS, Era, agent, call, refusal, text_of
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
LIMIT = 2_000
HEADER = b"Name,Description\n"


def content_of(tag: str, rows: int = 100) -> bytes:
    """Rows with line breaks and quotes in them, so that a cut at a line would show."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([f"{tag} {n:03}", f'first "{n}",\nsecond\n\n{"x" * (n % 37)}'] for n in range(rows))
    return HEADER + out.getvalue().encode()


@asynccontextmanager
async def small_agent(org: WatchedOrg, folder: Path, era: Era = "auto") -> AsyncIterator[Client]:
    async with agent(org.url, era=era, upload_roots=[folder], max_upload_bytes=LIMIT) as client:
        yield client


@pytest.mark.parametrize("era", ERAS)
async def test_parts_are_whole_uploads_under_the_limit_and_joined_they_are_the_file(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    tag = f"Part {era}"
    content = content_of(tag)
    rows = {"file": str(file_of(tmp_path, content))}
    async with small_agent(org, tmp_path, era) as client:
        result = await client.call_tool("create-ingest-job", {"body": INSERT, "data": rows, "dryRun": True})
        checked = result.structured_content
        assert checked is not None
        parts, sha256 = checked["of"], checked["sha256"]
        assert (checked["rows"], checked["bytes"]) == (100, len(content))
        assert sha256 == hashlib.sha256(content).hexdigest() and sha256 in text_of(result)
        assert f"each part n from 1 to {parts}" in checked["next"] and f"from 1 to {parts}" in text_of(result)
        assert org.changes == []
        jobs = [
            await call(client, "create-ingest-job", body=INSERT, data=rows, part=number, sha256=sha256)
            for number in range(1, parts + 1)
        ]
        assert [(job["part"], job["of"], job["sha256"]) for job in jobs] == [
            (number, parts, sha256) for number in range(1, parts + 1)
        ]
        assert sum(job["rows"] for job in jobs) == 100
        assert "create-ingest-job with the same data, part 2 of" in jobs[0]["next"]
        assert "create-ingest-job" not in jobs[-1]["next"]
        for job in jobs:
            await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"})
        for job in jobs:
            done = await call(client, "get-ingest-job-status", jobId=job["id"], waitSeconds=30)
            assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (job["rows"], 0)
    sent = org.uploads
    assert 1 < len(sent) == parts
    assert all(len(body) <= LIMIT and body.startswith(HEADER) for body in sent)
    assert [len(body) for body in sent] == [job["bytes"] for job in jobs]
    assert HEADER + b"".join(body.removeprefix(HEADER) for body in sent) == content
    names = org.records(f"SELECT Name FROM Account WHERE Name LIKE '{tag}%' ORDER BY Name")
    assert [record["Name"] for record in names] == [f"{tag} {n:03}" for n in range(100)]


async def test_parts_of_shaped_rows_are_measured_as_they_go_out(org: WatchedOrg, tmp_path: Path) -> None:
    """Peers counted neither the header nor the quotes."""
    content = b"Company;Text\n" + b"".join(b'Shaped %03d;"a,b ""%d"""\n' % (n, n) for n in range(100))
    file_of(tmp_path, content)
    rows = {"file": "rows.csv", "columns": {"Company": "Name", "Text": "Description"}, "set": {"Site": "Oslo"}}
    body = INSERT | {"columnDelimiter": "COMMA", "lineEnding": "CRLF"}
    async with small_agent(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=body, data=rows, dryRun=True)
        for number in range(1, checked["of"] + 1):
            part = {"part": number, "sha256": checked["sha256"]}
            await call(client, "create-ingest-job", body=body, data=rows, **part)
    header = b"Name,Description,Site\r\n"
    assert all(len(sent) <= LIMIT and sent.startswith(header) for sent in org.uploads)
    joined = b"".join(sent.removeprefix(header) for sent in org.uploads)
    assert hashlib.sha256(header + joined).hexdigest() == checked["sha256"]
    assert list(csv.reader(io.StringIO(joined.decode(), newline=""))) == [
        [f"Shaped {n:03}", f'a,b "{n}"', "Oslo"] for n in range(100)
    ]


async def test_too_many_rows_are_refused_until_a_part_of_them_is_named(org: WatchedOrg, tmp_path: Path) -> None:
    content = content_of("Unnamed")
    rows = {"file": str(file_of(tmp_path, content))}
    sha256 = hashlib.sha256(content).hexdigest()
    async with small_agent(org, tmp_path) as client:
        for named in ({}, {"part": 1}, {"sha256": sha256}):
            text = await refusal(client, "create-ingest-job", body=INSERT, data=rows, **named)
            assert f"sha256 {sha256}" in text and "make a job for each part" in text
        assert org.changes == []
        job = await call(client, "create-ingest-job", body=INSERT)
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
        assert f"sha256 {sha256}" in text
        named = {"jobId": job["id"], "body": rows, "dryRun": True}
        assert "There is no part 999" in await refusal(client, "upload-data-ingest-job", **named, part=999)
        assert "not those that" in await refusal(client, "upload-data-ingest-job", **named, sha256="0" * 64)
        assert (await call(client, "upload-data-ingest-job", **named, part=2, sha256=sha256))["status"] == "checked"
        part = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows, part=2, sha256=sha256)
        assert (part["part"], part["status"]) == (2, "uploaded")
        again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows, part=2, sha256=sha256)
        assert again["status"] == "already uploaded"
        other = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=rows, part=1, sha256=sha256)
        assert "already has other rows" in other
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"]


@pytest.mark.parametrize("dry", [False, True])
async def test_a_part_that_is_not_there_is_refused_before_a_job_is_made(
    dry: bool, org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Beyond")
    named = {"data": {"file": str(file_of(tmp_path, content))}, "sha256": hashlib.sha256(content).hexdigest()}
    small = {"data": {"csv": "Name\nSmall\n"}, "sha256": hashlib.sha256(b"Name\nSmall\n").hexdigest()}
    async with small_agent(org, tmp_path) as client:
        for arguments in (named | {"part": 999}, small | {"part": 2}):
            text = await refusal(client, "create-ingest-job", body=INSERT, dryRun=dry, **arguments)
            assert f"There is no part {arguments['part']}" in text
        assert "greater than or equal to 1" in await refusal(
            client, "create-ingest-job", body=INSERT, **named | {"part": 0}
        )
    assert org.changes == []


@pytest.mark.parametrize("change", ["a row more", "another cell", "another shape", "another file"])
async def test_rows_that_are_not_those_of_the_digest_are_refused(change: str, org: WatchedOrg, tmp_path: Path) -> None:
    content = content_of("Changed")
    rows: dict[str, Any] = {"file": str(path := file_of(tmp_path, content))}
    async with small_agent(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data=rows, dryRun=True)
        if change == "a row more":
            path.write_bytes(content + b"One,more\n")
        elif change == "another cell":
            path.write_bytes(content.replace(b"Changed 050", b"Changed 05O"))
        elif change == "another shape":
            rows["set"] = {"Site": "x"}
        else:
            file_of(tmp_path, content_of("Another"), "new.csv").rename(path)
        for number, dry in ((1, False), (2, False), (1, True), (None, True)):
            part = {"part": number, "sha256": checked["sha256"], "dryRun": dry}
            text = await refusal(client, "create-ingest-job", body=INSERT, data=rows, **part)
            assert "not those that this sha256 was given for" in text
            assert "begin again with dryRun and without sha256" in text
    assert org.changes == []


async def test_a_file_that_was_touched_and_not_changed_goes_on(org: WatchedOrg, tmp_path: Path) -> None:
    content = content_of("Touched")
    rows = {"file": str(path := file_of(tmp_path, content))}
    sha256 = hashlib.sha256(content).hexdigest()
    async with small_agent(org, tmp_path) as client:
        await call(client, "create-ingest-job", body=INSERT, data=rows, part=1, sha256=sha256)
        path.write_bytes(content)
        await call(client, "create-ingest-job", body=INSERT, data=rows, part=2, sha256=sha256)
    assert len(org.uploads) == 2


async def test_a_digest_is_checked_where_one_part_is_all(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        rows = {"data": {"csv": "Name\nDigest\n"}}
        text = await refusal(client, "create-ingest-job", body=INSERT, sha256="0" * 64, **rows)
        assert "not those that this sha256 was given for" in text and org.changes == []
        job = await call(
            client, "create-ingest-job", body=INSERT, sha256=hashlib.sha256(b"Name\nDigest\n").hexdigest(), **rows
        )
        assert job["status"] == "uploaded"
        for wrong in ("0" * 63, "G" * 64, ""):
            assert "sha256" in await refusal(client, "create-ingest-job", body=INSERT, sha256=wrong, **rows)


async def test_a_file_is_checked_once_for_all_of_its_parts(
    org: WatchedOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading 1 GB again for each of its parts would take minutes."""
    content = content_of("Once")
    rows = {"file": str(file_of(tmp_path, content))}
    sha256 = hashlib.sha256(content).hexdigest()
    made: list[Plan] = []

    def counted(*arguments: Any, **options: Any) -> Plan:
        made.append(make_plan(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(planning, "make_plan", counted)
    async with small_agent(org, tmp_path) as client:
        for number in (1, 2, 3):
            await call(client, "create-ingest-job", body=INSERT, data=rows, part=number, sha256=sha256)
    assert len(made) == 1
