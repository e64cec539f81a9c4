"""The product's commands as a user runs them, each in a process of its own, without any settings of this machine."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.settings import ENV_NAMES
from tests.support.canary import TOKEN, look
from tests.support.keyrings import NO_KEYRING

Environ = dict[str, str]
AS_MODULE = (sys.executable, "-m", "salesforce_bulk_ingest")
INSTALLED = (str(Path(sys.executable).with_name("salesforce-bulk-ingest")),)
SERVE_EMBEDDED = ("serve", "--emulator", "--mcp-port", "0", "--rest-port", "0")
READY = "Ctrl-C ends it."
END_SECONDS = 45
"""How long a test waits for the end of a program: a machine under load takes its time, and a program that never ends fails."""


def fresh_environ(folder: Path) -> Environ:
    """The environment variables of a machine without settings; settings of this machine are neither read nor written."""
    home, temporary = folder / "home", folder / "tmp"
    for made in (home, temporary):
        made.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "COLUMNS": "500",
        "PYTHON_KEYRING_BACKEND": NO_KEYRING,
        "BROWSER": "true",
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
    }


def write_settings(environ: Environ, text: str) -> Path:
    """Write the settings file of this environment, for its user alone, and return its path."""
    file = Path(environ["XDG_CONFIG_HOME"]) / "salesforce-bulk-ingest" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return file


def run(
    environ: Environ, *args: str, program: Sequence[str] = AS_MODULE, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in this folder."""
    done = subprocess.run(
        [*program, *args],
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    look(f"what {' '.join(args)} printed", done.stdout + done.stderr)
    return done


WITH_CTRL_C = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])",
)
"""A program that takes SIGINT as usual, and then becomes another program: SIGINT is ignored where the tests run in the background
of a script, and whatever is started there inherits that."""


@contextmanager
def started(environ: Environ, *args: str, until: str = READY) -> Iterator["Started"]:
    """Run a command that does not end by itself; yield it once it has printed a line that begins with `until`."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*WITH_CTRL_C, *AS_MODULE, *args], env=environ, encoding="utf-8", **pipes) as process:
        try:
            yield Started(process, _lines_until(process, until) if until else "")
        finally:
            process.kill()


def _lines_until(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith(start):
            look("what a server printed at its start", printed)
            return printed
    assert process.stderr is not None
    raise AssertionError(f"it ended before {start!r}: {printed}{process.stderr.read()}")


@dataclass
class Started:
    """A running command, and the output that it had printed when it was ready."""

    process: subprocess.Popen[str]
    printed: str

    def url(self, name: str) -> str:
        """The address printed under this name."""
        match = re.search(rf"^{name} +(http\S+)$", self.printed, re.MULTILINE)
        assert match is not None, self.printed
        return match[1]

    def ended(self, seconds: float = END_SECONDS) -> tuple[str, str]:
        """Close stdin and return what the command prints to stdout and to stderr until its end."""
        printed, errors = self.process.communicate(timeout=seconds)
        look("what a command printed until its end", printed + errors)
        return printed, errors

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send the signal and return the exit code and stderr, once the command has ended."""
        self.process.send_signal(number)
        _, errors = self.ended()
        return self.process.returncode, errors


def anonymous(text: str, environ: Environ) -> str:
    """The text with home folder, version, ports and ids of embedded orgs replaced, since they differ from run to run."""
    for found, shown in ((environ["HOME"], "/home/me"), (__version__, "1.2.3")):
        text = text.replace(found, shown)
    text = re.sub(r"\b00DEm\w{13}\b", "00DEm" + "x" * 13, text)
    return re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT", text)


@contextmanager
def everything_points_to_a_listener(environ: Environ, folder: Path) -> Iterator[Environ]:
    """An environment whose SALESFORCE_* variables and proxies lead to a listener and a CLI that must not be called."""
    called = folder / "the CLI was called"
    cli = folder / "sf"
    cli.write_text(f'#!/bin/sh\ntouch "{called}"\nexit 1\n')
    cli.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        values = {name: url for name in ENV_NAMES.values() if name.startswith("SALESFORCE_")}
        values |= {"SALESFORCE_CLI": str(cli), "SALESFORCE_AUTOMATION_API_KEY": TOKEN, "SALESFORCE_API_VERSION": "60.0"}
        values |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), url)
        yield environ | values
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody is waiting to be accepted
            listener.accept()
    assert not called.exists()
