"""How the program is started again."""

import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cli.program import as_typed, command_line


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed command, with its folder on the PATH."""
    (script := tmp_path / "salesforce-bulk-ingest").write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return script


def test_a_module_is_started_with_the_python_that_runs_it(tmp_path: Path) -> None:
    started_as = str(tmp_path / "salesforce_bulk_ingest" / "__main__.py")
    assert command_line(started_as) == [sys.executable, "-m", "salesforce_bulk_ingest"]
    assert as_typed(started_as) == f"{sys.executable} -m salesforce_bulk_ingest"


@pytest.mark.skipif(sys.platform == "win32", reason="how a command is found")
def test_a_command_on_the_path_is_typed_by_its_name_and_started_by_its_whole_path(script: Path) -> None:
    assert command_line(script.name) == [str(script)]
    assert as_typed(script.name) == script.name


def test_a_command_beside_the_path_is_typed_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line("bin/bulk") == [str(Path.cwd() / "bin" / "bulk")]
    assert as_typed("bin/bulk") == "bin/bulk"
