"""The curl lines of docs/rest.md, typed into a shell."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import anyio.to_thread
import pytest

from salesforce_bulk_ingest.app.ports import running
from salesforce_bulk_ingest.settings import Settings
from tests.docs.tables import DOCS
from tests.support.orgs import paths_in

ROOT = DOCS.parent


def curl_lines() -> str:
    page = (DOCS / "rest.md").read_text(encoding="utf-8")
    match = re.search(r"^```sh\n(url=.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert match, "docs/rest.md has no curl lines"
    return match[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
async def test_the_curl_lines_do_what_they_say(tmp_path: Path) -> None:
    script = curl_lines()
    async with running(Settings(emulator=True, mcp_port=0, rest_port=0), paths_in(tmp_path)) as addresses:
        script = script.replace("http://127.0.0.1:8080/v1", addresses.rest_url)
        output, again = [await anyio.to_thread.run_sync(typed, "-eu", script) for _ in range(2)]
    assert '"numberRecordsProcessed":240,"numberRecordsFailed":11' in output
    assert output.count("REQUIRED_FIELD_MISSING:") == 4
    assert len(re.findall(r'^"003\w{15}","true"', output, re.MULTILINE)) == 229
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert [answer.get("state") for answer in answers] == ["UploadComplete", "JobComplete", None]
    assert answers[-1]["done"] is True
    assert '"numberRecordsProcessed":240,"numberRecordsFailed":240' in again
    assert again.count("DUPLICATE_VALUE:") == output.count("DUPLICATE_VALUE:") + 229


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_curl_lines_end_where_nothing_is_served() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else takes it; nobody listens
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        script = curl_lines().replace("http://127.0.0.1:8080/v1", url)
        assert typed("-u", f"{script.replace('sleep 1', ':')}\n:").split() == []


def typed(options: str, script: str) -> str:
    """What a script prints that is typed into a shell here."""
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    command = ["sh", options, "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout
