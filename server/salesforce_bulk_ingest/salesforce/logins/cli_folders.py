"""Where the official Salesforce CLI is installed: desktop hosts start programs with a PATH that has few of these folders."""

import re
from collections.abc import Mapping
from pathlib import Path

UNIX = ("/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin")
IN_HOME = (
    ".local/bin",
    ".volta/bin",
    ".asdf/shims",
    ".local/share/mise/shims",
    ".nodenv/shims",
    ".npm-global/bin",
    "n/bin",
    "sf/bin",
)
IN_NVM = ".nvm/versions/node"


def cli_folders(home: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders in which installers and managers of Node.js put the CLI, those that are there, the usual first.

    Args:
        home: home folder of the user.
        environ: the environment of the process, which names the folders of programs on Windows.
    """
    nvm = sorted(home.joinpath(IN_NVM).glob("*/bin"), key=_version, reverse=True)
    windows = [
        Path(environ[variable], *parts)
        for variable, parts in (("APPDATA", ("npm",)), ("ProgramFiles", ("sf", "bin")), ("ProgramFiles", ("nodejs",)))
        if environ.get(variable)
    ]
    folders = [*map(Path, UNIX), *(home / folder for folder in IN_HOME), *nvm, *windows]
    return tuple(folder for folder in folders if folder.is_dir())


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]
