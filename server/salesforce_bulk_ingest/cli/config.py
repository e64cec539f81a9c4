"""The configuration entries of the hosts that run MCP servers."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_KEY = "salesforce-bulk"
"""Key and tool name together must stay under 60 characters, or some hosts drop the tool."""


@dataclass(frozen=True, slots=True)
class HostEntry:
    """What to put where, for one host."""

    host: str
    where: str
    text: str


def host_entries(command: str, arguments: Sequence[str], home: Path, environ: Mapping[str, str]) -> list[HostEntry]:
    """The entries for this machine.

    Args:
        command: the full path of the program; desktop hosts have another PATH.
        arguments: what follows it.
        home: the user's home folder.
        environ: for the folders that Windows and XDG name there.
    """
    stdio = {"command": command, "args": list(arguments)}
    mcp_servers = json.dumps({"mcpServers": {SERVER_KEY: stdio}}, indent=2)
    servers = json.dumps({"servers": {SERVER_KEY: {"type": "stdio", **stdio}}}, indent=2)
    line = _typed((command, *arguments))
    return [
        HostEntry("Claude Desktop", f"merge into {_claude_desktop_file(home, environ)}", mcp_servers),
        HostEntry("Claude Code", "run once", f"claude mcp add {SERVER_KEY} -- {line}"),
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


def _typed(parts: Sequence[str]) -> str:
    return subprocess.list2cmdline(parts) if sys.platform == "win32" else shlex.join(parts)
