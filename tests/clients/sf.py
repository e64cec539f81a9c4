"""The official Salesforce CLI, in a home folder of its own."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.node import HERE, node

RUN = HERE / "node_modules" / "@salesforce" / "cli" / "bin" / "run.js"
ALIAS = "emulator"


@dataclass(frozen=True)
class Said:
    """The outcome of a command.

    Attributes:
        code: exit code.
        answer: output as JSON; empty for a command run without --json.
        text: output for people, without colours and spinners; empty for a command run with --json.
        complaint: output on stderr.
    """

    code: int
    answer: dict[str, Any]
    text: str
    complaint: str

    @property
    def result(self) -> Any:
        assert self.code == 0, self.answer or self.complaint
        return self.answer["result"]


class Sf:
    """Runs commands of `sf` in a folder that is its home and its working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environ = {
            "HOME": str(folder),
            "COLUMNS": "200",
            "SF_AUTOUPDATE_DISABLE": "true",
            "SF_DISABLE_AUTOUPDATE": "true",
            "SF_DISABLE_DNS_CHECK": "true",
            "SF_DISABLE_TELEMETRY": "true",
            "SF_SKIP_NEW_VERSION_CHECK": "true",
            "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
        }

    def json(self, command: str, *arguments: str, **environ: str) -> Said:
        """The outcome of a command that is run with --json."""
        ended = self._run(*command.split(), *arguments, "--json", **environ)
        return Said(ended.returncode, json.loads(ended.stdout), "", ended.stderr)

    def shown(self, command: str, *arguments: str) -> Said:
        """The outcome of a command that is run as people run it."""
        ended = self._run(*command.split(), *arguments)
        return Said(ended.returncode, {}, _plain(ended.stdout), _plain(ended.stderr))

    def _run(self, *arguments: str, **environ: str) -> Any:
        return node(str(RUN), *arguments, environ={**self._environ, **environ}, cwd=self.folder)

    def file(self, name: str, text: str) -> str:
        """Write a file into the working directory; return its name."""
        (self.folder / name).write_bytes(text.encode())
        return name

    def written(self, name: str) -> str:
        """The text of a file that a command wrote into its working directory."""
        return (self.folder / name).read_bytes().decode()


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
