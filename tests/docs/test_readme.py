"""The README's tables, entries and commands, held to the code."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import anyio.to_thread
import pytest

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import running
from salesforce_bulk_ingest.cli.config import SERVER_KEY
from salesforce_bulk_ingest.settings import ENV_NAMES, FILE_NAMES, FLAGS, Settings
from tests.support.orgs import paths_in
from tests.test_contract import CONTRACT

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """What stands between a marker and the next `end`."""
    match = re.search(rf"<!-- {name}: held to the code by a test -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert match, f"the README has no section {name}"
    return match[1]


def code(language: str, after: str) -> str:
    """The first code block of a language below a heading."""
    match = re.search(rf"^## {after}$.*?^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert match, f"no {language} block below {after}"
    return match[1]


def yes(value: bool) -> str:
    return "yes" if value else "no"


def test_the_table_of_tools_is_the_contract() -> None:
    rows = [
        f"| `{name}` | {yes(read_only)} | {yes(destructive)} | {yes(idempotent)} | `{route}` |"
        for name, read_only, destructive, idempotent, route in CONTRACT
    ]
    heading = ["| tool | reads only | destructive | idempotent | REST |", "|---|---|---|---|---|"]
    assert section("tools").splitlines() == heading + rows


def test_the_configuration_table_is_that_of_the_settings() -> None:
    rows = ["| flag | variable | settings.toml | default | meaning |", "|---|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        flag = FLAGS[name].name if name in FLAGS else ""
        outside = (flag, ENV_NAMES.get(name, ""), name if name in FILE_NAMES else "")
        shown = [f"`{value}`" if value else "" for value in outside]
        value = ", ".join(field.default) if isinstance(field.default, tuple) else field.default
        default = "" if value in (None, "", False) else f"`{value}`"
        rows.append(f"| {' | '.join(shown)} | {default} | {field.description} |")
    assert section("configuration").splitlines() == rows, "\n".join(rows)


def test_mcp_json_is_usable_as_it_is() -> None:
    text = (ROOT / "mcp.json").read_text(encoding="utf-8")
    [(key, entry)] = json.loads(text)["mcpServers"].items()
    assert (key, entry["command"], entry["args"]) == (SERVER_KEY, "salesforce-bulk-ingest", ["stdio"])
    assert "${" not in text and "env" not in entry and "/" not in entry["command"]


def test_the_changelog_begins_with_what_is_unreleased_or_with_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", changelog, re.MULTILINE)
    assert headings[headings[0] == "Unreleased"] == __version__


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
async def test_the_curl_lines_do_what_they_say(tmp_path: Path) -> None:
    script = code("sh", "REST")
    async with running(Settings(emulator=True, mcp_port=0, rest_port=0), paths_in(tmp_path)) as addresses:
        script = script.replace("http://127.0.0.1:8080/v1", addresses.rest_url)
        output, again = [await anyio.to_thread.run_sync(typed, "-eu", script) for _ in range(2)]
    assert '"numberRecordsProcessed":240,"numberRecordsFailed":11' in output
    assert output.count("REQUIRED_FIELD_MISSING:") == 4
    assert len(re.findall(r'^"003\w{15}","true"', output, re.MULTILINE)) == 229
    assert '"done":true' in output
    assert '"numberRecordsProcessed":240,"numberRecordsFailed":240' in again
    assert again.count("DUPLICATE_VALUE:") == output.count("DUPLICATE_VALUE:") + 229


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_curl_lines_end_where_nothing_is_served() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else takes it; nobody listens
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        script = code("sh", "REST").replace("http://127.0.0.1:8080/v1", url)
        assert typed("-u", f"{script.replace('sleep 1', ':')}\n:") == ""


def typed(options: str, script: str) -> str:
    """What a script prints that is typed into a shell here."""
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    command = ["sh", options, "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout
