"""The tools: that each answers in both protocols, which files they take rows from, how much, and how they report progress."""

import os
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.loading.making import file_of
from tests.mcp_server.rooted import INSERT
from tests.support.orgs import (
    ERAS,
    Era,
    agent,
    call,
    refusal,
)
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID


@pytest.mark.parametrize("era", ERAS)
async def test_a_load_goes_through_each_of_the_nine_tools_in_both_protocols(era: Era, org_url: str) -> None:
    called = set[str]()

    async with agent(org_url, era=era) as client:

        async def answer(tool: str, **arguments: Any) -> dict[str, Any]:
            called.add(tool)
            return await call(client, tool, **arguments)

        job = (await answer("create-ingest-job", body=INSERT))["id"]
        await answer("upload-data-ingest-job", jobId=job, body={"csv": f"Name,Site\nBoth {era},a\n,b\n"})
        closing = {"body": {"state": "UploadComplete"}, "waitSeconds": 30}
        assert (await answer("close-abort-ingest-job", jobId=job, **closing))["state"] == "JobComplete"
        assert (await answer("get-ingest-job-status", jobId=job))["numberRecordsProcessed"] == 2
        assert job in [each["id"] for each in (await answer("list-all-ingest-jobs"))["jobs"]]
        rows = {
            kind: (await answer(f"get-{kind}-ingest-job", jobId=job))["total"]
            for kind in ("successful-results", "failed-results", "unprocessed-records")
        }
        assert rows == {"successful-results": 1, "failed-results": 1, "unprocessed-records": 0}
        await answer("delete-ingest-job", jobId=job)
        assert "NOT_FOUND" in await refusal(client, "get-ingest-job-status", jobId=job)
        assert called == {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_reports_rows_as_they_are_processed_and_ends_with_the_job(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(
        ("InProgress", 0), ("InProgress", 200), ("InProgress", 200), ("InProgress", 600), ("JobComplete", 800)
    )
    seen: list[float] = []
    is_done = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)
        if progress == 800:
            is_done.set()

    async with scripted_agent(org, tmp_path, era) as client:
        result = await client.call_tool(
            "get-ingest-job-status", {"jobId": JOB_ID, "waitSeconds": 45}, progress_callback=on_progress
        )
        assert result.structured_content is not None and result.structured_content["state"] == "JobComplete"
        with anyio.fail_after(5):
            await is_done.wait()
    assert seen == [0, 200, 600, 800]


@pytest.mark.parametrize("era", ERAS)
async def test_progress_has_a_total_where_the_rows_sent_are_known(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0), ("Open", 0), ("UploadComplete", 0), ("InProgress", 2), ("JobComplete", 3))
    org.upload_may_end.set()
    seen: list[tuple[float, float | None, str | None]] = []
    is_done = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))
        if progress == total:
            is_done.set()

    async with scripted_agent(org, tmp_path, era) as client:
        await call(client, "upload-data-ingest-job", jobId=JOB_ID, body={"csv": "Name\na\nb\nc\n"})
        closing = {"jobId": JOB_ID, "body": {"state": "UploadComplete"}, "waitSeconds": 45}
        await client.call_tool("close-abort-ingest-job", closing, progress_callback=on_progress)
        with anyio.fail_after(5):
            await is_done.wait()
    assert seen == [
        (0, 3, "UploadComplete: 0 of 3 rows processed"),
        (2, 3, "InProgress: 2 of 3 rows processed"),
        (3, 3, "JobComplete: 3 of 3 rows processed"),
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_an_upload_tells_how_many_bytes_of_all_were_sent(era: Era, tmp_path: Path) -> None:
    org = ScriptedOrg(("Open", 0))
    csv = "Name\n" + "Acme\n" * 1_000
    seen: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))
        if progress == total:
            org.upload_may_end.set()

    upload = {"jobId": JOB_ID, "body": {"csv": csv}}
    async with scripted_agent(org, tmp_path, era, report_seconds=0.01) as client:
        with anyio.fail_after(20):
            result = await client.call_tool("upload-data-ingest-job", upload, progress_callback=on_progress)
    assert not result.is_error
    progress, total, message = seen[-1]
    assert progress == total and message == "5,005 of 5,005 bytes sent"
    assert [step[0] for step in seen] == sorted({step[0] for step in seen})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
async def test_nothing_but_files_below_the_root_is_read_however_the_path_is_written(
    org: WatchedOrg, tmp_path: Path
) -> None:
    (root := tmp_path / "exports").mkdir()
    secret = file_of(tmp_path, b"Name\nSecret\n", "secret.csv")
    (root / "folder").mkdir()
    (root / "link.csv").symlink_to(secret)
    (root / "way").symlink_to(tmp_path)
    os.mkfifo(root / "fifo.csv")
    refused = {
        str(secret): "This server reads files under",
        "../secret.csv": "This server reads files under",
        f"{root}/../secret.csv": "This server reads files under",
        "folder/../../secret.csv": "This server reads files under",
        "link.csv": "leads to none",
        "way/secret.csv": "leads to none",
        "folder": "is a folder",
        "fifo.csv": "is no regular file",
        ".": "is a folder",
        "": "there is no source of rows, or it is empty: give exactly one source",
        "~/x.csv": "write the whole path",
        "a\0b": "no path",
        "/etc/passwd": "This server reads files under",
        "/proc/self/environ": "This server reads files under",
        "missing.csv": 'There is no file "missing.csv"',
    }
    async with agent(org.url, upload_roots=[root]) as client:
        for path, told in refused.items():
            for preflight in ("on", "off"):
                text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": path}, preflight=preflight)
                assert told in text and "Secret" not in text, path
    assert org.changes == []


async def test_without_roots_no_file_is_read_and_the_refusal_says_how_to_allow_one(
    org: WatchedOrg, tmp_path: Path
) -> None:
    path = file_of(tmp_path, b"Name\nAcme\n")
    async with agent(org.url) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": str(path)})
    assert "This server may read no files: no folder is named, and no folder is known in which it was started. " in text
    assert f"the operator starts it with --upload-root {tmp_path} among its arguments." in text
    assert org.changes == []
