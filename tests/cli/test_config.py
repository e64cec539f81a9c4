"""The entries for the hosts that run MCP servers."""

import json
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.cli.config import SERVER_KEY, host_entries

HOME = Path("/home/me")
COMMAND = "/opt/my tools/salesforce-bulk-ingest"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="paths of Linux")
def test_each_host_is_told_where_its_entry_goes() -> None:
    entries = host_entries(COMMAND, ["stdio"], HOME, {})
    assert {entry.host: entry.where for entry in entries} == snapshot(
        {
            "Claude Desktop": "merge into /home/me/.config/Claude/claude_desktop_config.json",
            "Claude Code": "run once",
            "VS Code": "merge into .vscode/mcp.json of the workspace",
            "Cursor": "merge into /home/me/.cursor/mcp.json",
        }
    )


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="paths of Linux")
def test_claude_desktop_reads_the_folder_that_xdg_names() -> None:
    (entry, *_) = host_entries(COMMAND, ["stdio"], HOME, {"XDG_CONFIG_HOME": "/cfg"})
    assert entry.where == "merge into /cfg/Claude/claude_desktop_config.json"


def test_an_entry_is_json_with_the_whole_path_of_the_command() -> None:
    for entry in host_entries(COMMAND, ["stdio", "--read-only"], HOME, {}):
        if entry.text.startswith("{"):
            (servers,) = json.loads(entry.text).values()
            assert servers.keys() == {SERVER_KEY}
            assert servers[SERVER_KEY]["command"] == COMMAND
            assert servers[SERVER_KEY]["args"] == ["stdio", "--read-only"]
            assert "env" not in servers[SERVER_KEY]


def test_a_line_for_the_shell_keeps_a_path_with_blanks_together() -> None:
    line = next(entry.text for entry in host_entries(COMMAND, ["stdio"], HOME, {}) if entry.host == "Claude Code")
    assert line == "claude mcp add salesforce-bulk -- '/opt/my tools/salesforce-bulk-ingest' stdio"


def test_key_and_tool_name_together_stay_under_sixty_characters() -> None:
    """Longer ones are dropped by some hosts; the longest tool name is checked here, all of them in the contract test."""
    assert len(f"{SERVER_KEY}:get-successful-results-ingest-job") < 60
