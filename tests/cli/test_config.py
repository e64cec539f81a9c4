"""The command `config`: the entries for the hosts that run MCP servers."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from salesforce_bulk_ingest.cli.config import MOST_KEY_CHARACTERS
from salesforce_bulk_ingest.cli.hosts import Host, Machine, hosts_of
from tests.cli.conftest import RunHere
from tests.support.canary import TOKEN
from tests.support.commands import INSTALLED, Environ, run, write_settings

COMMAND = "/opt/my tools/salesforce-bulk-ingest"


def entries_in(printed: str) -> list[dict[str, Any]]:
    """The entries of a server in what the command has printed, without their key and without the key of the servers."""
    texts = re.findall(r"^\{.*?^\}", printed, re.MULTILINE | re.DOTALL)
    return [entry for text in texts for servers in json.loads(text).values() for entry in servers.values()]


def test_key_and_tool_name_together_stay_under_sixty_characters() -> None:
    """Longer ones are dropped by some hosts; the longest tool name is checked here, all of them in the contract test."""
    longest = "get-unprocessed-records-ingest-job"
    assert MOST_KEY_CHARACTERS + len(longest) == 59


def test_config_prints_entries_that_a_host_takes_as_they_are(environ: Environ) -> None:
    printed = run(environ, "config", "--emulator", program=INSTALLED)
    assert (printed.returncode, printed.stderr) == (0, "")
    entries = entries_in(printed.stdout)
    for server in entries:
        assert (server["command"], server["args"]) == (INSTALLED[0], ["stdio", "--emulator"])
        assert Path(server["command"]).is_absolute() and os.access(server["command"], os.X_OK)
    assert len(entries) == 3
    shown = printed.stdout.replace(f"`{INSTALLED[0]}", "`salesforce-bulk-ingest").replace(INSTALLED[0], "/opt/bulk")
    assert shown.replace(environ["HOME"], "/home/me") == snapshot("""\
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
claude mcp add --scope user salesforce-bulk -- /opt/bulk stdio --emulator

VS Code: merge into /home/me/config/Code/User/mcp.json
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

No files may be loaded, since there is no folder of downloads here: --upload-root DIR names a folder.
`salesforce-bulk-ingest config HOST --emulator --write` merges the entry of a host.
HOST is claude-desktop, claude-code, vscode, cursor.
""")


def test_config_of_a_program_run_as_a_module_names_a_command_that_runs(run_here: RunHere) -> None:
    printed = run_here("config").stdout
    (entry, *_) = entries_in(printed)
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


def test_the_line_that_writes_the_entry_has_the_options_that_it_was_printed_with(
    run_here: RunHere, tmp_path: Path
) -> None:
    (tmp_path / "my exports").mkdir()
    options = ["--emulator", "--upload-root", "my exports", "--name", "mine"]
    done = run_here("config", "cursor", *options, folder=tmp_path)
    typed = f"config cursor --emulator --upload-root '{tmp_path / 'my exports'}' --name mine --write` merges the entry."
    assert typed in done.stdout


def test_config_passes_what_a_server_is_started_with_and_whole_paths(run_here: RunHere, tmp_path: Path) -> None:
    for folder in ("exports", "saved", "recipes"):
        (tmp_path / folder).mkdir()
    (tmp_path / "schema.yaml").write_text("objects: {}")
    folders = {
        "--upload-root": "exports",
        "--save-root": "saved",
        "--recipes": "recipes",
        "--schema": "schema.yaml",
        "--audit": "audit.jsonl",
    }
    rules = [
        "--only-recipes",
        "--no-allow-undo",
        "--hide-field",
        "*SSN*",
        "--confirm",
        "delete",
        "--max-job-rows",
        "100",
        "--undo-rows",
        "0",
    ]
    typed = [part for option in folders.items() for part in option]
    done = run_here("config", "cursor", "--emulator", *rules, *typed, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [entry] = entries_in(done.stdout)
    arguments = entry["args"][entry["args"].index("stdio") + 1 :]
    whole = [part for option, name in folders.items() for part in (option, str(tmp_path / name))]
    assert sorted(arguments) == sorted(["--emulator", *rules, *whole])


def test_config_takes_nothing_from_the_environment_that_a_host_will_not_have(run_here: RunHere) -> None:
    assert (
        run_here("config", more={"BULK_INGEST_READ_ONLY": "1", "BULK_INGEST_MCP_PORT": "x"}).stdout.count("--read-only")
        == 0
    )
    assert run_here("config", "--read-only").stdout.count("--read-only") == 5, (
        "four entries, and the line that writes one"
    )


def test_config_of_one_of_several_orgs_has_its_name_in_the_key_and_among_the_arguments(
    run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    """So that a host can have an entry for each."""
    write_settings(environ, "mcp_port = 1\n[orgs.uat]\norg = 'acme'\nread_only = true\n[orgs.prod]")
    (exports := tmp_path / "exports").mkdir()
    for name in ("uat", "prod"):
        done = run_here("config", "--org", name, "--upload-root", str(exports))
        assert (done.returncode, done.stderr) == (0, "")
        entries = entries_in(done.stdout)
        for server in entries:
            assert server["args"][2:] == ["stdio", "--org", name, "--upload-root", str(exports)]
        assert len(entries) == done.stdout.count(f'"salesforce-bulk-{name}": {{') == 3
        line = f"mcp add --scope user salesforce-bulk-{name} -- {sys.executable} -m salesforce_bulk_ingest stdio --org {name} "
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
        "salesforce-bulk-ingest: --org: the server would be called 'salesforce-bulk-production', and some hosts drop tools whose name has 60 or more characters with that of the server. Choose another name, such as --name bulk-production.\n"
    )
    assert complaint("--org", "uat", "--emulator") == snapshot(
        "salesforce-bulk-ingest: --emulator and --org: the embedded org is none of the orgs in settings.toml, keep one.\n"
    )
    assert run_here("config", "--org", "abcdefghi").returncode == 0
    done = run_here("config", "--org", "production", "--name", "bulk-production")
    assert (done.returncode, done.stdout.count("bulk-production")) == (0, 5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(
            (name, "letters, digits, - and _, with a letter or a digit first: some")
            for name in ("", "my sf", "-a", TOKEN)
        ),
        ("a" * 26, "at most 25 characters: some hosts drop tools"),
    ],
)
def test_a_name_that_some_host_does_not_take_is_refused_with_the_reason_and_not_shown(
    name: str, expected: str, run_here: RunHere
) -> None:
    done = run_here("config", "--name", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"salesforce-bulk-ingest: --name: expected {expected}")
    assert not name or name not in done.stderr


def test_the_folder_of_downloads_is_proposed_unless_another_one_is_named(
    run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    def root(*args: str) -> list[str]:
        (entry, *_) = entries_in(run_here("config", *args).stdout)
        assert isinstance(entry["args"], list)
        return entry["args"][3:]

    assert root() == []  # there is no such folder
    (downloads := Path(environ["HOME"]) / "Downloads").mkdir()
    assert root() == ["--upload-root", str(downloads)]
    assert f"Files may be loaded from {downloads}: --upload-root DIR names another" in run_here("config").stdout
    (home := Path(environ["HOME"]) / "my exports").mkdir()
    assert root("--upload-root", "~/my exports") == ["--upload-root", str(home)]
    assert root("--read-only") == ["--read-only"]
    write_settings(environ, f"upload_roots = ['{tmp_path}']")
    assert root() == []


def test_the_entry_of_one_host_is_shown_and_written_by_its_name(run_here: RunHere, environ: Environ) -> None:
    file = Path(environ["HOME"]) / ".cursor" / "mcp.json"
    assert run_here("config", "cursor").stdout.startswith(f"Cursor: merge into {file}\n")
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"other": {"command": "x"}}}')
    done = run_here("config", "cursor", "--write", "--yes", "--name", "bulk")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No files may be loaded, since there is no folder of downloads here" in done.stdout
    assert done.stdout.endswith(
        f"Written to {file}; as it was, it is {file}.bak. Switch the server on in Cursor's settings, under MCP.\n"
    )
    arguments = ["-m", "salesforce_bulk_ingest", "stdio"]
    assert json.loads(file.read_text()) == {
        "mcpServers": {"other": {"command": "x"}, "bulk": {"command": sys.executable, "args": arguments}}
    }
    assert run_here("config", "cursor", "--write", "--name", "bulk").stdout == f"{file} has this entry already.\n"


def test_nothing_is_written_unasked(run_here: RunHere, environ: Environ) -> None:
    done = run_here("config", "vscode", "--write")
    assert done.returncode == 2 and done.stdout.startswith("--- ")
    assert done.stderr.replace(environ["HOME"], "/home/me") == snapshot("""\
salesforce-bulk-ingest: warning: there is no /home/me/config/Code/User, so VS Code may not be installed; writing makes the folder.
salesforce-bulk-ingest: nothing was done, since there is no terminal to ask on: add --yes to agree.
""")
    assert not (Path(environ["XDG_CONFIG_HOME"]) / "Code").exists()
    assert run_here("config", "vscode", "--yes").stderr == snapshot(
        "salesforce-bulk-ingest: --yes: it agrees to --write, so add that, or leave --yes out.\n"
    )
    assert run_here("config", "--write").stderr == snapshot(
        "salesforce-bulk-ingest: --write: name the host, one of claude-desktop, claude-code, vscode, cursor.\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_where_a_link_leads_is_told_even_if_nothing_is_there_yet(run_here: RunHere, environ: Environ) -> None:
    home = Path(environ["HOME"]).resolve()
    link, file = home / ".cursor" / "mcp.json", home / "dotfiles" / "mcp.json"
    link.parent.mkdir()
    link.symlink_to(file)
    done = run_here("config", "cursor", "--write", "--yes", more={"HOME": str(home)})
    assert (
        f"warning: there is no {file.parent}, so Cursor may not be installed; writing makes the folder." in done.stderr
    )
    assert f"\nWritten to {file}, where {link} leads. Switch" in done.stdout
    assert file.exists() and link.is_symlink()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="env")
async def test_a_newcomer_loads_a_file_from_downloads_with_the_entry_that_config_wrote(tmp_path: Path) -> None:
    """Nothing is edited by hand, and the host starts the entry in the folder /, with HOME as the only variable.

    Every host's entry starts the same command, so one of them is started.
    """
    home = tmp_path / "my home"
    (home / "Downloads").mkdir(parents=True)
    (home / "Downloads" / "new contacts.csv").write_text("FirstName,LastName\nAda,Lovelace\nAlan,Turing\n")
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    written = [written_command(host, environ) for host in hosts_of(Machine(home, environ, sys.platform))]
    command = ["-i", f"HOME={home}", *written[0]]
    assert len(written) == 4 and written == [written[0]] * 4
    server = StdioServerParameters(command="env", args=command, cwd="/")
    arguments = {
        "body": {"object": "Contact", "operation": "insert"},
        "data": {"file": "~/Downloads/new contacts.csv"},
    }
    async with Client(stdio_client(server)) as client:
        created = await client.call_tool("create-ingest-job", arguments)
        assert created.structured_content is not None, created.content
        closing = {"jobId": created.structured_content["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
        closed = await client.call_tool("close-abort-ingest-job", closing)
    assert closed.structured_content is not None, closed.content
    assert (closed.structured_content["state"], closed.structured_content["numberRecordsProcessed"]) == (
        "JobComplete",
        2,
    )


def written_command(host: Host, environ: Environ) -> list[str]:
    """Let `config` write the entry of a host, and return the command in it."""
    assert run(environ, "config", host.name, "--emulator", "--write", "--yes", program=INSTALLED).returncode == 0
    entry = json.loads(Path(host.file).read_text())[host.servers]["salesforce-bulk"]
    return [entry["command"], *entry["args"]]
