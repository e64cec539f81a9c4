"""Published programs that check a server: what its tools say of themselves, and how it keeps to the protocol."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.environments import python_of
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started

CHECK_SECONDS = 60

WAIVERS = {
    ("shadow-candidate", "create-ingest-job"): "delete-ingest-job takes fewer arguments, and does the opposite",
    ("shadow-candidate", "close-abort-ingest-job"): "delete-ingest-job takes fewer arguments, and refuses open jobs",
    ("shadow-candidate", "upload-data-ingest-job"): "list-all-ingest-jobs takes none, and sends no rows",
}
"""Findings of `tdqs lint` that stay, and why: it compares the numbers of arguments alone, and leaves their meaning to a model."""

MCPCHECKS = ("handshake", "session", "discover", "protocol", "schemas", "errors", "cache", "origin")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the MCP server."""
    with started(fresh_environ(tmp_path_factory.mktemp("served")), *SERVE_EMBEDDED) as server:
        yield server.url("MCP")


def report_of(checker: str, *arguments: str) -> dict[str, Any]:
    """The report in JSON of a program that finds nothing to stop at."""
    command = [str(python_of("checkers")), "-m", checker, *arguments]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=CHECK_SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def test_tdqs_finds_nothing_in_the_tools_but_what_is_waived(url: str) -> None:
    report = report_of("tdqs", "lint", "--url", url, "--format", "json", "--fail-on", "error")
    assert len(report["tools"]) == 9
    assert {(found["rule"], found["tool"]) for found in report["findings"]} == WAIVERS.keys()


def test_mcpcheck_passes_all_its_checks(url: str) -> None:
    report = report_of("mcpcheck", "--strict", "--json", url)
    assert {check["name"]: check["status"] for check in report["checks"]} == dict.fromkeys(MCPCHECKS, "pass")
