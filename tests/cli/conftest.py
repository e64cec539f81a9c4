"""Commands run in the test's own process, which has loaded the program already."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.canary import look
from tests.support.commands import Environ, fresh_environ

for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)  # rich reads them when the console is made, as the program is loaded

from salesforce_bulk_ingest.__main__ import __file__ as STARTED_AS  # noqa: E402 # after the above
from salesforce_bulk_ingest.cli.main import main  # noqa: E402 # after the above


class RunHere(Protocol):
    """Runs a command to its end, with more variables and in a folder, and returns its exit code and what it printed."""

    def __call__(
        self, *args: str, more: Environ | None = None, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    return fresh_environ(tmp_path)


@pytest.fixture
def run_here(
    environ: Environ,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> RunHere:
    """A function that runs commands as `python -m salesforce_bulk_ingest`, without the time of a process for each."""

    def run(*args: str, more: Environ | None = None, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        with monkeypatch.context() as patched:
            for name in list(os.environ):
                patched.delenv(name)
            for name, value in (environ | (more or {})).items():
                patched.setenv(name, value)
            patched.chdir(folder or environ["HOME"])
            patched.setattr(tempfile, "tempdir", None)  # where the standard library remembers TMPDIR
            patched.setattr(sys, "argv", [STARTED_AS, *args])
            with pytest.raises(SystemExit) as ended:
                main()
        printed, complaints = capsys.readouterr()
        look(f"what {' '.join(args)} printed", printed + complaints)
        assert not caplog.messages, "a process of its own would print these"
        code = ended.value.code or 0
        assert isinstance(code, int)
        return subprocess.CompletedProcess(args, code, printed, complaints)

    return run
