"""The commands that start this program, for other programs and for the user who started it now."""

import shutil
import sys
from pathlib import Path

from salesforce_bulk_ingest.cli.console import PROGRAM


def command_line(started_as: str) -> list[str]:
    """Return the command that starts this program from any working folder and with any PATH.

    Args:
        started_as: `sys.argv[0]`.
    """
    if Path(started_as).name == "__main__.py":
        return [sys.executable, "-m", "salesforce_bulk_ingest"]
    return [str(Path(shutil.which(started_as) or started_as).absolute())]


def as_typed(started_as: str) -> str:
    """Return what the user types to start this program.

    Args:
        started_as: `sys.argv[0]`.
    """
    command = command_line(started_as)
    if command[0] == shutil.which(PROGRAM):
        return PROGRAM
    return started_as if len(command) == 1 else " ".join(command)
