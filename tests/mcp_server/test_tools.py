"""The tools: which files they take rows from, how much they take in a call, and how they report progress."""

import os
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from inline_snapshot import snapshot

from tests.loading.making import file_of
from tests.support.orgs import (
    ERAS,
    Era,
    agent,
    call,
    refusal,
    steady,
)
from tests.support.scripted_org import ScriptedOrg, scripted_agent
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID

INSERT = {"object": "Account", "operation": "insert"}
REST_URL = "http://127.0.0.1:8080/v1"


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


def plainly(text: str, folder: Path) -> list[str]:
    """The lines of a refusal, with the folders of this run named by their kind."""
    kinds = text.replace(str(folder.resolve()), "FOLDER")
    words = ["SETTINGS" if word.endswith("settings.toml,") else word for word in str(steady(kinds)).split(" ")]
    return " ".join(words).splitlines()


@pytest.mark.parametrize("era", ERAS)
async def test_a_file_elsewhere_is_refused_with_the_line_to_add_and_the_way_past_the_tools(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    (root := tmp_path / "exports").mkdir()
    outside = file_of(tmp_path, b"Name\nOutside\n", "outside.csv")
    async with agent(org.url, era=era, upload_roots=[root], rest_url=REST_URL) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        text = await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"file": str(outside)})
        assert plainly(text, tmp_path) == snapshot(
            [
                'INSUFFICIENT_ACCESS: This server reads files under FOLDER/exports only; relative paths begin there. To allow more, the operator writes the line upload_roots = ["FOLDER/exports", "FOLDER"] in SETTINGS or adds --upload-root FOLDER to the server\'s command, and starts it again. Or have the user send the file: curl -T FILE.csv -H \'Content-Type: text/csv\' http://127.0.0.1:PORT/v1/jobs/ingest/JOB/batches.',
                "Next: Tell the user. Don't look for another way around.",
            ]
        )
    async with agent(org.url, era=era, upload_roots=[root]) as client:
        # Over stdio nothing else serves the embedded org.
        assert "curl" not in await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"file": str(outside)})
    assert org.uploads == []


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
        ".": "leads to none",
        "": "no path",
        "~/x.csv": "write the whole path",
        "a\0b": "no path",
        "/etc/passwd": "This server reads files under",
        "/proc/self/environ": "This server reads files under",
        "missing.csv": "There is no file missing.csv",
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
    assert "This server may read no files" in text
    assert f'upload_roots = ["{tmp_path}"]' in text and f"--upload-root {tmp_path}" in text
    assert org.changes == []


async def test_rows_over_4_mb_are_refused_with_the_way_to_go_instead(org_url: str, tmp_path: Path) -> None:
    too_much = "Name\n" + "x" * 4_000_000
    async with agent(org_url, rest_url="http://127.0.0.1:8080/v1") as client:
        job = await call(client, "create-ingest-job", body=INSERT)
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": too_much})
        assert steady(text).splitlines() == snapshot(
            [
                "REQUEST_ENTITY_TOO_LARGE: These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent. Have the user send a file: curl -T FILE.csv -H 'Content-Type: text/csv' http://127.0.0.1:PORT/v1/jobs/ingest/JOB/batches.",
                "Next: Do that, or split the rows over several jobs; then close the job.",
            ]
        )
        assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["state"] == "Open"
    async with agent(org_url) as client:
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": too_much})
        assert steady(text).splitlines() == snapshot(
            [
                "REQUEST_ENTITY_TOO_LARGE: These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent. Send fewer rows in a call.",
                "Next: Do that, or split the rows over several jobs; then close the job.",
            ]
        )
    async with agent(org_url, upload_roots=[tmp_path]) as client:
        for body in ({"csv": too_much}, {"records": [{"Name": too_much}]}):
            text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=body)
            assert f"Put them in a file under {tmp_path}, and give file." in text
