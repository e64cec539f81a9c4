"""Files as a source: which may be read, what a refusal says, and how little a file costs."""

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_emulator import ACCESS_TOKEN
from tests.loading.making import file_of
from tests.support.orgs import ERAS, Era, agent, call, closed, refusal, steady, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}
REST_URL = "http://127.0.0.1:8080/v1"


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


@pytest.mark.parametrize("spoil", ["cut off", "damaged"])
async def test_a_broken_gz_file_is_told_and_no_job_made(spoil: str, org: WatchedOrg, tmp_path: Path) -> None:
    packed = gzip.compress(b"Name\n" + os.urandom(3_000).hex().encode() + b"\n")
    file_of(tmp_path, packed[:-20] if spoil == "cut off" else packed[:500] + b"\0" * 20 + packed[520:], "rows.csv.gz")
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv.gz"})
    assert "The .gz file is damaged or cut off" in text and "write it again" in text and org.changes == []


def tokens(*parts: Any) -> float:
    return len(json.dumps(parts, ensure_ascii=False)) / 4


async def test_a_large_file_costs_a_model_under_300_tokens_of_arguments_and_little_to_read(
    org: WatchedOrg, tmp_path: Path
) -> None:
    row = b"Large,Oslo," + b"x" * 200 + b"\n"
    file_of(tmp_path, b"Name,BillingCity,Description\n" + row * 20_000, "accounts-2026-01-31.csv")
    spent, read = 0.0, [0.0, 0.0]
    async with agent(org.url, upload_roots=[tmp_path]) as client:

        async def spend(tool: str, **arguments: Any) -> dict[str, Any]:
            nonlocal spent
            spent += tokens(tool, arguments)
            result = await client.call_tool(tool, arguments)
            assert not result.is_error and result.structured_content is not None, text_of(result)
            read[0] += tokens(result.structured_content)
            read[1] += tokens(text_of(result))
            return dict(result.structured_content)

        rows = {"file": str(tmp_path / "accounts-2026-01-31.csv")}
        job_id = (await spend("create-ingest-job", body=INSERT))["id"]
        await spend("upload-data-ingest-job", jobId=job_id, body=rows)
        await spend("close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
        await spend("get-ingest-job-status", jobId=job_id, waitSeconds=45)
    assert spent < 300 and max(read) < 1_000
    assert len(org.uploads[0]) > 4_000_000


@pytest.mark.parametrize("era", ERAS)
async def test_a_file_is_uploaded_through_a_stdio_process_from_the_folder_it_runs_in(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    (project := tmp_path / "project").mkdir()
    file_of(project, b"\xef\xbb\xbfCompany;City\r\nOver stdio;Oslo\r\n", "rows.csv")
    process = StdioServerParameters(
        command=sys.executable,
        args=["-m", "salesforce_bulk_ingest", "stdio"],
        env={
            "HOME": str(tmp_path),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "XDG_CONFIG_HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path),
            "SALESFORCE_INSTANCE_URL": org.url,
            "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN,
        },
        cwd=project,
    )
    rows = {"file": "rows.csv", "columns": {"Company": "Name", "City": "BillingCity"}}
    async with Client(stdio_client(process), mode=era) as client:
        assert (await call(client, "create-ingest-job", body=INSERT, data=rows, dryRun=True))["rows"] == 1
        assert org.changes == []
        job = await call(client, "create-ingest-job", body=INSERT, data=rows)
        again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
        assert (job["status"], again["status"]) == ("uploaded", "already uploaded")
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": str(tmp_path / "other.csv")})
        assert "curl -T FILE.csv" in text and "salesforce-bulk-ingest serve" in text
    assert org.uploads == [b"Name;BillingCity\r\nOver stdio;Oslo\r\n"]


async def test_the_same_rows_again_send_nothing_and_others_are_refused(org: WatchedOrg, tmp_path: Path) -> None:
    path = file_of(tmp_path, b"Name\nSame\n")
    async with agent_keeping(org, tmp_path) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        for rows in ({"file": str(path)}, {"csv": "Name\nSame\n"}, {"csv": "N\nSame\n", "columns": {"N": "Name"}}):
            again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
            assert again["status"] == "already uploaded" and "nothing was sent" in again["summary"]
        path.write_bytes(b"Name\nOther\n")
        for other in ({"file": "rows.csv"}, {"csv": "Name\nSame\nMore\n"}, {"file": "rows.csv", "set": {"Site": "x"}}):
            text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=other)
            assert "already has other rows" in text
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"]
