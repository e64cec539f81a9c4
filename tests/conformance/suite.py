"""The conformance tests as npm publishes them, run against a server at a URL."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import anyio
import yaml

from tests.clients.node import NODE

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
RUN_SECONDS = 100

REVISIONS = ("2025-11-25", "2026-07-28")
"""The revisions of the protocol whose requirements are tested, each over its own wire."""


@dataclass(frozen=True)
class Baseline:
    """A file of expected failures: scenarios, or single checks as `scenario:check`, each with its reason as a comment."""

    file: Path

    @classmethod
    def named(cls, name: str) -> "Baseline":
        return cls(HERE / "expected_failures" / f"{name}.yml")

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @property
    def required(self) -> list[str]:
        """What fails of what the revisions require: the program holds these to what it finds."""
        return list(yaml.safe_load(self.text)["server"])

    @property
    def not_scored(self) -> list[str]:
        """What fails of what is run besides, of which the program takes no account."""
        return list(yaml.safe_load(self.text)["not_scored"])


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes:
        as_expected: whether no failure is unexpected, and no scenario passes that was expected to fail.
        expected: the failures that were expected.
        not_scored: the scenarios that failed besides, which are not scored where all is as expected.
        report: all that the program printed.
    """

    as_expected: bool
    expected: set[str]
    not_scored: set[str]
    report: str

    @classmethod
    def of(cls, exit_code: int, report: str) -> "Outcome":
        expected = set(re.findall(r"^  ~ (\S+)$", report, re.MULTILINE))
        unexpected = set(re.findall(r"^✗ (\S+): ", report, re.MULTILINE)) - {entry.split(":")[0] for entry in expected}
        return cls(exit_code == 0, expected, unexpected, report)


async def conformance(url: str, revision: str, baseline: Baseline, folder: Path) -> Outcome:
    """Run what a revision requires, and what it runs besides without scoring it, against a server."""
    command = [str(NODE), str(PROGRAM), "server", "--url", url, "--requirements", revision]
    options = ["--expected-failures", str(baseline.file), "--output-dir", str(folder)]
    with anyio.fail_after(RUN_SECONDS):
        ended = await anyio.run_process([*command, *options], check=False, cwd=folder, stderr=subprocess.STDOUT)
    return Outcome.of(ended.returncode, ended.stdout.decode())
