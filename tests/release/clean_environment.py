"""An empty virtual environment, to try an archive as its user would."""

import os
import subprocess
import sys
from pathlib import Path

TIMEOUT_SECONDS = 300
KEPT_VARIABLES = frozenset({"PATH", "HOME", "LANG", "TMPDIR"})


class FailedCommand(Exception):
    """A command ended with an error, or did not print what it should."""


class CleanEnvironment:
    """A new virtual environment, and an empty folder that commands run in.

    Args:
        folder: the parent folder of both.
    """

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "venv" / "bin"
        self._work = folder / "work"
        self._work.mkdir()
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)

    def install(self, archive: Path, *, constraints: Path) -> None:
        """Install the archive and its dependencies.

        Raises:
            FailedCommand: pip ended with an error.
        """
        # pip gets all variables, since some may configure it.
        self._run(["python", "-m", "pip", "install", "-q", "-c", constraints.resolve(), archive.resolve()], os.environ)

    def run(self, command: str, *arguments: str, prints: str) -> None:
        """Run an installed command without the variables that configure it.

        Raises:
            FailedCommand: the command ended with an error, or its output lacks the text.
        """
        environ = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES}
        output = self._run([command, *arguments], environ)
        if prints not in output:
            raise FailedCommand(f"`{command} {' '.join(arguments)}` does not print {prints!r}, but:\n{output}")

    def _run(self, command: list[str | Path], environ: os._Environ[str] | dict[str, str]) -> str:
        done = subprocess.run(
            [self._bin / command[0], *command[1:]],
            cwd=self._work,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode:
            raise FailedCommand(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout
