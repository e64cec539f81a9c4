"""The Makefile on machines that lack what it needs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        (None, "Python 3.11 or newer is needed, and there is no PYTHON here."),
        ("Python 3.9.1", "Python 3.11 or newer is needed; PYTHON is Python 3.9.1."),
    ],
)
def test_a_python_that_is_not_there_or_too_old_is_told_in_one_sentence(
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
