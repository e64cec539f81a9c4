"""Loads as they were checked: the part that goes is named, is there, and has the rows that were checked."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.loading.making import file_of
from tests.operations.test_load import content_of, small_agent
from tests.support.next_call import next_call, next_line
from tests.support.orgs import agent, call, refusal
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}


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
            corrected = next_call(next_line(text))[1]
            assert (corrected["part"], corrected["sha256"]) == ("<part, corrected>", arguments["sha256"])
        assert "\n- part: " in await refusal(client, "create-ingest-job", body=INSERT, **named | {"part": 0})
    assert org.changes == []


@pytest.mark.parametrize("change", ["a row more", "another cell", "another mapping", "another file"])
async def test_rows_that_are_not_those_of_the_digest_are_refused(change: str, org: WatchedOrg, tmp_path: Path) -> None:
    content = content_of("Changed")
    rows: dict[str, Any] = {"file": str(path := file_of(tmp_path, content))}
    async with small_agent(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data=rows, dryRun=True)
        if change == "a row more":
            path.write_bytes(content + b"One,more\n")
        elif change == "another cell":
            path.write_bytes(content.replace(b"Changed 050", b"Changed 05O"))
        elif change == "another mapping":
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
        for wrong in ("0" * 63, "G" * 64):
            assert "sha256" in await refusal(client, "create-ingest-job", body=INSERT, sha256=wrong, **rows)
