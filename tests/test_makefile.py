"""The Makefile on machines that lack what it needs, and what calls its targets."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

TARGETS = frozenset(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
"""The targets that `make help` lists."""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        (None, "Python 3.11 or newer is needed, and there is no PYTHON here."),
        ("Python 3.9.1", "Python 3.11 or newer is needed; PYTHON is Python 3.9.1."),
    ],
)
def test_a_python_that_is_missing_or_too_old_is_reported_in_one_sentence(
    version: str | None, complaint: str, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for needed in ("pyproject.toml", "constraints.txt"):
        (tmp_path / needed).touch()
    python = tmp_path / "python"
    if version is not None:
        python.write_text(f"#!/bin/sh\n[ $1 = -V ] && echo {version}\n")
        python.chmod(0o755)
    command = ["make", "--no-print-directory", f"PYTHON={python}", "demo"]
    # Not as a part of the make that may be running these tests.
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.replace(str(python), "PYTHON") == f"{complaint} Name one: make PYTHON=python3.12 ...\n"
    assert [line for line in done.stderr.splitlines() if not line.startswith("make: ***")] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
def test_help_lists_each_target_with_its_text_in_one_column() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    columns = dict(re.findall(r"^  make ((\S+) +)\S", done.stdout, re.MULTILINE))
    assert set(columns.values()) == TARGETS
    assert {len(column) for column in columns} == {max(map(len, TARGETS)) + 1}


def test_every_target_that_is_listed_is_declared_phony() -> None:
    [phony] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_ci_calls_targets_that_there_are() -> None:
    called = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert called and set(called) <= TARGETS


def test_the_hooks_before_a_commit_run_all_static_checks_and_fetch_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [repository] = config["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    called = [hook["entry"].rpartition(" ")[2] for hook in repository["hooks"]]
    assert called == re.findall(r"^check: (.*)  ##", MAKEFILE, re.MULTILINE)[0].split()
