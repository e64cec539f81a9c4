"""The hosts: where each reads its configuration, and what it reads there."""

import json
import sys
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.cli.hosts import HostName, Machine, entry_to_merge, hosts_of

COMMAND = "/opt/my tools/salesforce-bulk-ingest"
LINUX = Machine(PurePosixPath("/home/ann lee"), {}, "linux")
MAC = Machine(PurePosixPath("/Users/ann"), {}, "darwin")
WINDOWS = Machine(PureWindowsPath("C:/Users/Ann Lee"), {}, "win32")


def files(machine: Machine) -> dict[str, str]:
    return {host.name: str(host.file) for host in hosts_of(machine)}


def test_each_host_has_the_file_of_the_user_on_every_system() -> None:
    assert files(LINUX) == snapshot(
        {
            HostName.CLAUDE_DESKTOP: "/home/ann lee/.config/Claude/claude_desktop_config.json",
            HostName.CLAUDE_CODE: "/home/ann lee/.claude.json",
            HostName.VSCODE: "/home/ann lee/.config/Code/User/mcp.json",
            HostName.CURSOR: "/home/ann lee/.cursor/mcp.json",
        }
    )
    assert files(MAC) == snapshot(
        {
            HostName.CLAUDE_DESKTOP: "/Users/ann/Library/Application Support/Claude/claude_desktop_config.json",
            HostName.CLAUDE_CODE: "/Users/ann/.claude.json",
            HostName.VSCODE: "/Users/ann/Library/Application Support/Code/User/mcp.json",
            HostName.CURSOR: "/Users/ann/.cursor/mcp.json",
        }
    )
    assert files(WINDOWS) == snapshot(
        {
            HostName.CLAUDE_DESKTOP: "C:\\Users\\Ann Lee\\AppData\\Roaming\\Claude\\claude_desktop_config.json",
            HostName.CLAUDE_CODE: "C:\\Users\\Ann Lee\\.claude.json",
            HostName.VSCODE: "C:\\Users\\Ann Lee\\AppData\\Roaming\\Code\\User\\mcp.json",
            HostName.CURSOR: "C:\\Users\\Ann Lee\\.cursor\\mcp.json",
        }
    )


@pytest.mark.parametrize(
    ("platform", "home", "environ", "name", "file"),
    [
        ("linux", PurePosixPath("/home/me"), {"XDG_CONFIG_HOME": "/cfg"}, "vscode", "/cfg/Code/User/mcp.json"),
        ("linux", PurePosixPath("/home/me"), {"CLAUDE_CONFIG_DIR": "/cl"}, "claude-code", "/cl/.claude.json"),
        ("win32", PureWindowsPath("C:/u"), {"APPDATA": "D:\\R s"}, "vscode", "D:\\R s\\Code\\User\\mcp.json"),
    ],
)
def test_a_folder_that_the_environment_names_counts(
    platform: str, home: PurePath, environ: dict[str, str], name: str, file: str
) -> None:
    assert files(Machine(home, environ, platform))[name] == file


def test_claude_desktop_as_a_package_of_windows_reads_the_folder_of_the_package(tmp_path: Path) -> None:
    environ = {"APPDATA": str(tmp_path / "Roaming"), "LOCALAPPDATA": str(tmp_path / "Local")}
    roaming = tmp_path / "Roaming" / "Claude" / "claude_desktop_config.json"
    assert files(Machine(tmp_path, environ, "win32"))["claude-desktop"] == str(roaming)
    package = tmp_path / "Local" / "Packages" / "Claude_abc"
    package.mkdir(parents=True)
    packaged = package / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"
    assert files(Machine(tmp_path, environ, "win32"))["claude-desktop"] == str(packaged)


def test_an_entry_is_json_with_the_whole_path_of_the_command() -> None:
    for host in hosts_of(LINUX):
        _, text = entry_to_merge(host, "bulk", COMMAND, ["stdio", "--read-only"], LINUX)
        if host.name is HostName.CLAUDE_CODE:
            continue
        (servers,) = json.loads(text).values()
        assert servers == {"bulk": host.entry(COMMAND, ["stdio", "--read-only"])}
        assert servers["bulk"]["command"] == COMMAND and "env" not in servers["bulk"]


@pytest.mark.skipif(sys.platform == "win32", reason="the shell of other systems")
def test_a_line_for_the_shell_keeps_a_path_with_blanks_together() -> None:
    for machine, line in (
        (MAC, "claude mcp add --scope user bulk -- '/opt/my tools/salesforce-bulk-ingest' stdio"),
        (WINDOWS, 'claude mcp add --scope user bulk -- "/opt/my tools/salesforce-bulk-ingest" stdio'),
    ):
        claude_code = next(host for host in hosts_of(machine) if host.name is HostName.CLAUDE_CODE)
        assert entry_to_merge(claude_code, "bulk", COMMAND, ["stdio"], machine) == ("run once", line)
