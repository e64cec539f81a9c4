"""The OpenAPI document of a running server: a linter reads it, and a tester holds the server to it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.node import node
from tests.support.plain_http import blocking_http

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TRIED_SECONDS = 170


@pytest.fixture(scope="module")
def document(document_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document, in a file."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    with blocking_http() as http:
        file.write_bytes(http.get(document_url).content)
    return file


def test_spectral_finds_nothing(document: Path) -> None:
    linted = spectral(document)
    assert (linted.stdout.strip(), linted.returncode) == ("No results with a severity of 'hint' or higher found!", 0)


def test_spectral_would_find_an_operation_without_a_word(document: Path, tmp_path: Path) -> None:
    described = json.loads(document.read_text("utf-8"))
    del described["paths"]["/jobs/ingest/{jobid}"]["delete"]["description"]
    worse = tmp_path / "openapi.json"
    worse.write_text(json.dumps(described), "utf-8")
    linted = spectral(worse)
    assert "operation-description" in linted.stdout and linted.returncode == 1


def spectral(document: Path) -> subprocess.CompletedProcess[str]:
    program = HERE / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js"
    options = ("--ruleset", str(HERE / "spectral.yaml"), "--fail-severity", "hint")
    return node(str(program), "lint", str(document), *options, environ={}, cwd=HERE)


@pytest.mark.timeout(TRIED_SECONDS + 10)
def test_schemathesis_finds_no_answer_that_is_not_described(document_url: str, tmp_path: Path) -> None:
    tried = subprocess.run(
        [
            *(
                str(Path(sys.executable).with_name("st")),
                "--config-file",
                str(HERE / "schemathesis.toml"),
                "--no-color",
            ),
            *("run", document_url),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TRIED_SECONDS,
    )
    report = "\n".join(line[:300] for line in tried.stdout.splitlines())
    assert tried.returncode == 0, report + tried.stderr
    assert re.search(r"9 selected / 9 total", report) and re.search(r"API Links: +7 covered", report), report
    assert "No issues found" in report, report
