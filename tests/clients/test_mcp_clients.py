"""MCP clients of other makers load the sample, read what failed, and send the failed rows again, corrected."""

import json
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from salesforce_bulk_ingest.cli.demo import CORRECTIONS, SAMPLE
from tests.clients.mcp_clients.connected import Connected, Given, Inspector, inspected, script
from tests.support.commands import AS_MODULE, SERVE_EMBEDDED, fresh_environ, started

BODY = {"object": "Contact", "operation": "insert"}
TOOLS = 9
SCRIPTS = ["typescript_1", "typescript_2", "python_1", "fastmcp_client"]


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """A folder with the sample."""
    folder = tmp_path / "up loads"
    folder.mkdir()
    with as_file(files("salesforce_bulk_ingest") / "sample" / SAMPLE) as sample:
        copy(sample, folder)
    return folder


@pytest.fixture
def url(tmp_path: Path, uploads: Path) -> Iterator[str]:
    """The address of a server over HTTP."""
    with started(fresh_environ(tmp_path), *SERVE_EMBEDDED, "--upload-root", str(uploads)) as server:
        yield server.url("MCP")


@pytest.fixture
def command(tmp_path: Path, uploads: Path) -> Given:
    """The command of a server over stdio, as a host has it in its configuration."""
    command = [*AS_MODULE, "stdio", "--emulator", "--upload-root", str(uploads)]
    return {"command": command, "env": fresh_environ(tmp_path)}


def load_the_sample(client: Connected) -> None:
    """Do the main job, from the file to its corrected rows."""
    assert len(client.tools()) == TOOLS
    first = loaded(client, {"file": SAMPLE})
    assert (first["numberRecordsProcessed"], first["numberRecordsFailed"]) == (240, 11)
    page = client.call("get-failed-results-ingest-job", jobId=first["id"])
    assert (page["total"], len(page["rows"])) == (11, 11)
    second = loaded(client, {"rowsOf": {"jobs": [first["id"]]}, "values": CORRECTIONS})
    assert (second["numberRecordsProcessed"], second["numberRecordsFailed"]) == (11, 5)


def loaded(client: Connected, data: object) -> dict[str, Any]:
    """Load rows; return the answer about the job that has them, once Salesforce has processed the job."""
    job = client.call("create-ingest-job", body=BODY, data=data)
    closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    closed = client.call("close-abort-ingest-job", **closing)
    assert closed["state"] == "JobComplete"
    return closed


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_client_does_the_main_job_over_http(name: str, url: str) -> None:
    with script(name, {"url": url}) as client:
        load_the_sample(client)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_client_does_the_main_job_over_stdio(name: str, command: Given) -> None:
    with script(name, command) as client:
        load_the_sample(client)


def test_a_client_that_asks_for_the_newest_protocol_does_the_main_job_over_http(url: str) -> None:
    with script("typescript_2", {"url": url, "newest": True}) as client:
        load_the_sample(client)


def test_a_client_that_asks_for_the_newest_protocol_does_the_main_job_over_stdio(command: Given) -> None:
    with script("typescript_2", {**command, "newest": True}) as client:
        load_the_sample(client)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_the_schemas_portable_and_does_the_main_job(era: str, url: str, tmp_path: Path) -> None:
    load_the_sample(Inspector(url, era, tmp_path))


def test_the_inspector_starts_the_server_from_a_hosts_configuration(command: Given, tmp_path: Path) -> None:
    program, *arguments = command["command"]
    entry = {"command": program, "args": arguments, "env": command["env"]}
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"salesforce": entry}}), encoding="utf-8")
    server = ("--config", str(config), "--server", "salesforce")
    listed = inspected(tmp_path, *server, "--method", "tools/list", "--strict")["tools"]
    assert len(listed) == TOOLS
