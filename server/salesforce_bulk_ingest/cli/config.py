"""The command `config`: the entries for the configuration of the hosts that run MCP servers."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from salesforce_bulk_ingest.cli.console import out, say
from salesforce_bulk_ingest.cli.options import settings_options, warn
from salesforce_bulk_ingest.cli.program import command_line
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.settings_sources import BadSetting, load_settings

SERVER_KEY = "salesforce-bulk"
"""The key of this server in the entries; for one of several orgs, its name is added."""

LONGEST_ORG_NAME = 9
"""The most characters of an org's name in the key: some hosts drop a tool if key and tool name together have 60 or more, and
the longest of our tools has 34."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """The entry for one host.

    Attributes:
        host: name of the host.
        where: instruction what to do with the text, and in which file.
        text: entry as JSON, or as a line for the shell.
    """

    host: str
    where: str
    text: str


@settings_options("org_name", "emulator", "read_only", "upload_roots")
def config(**flags: object) -> None:
    """Print the entry for this machine's Claude Desktop, Claude Code, VS Code and Cursor."""
    # The environment of this command is not read, since a host starts the server with another environment.
    settings = load_settings({**flags, "org_name": None}, {})
    warn(settings, {})
    org_name = _org_name(flags)
    command, *arguments = command_line(sys.argv[0])
    arguments.append("stdio")
    if org_name is not None:
        arguments += ["--org", org_name]
    if settings.emulator:
        arguments.append("--emulator")
    if settings.read_only:
        arguments.append("--read-only")
    for root in settings.upload_roots:
        arguments += ["--upload-root", str(root)]
    key = SERVER_KEY if org_name is None else f"{SERVER_KEY}-{org_name}"
    for entry in host_entries(command, arguments, Path.home(), os.environ, key):
        out.print(Text(f"{entry.host}: {entry.where}", style="bold"), soft_wrap=True)
        say(entry.text)
        out.print()


def _org_name(flags: Mapping[str, object]) -> str | None:
    """Return the name of the org in the flags; its settings have been checked, since a host would not show what is wrong.

    Raises:
        BadSetting: there is no such org, its settings can't be used, or its name is too long for the hosts.
    """
    if flags.get("org_name") is None:
        return None
    org_name = load_settings(flags, {}, default_local_paths().settings_file).org_name
    assert org_name is not None
    if len(org_name) > LONGEST_ORG_NAME:
        raise BadSetting(
            f"--org: {org_name!r} is too long for the key of an entry: some hosts drop tools whose name has 60 or more "
            f"characters with the key. Give the table a name of at most {LONGEST_ORG_NAME} characters, such as "
            f"{org_name[:4].rstrip('-_')!r}."
        )
    return org_name


def host_entries(
    command: str, arguments: Sequence[str], home: Path, environ: Mapping[str, str], key: str = SERVER_KEY
) -> list[HostEntry]:
    """Return the entries for this machine.

    Args:
        command: full path of the program, since desktop hosts have another PATH.
        arguments: arguments of the program.
        home: home folder of the user.
        environ: the environment of the process, which names the folders for configuration (APPDATA, XDG_CONFIG_HOME).
        key: key of the server.
    """
    stdio = {"command": command, "args": list(arguments)}
    mcp_servers = json.dumps({"mcpServers": {key: stdio}}, indent=2)
    servers = json.dumps({"servers": {key: {"type": "stdio", **stdio}}}, indent=2)
    line = _shell_line((command, *arguments))
    return [
        HostEntry("Claude Desktop", f"merge into {_claude_desktop_file(home, environ)}", mcp_servers),
        HostEntry("Claude Code", "run once", f"claude mcp add {key} -- {line}"),
        HostEntry("VS Code", "merge into .vscode/mcp.json of the workspace", servers),
        HostEntry("Cursor", f"merge into {home / '.cursor' / 'mcp.json'}", mcp_servers),
    ]


def _claude_desktop_file(home: Path, environ: Mapping[str, str]) -> Path:
    folders = {
        "darwin": home / "Library" / "Application Support" / "Claude",
        "win32": Path(environ.get("APPDATA", home / "AppData" / "Roaming")) / "Claude",
    }
    elsewhere = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "Claude"
    return folders.get(sys.platform, elsewhere) / "claude_desktop_config.json"


def _shell_line(parts: Sequence[str]) -> str:
    return subprocess.list2cmdline(parts) if sys.platform == "win32" else shlex.join(parts)
