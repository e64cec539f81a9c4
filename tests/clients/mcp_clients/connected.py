"""A client of another maker that is connected to a server, and is told what to call."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.clients.environments import PACKAGES, python_of
from tests.clients.node import HERE, NODE, node

SCRIPTS = Path(__file__).parent
INSPECTOR = (
    HERE / "node_modules" / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
)
Given = dict[str, Any]
"""Where the server is: its `url`, or the `command` that starts it with its `env`."""


class Connected(Protocol):
    """A connected client."""

    def tools(self) -> list[str]:
        """Return the names of the tools that the client lists."""

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured content of the answer to a call that has to succeed."""


@dataclass(frozen=True)
class Script:
    """A client that runs for as long as it is connected, and takes one call a line."""

    process: subprocess.Popen[str]

    def tools(self) -> list[str]:
        return list(self._asked(None, {}))

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = self._asked(tool, arguments)
        assert not answer["isError"], answer["text"]
        structure: dict[str, Any] = answer["structure"]
        return structure

    def _asked(self, tool: str | None, arguments: dict[str, Any]) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"tool": tool, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the client ended"
        return json.loads(line)


@contextmanager
def script(name: str, given: Given) -> Iterator[Script]:
    """Run a script of this folder, in the environment that it needs."""
    command = [python_of(name), f"{name}.py"] if name in PACKAGES else [NODE, f"{name}.mjs"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen([*map(str, command), json.dumps(given)], cwd=SCRIPTS, **pipes) as process:
        try:
            yield Script(process)
            process.communicate(timeout=10)
            assert process.returncode == 0
        finally:
            process.kill()


@dataclass(frozen=True)
class Inspector:
    """The Inspector on the command line, which connects anew for each call."""

    url: str
    era: str
    folder: Path

    def tools(self) -> list[str]:
        return [tool["name"] for tool in self._asked("--method", "tools/list", "--strict")["tools"]]

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        structure: dict[str, Any] = self._asked("--method", "tools/call", *given)["structuredContent"]
        return structure

    def _asked(self, *arguments: str) -> Any:
        return inspected(self.folder, self.url, "--transport", "http", "--protocol-era", self.era, *arguments)


def inspected(folder: Path, *arguments: str) -> Any:
    """Run the Inspector once, with this folder as the user's home, and return the result that it prints."""
    ended = node(str(INSPECTOR), "--cli", *arguments, "--format", "json", "--quiet", environ={"HOME": str(folder)})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)["result"]
