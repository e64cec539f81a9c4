"""Each change, tried or done, is a line of the audit log before it is sent, on both surfaces, without values of rows."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.base.caller import Caller, called_by
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import call, paths_in, refusal
from tests.support.watched_org import WatchedOrg

CLOSE, ABORT = {"state": "UploadComplete"}, {"state": "Aborted"}
INSERT = {"object": "Account", "operation": "insert"}
DELETE = {"object": "Account", "operation": "delete"}
CSV = "Name\nAcme\nBeta\n"


@asynccontextmanager
async def server(org_url: str, folder: Path, **settings: Any) -> AsyncIterator[Services]:
    async with open_services(
        Settings(**{"emulator": True, **settings}), paths_in(folder), EmbeddedOrg(org_url, folder)
    ) as services:
        yield services


def rest(services: Services) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(build_rest(services.gateway))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost/v1/jobs/ingest")


def lines_in(folder: Path) -> list[dict[str, Any]]:
    """The lines of the audit log, without what differs from run to run."""
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    tried = {line["id"] for line in lines if line["outcome"] == "tried"}
    ended = {line["id"] for line in lines if line["outcome"] not in ("tried", "refused")}
    assert tried == ended and all(line["time"].endswith("+00:00") for line in lines)
    return [{key: value for key, value in line.items() if key not in ("time", "id", "org", "job")} for line in lines]


def told(folder: Path) -> list[str]:
    """The lines in short."""
    shown = ("caller", "through", "action", "outcome", "operation", "object", "rows", "confirmation", "error")
    return [" ".join(f"{line.get(name, '-')}" for name in shown) for line in lines_in(folder)]


async def test_a_load_through_tools_has_a_line_before_and_after_each_change(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT, data={"csv": CSV}))["id"]
        await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, waitSeconds=30)
        await call(client, "get-ingest-job-status", jobId=job_id)
        await call(client, "delete-ingest-job", jobId=job_id)
        await call(client, "delete-ingest-job", jobId=job_id)
    assert told(tmp_path) == snapshot(
        [
            "local local create tried insert Account - - -",
            "local local create done insert Account - - -",
            "local local upload tried insert Account 2 - -",
            "local local upload done insert Account 2 - -",
            "local local close tried insert Account 2 not asked -",
            "local local close done insert Account 2 not asked -",
            "local local delete tried insert Account - - -",
            "local local delete done insert Account - - -",
        ]
    )
    text = (tmp_path / "audit.jsonl").read_text()
    assert "Acme" not in text and text.count('"sha256": "') == 4
    first = json.loads(text.splitlines()[0])
    assert first["org"].startswith("00D") and "job" not in first


async def test_a_load_through_v1_has_the_same_lines_with_the_name_of_its_caller(org_url: str, tmp_path: Path) -> None:
    with called_by(Caller("nightly", over_http=True)):
        async with server(org_url, tmp_path) as services, rest(services) as caller:
            job_id = (await caller.post("", json=INSERT)).json()["id"]
            await caller.put(f"/{job_id}/batches", content=CSV, headers={"Content-Type": "text/csv"})
            await caller.patch(f"/{job_id}", json=CLOSE)
            with anyio.fail_after(30):
                while (await caller.get(f"/{job_id}")).json()["state"] != "JobComplete":
                    await anyio.lowlevel.checkpoint()
            await caller.patch(f"/{job_id}", json=ABORT)
            await caller.delete(f"/{job_id}")
    assert [line.rsplit(" ", 3)[0] for line in told(tmp_path)] == snapshot(
        [
            "nightly http create tried insert Account",
            "nightly http create done insert Account",
            "nightly http upload tried - -",
            "nightly http upload done - -",
            "nightly http close tried insert Account",
            "nightly http close done insert Account",
            "nightly http abort tried insert Account",
            "nightly http abort failed insert Account",
            "nightly http delete tried - -",
            "nightly http delete done - -",
        ]
    )


async def test_what_the_policy_refuses_is_a_line_of_its_own(org: WatchedOrg, tmp_path: Path) -> None:
    async with server(org.url, tmp_path, read_only=True) as services, rest(services) as caller:
        assert (await caller.post("", json=DELETE)).status_code == 403
        async with Client(build_mcp(services, None)) as client:
            await refusal(client, "create-ingest-job", body=INSERT)
    assert org.changes == []
    assert told(tmp_path) == snapshot(
        [
            "local local create refused delete Account - - INSUFFICIENT_ACCESS",
            "local local create refused - - - - INSUFFICIENT_ACCESS",
        ]
    )


async def test_a_close_that_waits_for_a_confirmation_is_refused_and_one_that_has_it_says_how(
    org_url: str, tmp_path: Path
) -> None:
    async with server(org_url, tmp_path, confirm=("insert",)) as services, Client(build_mcp(services, None)) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT, data={"csv": CSV}))["id"]
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        sentence = refused.split('"confirm": "')[1].split('"')[0]
        await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, confirm=sentence)
    assert told(tmp_path)[4:] == snapshot(
        [
            "local local close refused insert Account 2 - INSUFFICIENT_ACCESS",
            "local local close tried insert Account 2 sentence -",
            "local local close done insert Account 2 sentence -",
        ]
    )


async def test_rows_that_are_saved_in_a_file_have_lines_with_its_path(org: WatchedOrg, tmp_path: Path) -> None:
    (saved := tmp_path / "saved").mkdir()
    failed, log = "get-failed-results-ingest-job", tmp_path / "audit.jsonl"
    async with (
        server(org.url, tmp_path, save_roots=[saved]) as services,
        Client(build_mcp(services, None)) as client,
    ):
        rows = {"csv": "Name,NumberOfEmployees\nAcme,x\nBeta,1\n"}
        job_id = (await call(client, "create-ingest-job", body=INSERT, data=rows))["id"]
        await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, waitSeconds=30)
        before = len(lines_in(tmp_path))
        await call(client, failed, jobId=job_id, saveAs="failed.csv")
        with called_by(Caller("reader", may_write=False)):
            await refusal(client, failed, jobId=job_id, saveAs="theirs.csv")
        lines = lines_in(tmp_path)[before:]
        assert [
            (line["caller"], line["action"], line["outcome"], line.get("rows"), Path(line["file"]).name)
            for line in lines
        ] == [
            ("local", "save", "tried", 1, "failed.csv"),
            ("local", "save", "done", 1, "failed.csv"),
            ("reader", "save", "refused", None, "theirs.csv"),
        ]
        log.unlink()
        log.mkdir()
        assert "audit log can't be written" in await refusal(client, failed, jobId=job_id, saveAs="unnoted.csv")
    assert [path.name for path in saved.iterdir()] == ["failed.csv"]


async def test_a_change_that_can_not_be_audited_is_not_made(org: WatchedOrg, tmp_path: Path) -> None:
    async with server(org.url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT, data={"csv": CSV}))["id"]
        org.forget()
        os.rename(tmp_path / "audit.jsonl", tmp_path / "old.jsonl")
        os.mkdir(tmp_path / "audit.jsonl")
        for tool, arguments in {
            "create-ingest-job": {"body": INSERT},
            "close-abort-ingest-job": {"jobId": job_id, "body": CLOSE},
        }.items():
            refused = await refusal(client, tool, **arguments)
            assert "The audit log can't be written, so nothing is changed" in refused
        with_rows = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nGamma\n"})
        assert "The audit log can't be written" in with_rows
        async with rest(services) as caller:
            answer = await caller.delete(f"/{job_id}")
            assert answer.status_code == 503 and "audit log" in answer.json()[0]["message"]
        assert org.changes == []
        os.rmdir(tmp_path / "audit.jsonl")
        assert (await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE))["state"] == "UploadComplete"


async def test_an_answer_that_is_lost_leaves_an_unknown_outcome(tmp_path: Path) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"down"})

    transport = httpx2.ASGITransport(broken)
    environ = {"instance_url": "http://127.0.0.1:1", "access_token": "00D000000000001!A"}
    async with open_services(Settings(**environ), paths_in(tmp_path), transport=transport) as services:
        async with rest(services) as caller:
            assert (await caller.post("", json=INSERT)).status_code == 503
    assert [line["outcome"] for line in lines_in(tmp_path / "state")] == ["tried", "unknown"]
