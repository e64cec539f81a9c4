"""The hosts that start MCP servers: where each keeps its configuration on this machine, and what an entry looks like."""

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath


class HostName(StrEnum):
    """The hosts, by the names that users type."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    VSCODE = "vscode"
    CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Host:
    """A host, and its configuration for one user of this machine.

    Attributes:
        name: the host as users type it.
        title: its name.
        file: the file of its configuration for all folders and projects of the user.
        servers: the key under which the file has the servers.
        names_transport: whether an entry has a `type`.
        afterwards: what the user does, so that the host reads the file again.
    """

    name: HostName
    title: str
    file: PurePath
    afterwards: str
    servers: str = "mcpServers"
    names_transport: bool = False

    def entry(self, command: str, arguments: Sequence[str]) -> dict[str, object]:
        """Return the entry of a server.

        Args:
            command: full path of the program, since desktop hosts have another PATH.
            arguments: arguments of the program.
        """
        transport = {"type": "stdio"} if self.names_transport else {}
        return {**transport, "command": command, "args": list(arguments)}


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where programs keep their files.

    Attributes:
        home: home folder of the user.
        environ: the environment of the process, which names the folders for configuration, such as APPDATA.
        platform: `sys.platform`.
    """

    home: PurePath
    environ: Mapping[str, str]
    platform: str

    def config_dir(self) -> PurePath:
        """Return the folder in which Electron's programs keep their configuration (Electron, `app.getPath("appData")`)."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        variable, default = ("APPDATA", ("AppData", "Roaming")), ("XDG_CONFIG_HOME", (".config",))
        name, below_home = variable if self.platform == "win32" else default
        named = self.environ.get(name)
        return type(self.home)(named) if named else self.home.joinpath(*below_home)

    def claude_desktop_dir(self) -> PurePath:
        """Return the folder of Claude Desktop: as a package of Windows it reads one of the package's in place of APPDATA.

        Source: issue 26073 of anthropics/claude-code; the part after `Claude_` is the publisher's.
        """
        local = self.environ.get("LOCALAPPDATA") if self.platform == "win32" else None
        packages = Path(local, "Packages").glob("Claude_*") if local else ()
        package = min(packages, default=None)
        roaming = self.config_dir() if package is None else package / "LocalCache" / "Roaming"
        return roaming / "Claude"

    def shell_line(self, parts: Sequence[str]) -> str:
        """Return a command as a line for this machine's shell."""
        return subprocess.list2cmdline(parts) if self.platform == "win32" else shlex.join(parts)


def hosts_of(machine: Machine) -> tuple[Host, ...]:
    """Return the hosts with their files for the user of a machine, installed or not."""
    home, claude_dir = machine.home, machine.environ.get("CLAUDE_CONFIG_DIR")
    return (
        Host(
            HostName.CLAUDE_DESKTOP,
            "Claude Desktop",
            machine.claude_desktop_dir() / "claude_desktop_config.json",
            "Quit Claude Desktop, and start it again.",
        ),
        # The file to which `claude mcp add --scope user` writes.
        Host(
            HostName.CLAUDE_CODE,
            "Claude Code",
            (type(home)(claude_dir) if claude_dir else home) / ".claude.json",
            "The next session of Claude Code has it.",
            names_transport=True,
        ),
        Host(
            HostName.VSCODE,
            "VS Code",
            machine.config_dir() / "Code" / "User" / "mcp.json",
            "Start the server in VS Code with the command MCP: List Servers.",
            servers="servers",
            names_transport=True,
        ),
        Host(
            HostName.CURSOR,
            "Cursor",
            home / ".cursor" / "mcp.json",
            "Switch the server on in Cursor's settings, under MCP.",
        ),
    )


def entry_to_merge(host: Host, key: str, command: str, arguments: Sequence[str], machine: Machine) -> tuple[str, str]:
    """Return what a user does with an entry, and its text: JSON, or a line for the shell where the host has a command.

    Args:
        host: the host.
        key: key of the server.
        command: full path of the program.
        arguments: arguments of the program.
        machine: the machine of the user.
    """
    if host.name is HostName.CLAUDE_CODE:
        line = machine.shell_line((command, *arguments))
        return "run once", f"claude mcp add --scope user {key} -- {line}"
    servers = {host.servers: {key: host.entry(command, arguments)}}
    return f"merge into {host.file}", json.dumps(servers, indent=2)
