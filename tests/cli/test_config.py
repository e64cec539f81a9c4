"""The command `config`: the entries for the hosts that run MCP servers."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.cli.config import LONGEST_ORG_NAME, SERVER_KEY, host_entries
from tests.cli.conftest import RunHere
from tests.support.commands import INSTALLED, Environ, run, write_settings

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
    longest = "get-unprocessed-records-ingest-job"
    assert len(f"{SERVER_KEY}:{longest}") < 60
    assert len(f"{SERVER_KEY}-{'x' * LONGEST_ORG_NAME}{longest}") == 59


def test_config_prints_entries_that_a_host_takes_as_they_are(environ: Environ) -> None:
    printed = run(environ, "config", "--emulator", program=INSTALLED)
    assert (printed.returncode, printed.stderr) == (0, "")
    entries = re.findall(r"^\{.*?^\}", printed.stdout, re.MULTILINE | re.DOTALL)
    for entry in (json.loads(text) for text in entries):
        (servers,) = entry.values()
        server = servers["salesforce-bulk"]
        assert (server["command"], server["args"]) == (INSTALLED[0], ["stdio", "--emulator"])
        assert Path(server["command"]).is_absolute() and os.access(server["command"], os.X_OK)
    assert len(entries) == 3
    assert printed.stdout.replace(INSTALLED[0], "/opt/bulk").replace(environ["HOME"], "/home/me") == snapshot("""\
Claude Desktop: merge into /home/me/config/Claude/claude_desktop_config.json
{
  "mcpServers": {
    "salesforce-bulk": {
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

Claude Code: run once
claude mcp add salesforce-bulk -- /opt/bulk stdio --emulator

VS Code: merge into .vscode/mcp.json of the workspace
{
  "servers": {
    "salesforce-bulk": {
      "type": "stdio",
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

Cursor: merge into /home/me/.cursor/mcp.json
{
  "mcpServers": {
    "salesforce-bulk": {
      "command": "/opt/bulk",
      "args": [
        "stdio",
        "--emulator"
      ]
    }
  }
}

""")


def test_config_of_a_program_run_as_a_module_names_a_command_that_runs(run_here: RunHere) -> None:
    printed = run_here("config").stdout
    entry = json.loads(printed[printed.index("{") : printed.index("\n}\n") + 2])["mcpServers"]["salesforce-bulk"]
    assert (entry["command"], entry["args"]) == (sys.executable, ["-m", "salesforce_bulk_ingest", "stdio"])


def test_config_names_the_folders_to_upload_from_wherever_a_host_starts_it(run_here: RunHere, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    done = run_here("config", "--upload-root", "exports", folder=tmp_path)
    assert done.stdout.count(f'"--upload-root",\n        "{tmp_path / "exports"}"') == 3
    assert f"stdio --upload-root {tmp_path / 'exports'}\n" in done.stdout
    done = run_here("config", "--upload-root", "nope", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"salesforce-bulk-ingest: --upload-root: expected a folder that exists, not {tmp_path / 'nope'}.\n",
    )


def test_config_takes_nothing_from_the_environment_that_a_host_will_not_have(run_here: RunHere) -> None:
    assert (
        run_here("config", more={"BULK_INGEST_READ_ONLY": "1", "BULK_INGEST_MCP_PORT": "x"}).stdout.count("--read-only")
        == 0
    )
    assert run_here("config", "--read-only").stdout.count("--read-only") == 4


def test_config_of_one_of_several_orgs_has_its_name_in_the_key_and_among_the_arguments(
    run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    """So that a host can have an entry for each."""
    write_settings(environ, "mcp_port = 1\n[orgs.uat]\norg = 'acme'\nread_only = true\n[orgs.prod]")
    (exports := tmp_path / "exports").mkdir()
    for name in ("uat", "prod"):
        done = run_here("config", "--org", name, "--upload-root", str(exports))
        assert (done.returncode, done.stderr) == (0, "")
        entries = [json.loads(text) for text in re.findall(r"^\{.*?^\}", done.stdout, re.MULTILINE | re.DOTALL)]
        for (servers,) in (entry.values() for entry in entries):
            [(key, server)] = servers.items()
            assert (key, server["args"][2:]) == (
                f"salesforce-bulk-{name}",
                ["stdio", "--org", name, "--upload-root", str(exports)],
            )
        assert len(entries) == 3
        line = f"mcp add salesforce-bulk-{name} -- {sys.executable} -m salesforce_bulk_ingest stdio --org {name} "
        assert line in done.stdout


def test_config_says_what_is_wrong_with_an_org_before_a_host_would_hide_it(run_here: RunHere, environ: Environ) -> None:
    write_settings(environ, "[orgs.uat]\n[orgs.bad]\norg = ''\n[orgs.production]\n[orgs.abcdefghi]")

    def complaint(*args: str) -> str:
        done = run_here("config", *args)
        assert done.returncode == 2
        return done.stderr.replace(environ["HOME"], "/home/me")

    assert complaint("--org", "utt") == snapshot(
        "salesforce-bulk-ingest: --org: /home/me/config/salesforce-bulk-ingest/settings.toml has no such org, only 'uat', 'bad', 'production' and 'abcdefghi'; did you mean 'uat'?\n"
    )
    assert complaint("--org", "bad") == snapshot(
        "salesforce-bulk-ingest: org in [orgs.bad] of /home/me/config/salesforce-bulk-ingest/settings.toml: expected a text that is not empty.\n"
    )
    assert complaint("--org", "production") == snapshot(
        "salesforce-bulk-ingest: --org: 'production' is too long for the key of an entry: some hosts drop tools whose name has 60 or more characters with the key. Give the table a name of at most 9 characters, such as 'prod'.\n"
    )
    assert complaint("--org", "uat", "--emulator") == snapshot(
        "salesforce-bulk-ingest: --emulator and --org: the embedded org is none of the orgs in settings.toml, keep one.\n"
    )
    assert run_here("config", "--org", "abcdefghi").returncode == 0
