"""Ctrl-C on a terminal: the prompt comes back on a line of its own."""

import os
import pty
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.canary import TOKEN
from tests.support.commands import (
    AS_MODULE,
    END_SECONDS,
    READY,
    SERVE_EMBEDDED,
    Environ,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

START_SECONDS = 30
CTRL_C = b"\x03"
ON_ITS_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, sys.argv[1:])
"""
"""A program that takes its stdin as the controlling terminal, whose Ctrl-C it gets, and then becomes another program. Ctrl-C is
ignored where the tests run in the background of a script, and whatever is started there inherits that."""


class Terminal:
    """The side of a terminal on which a user types and reads."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.shown = ""

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read_until(self, text: str, seconds: float = START_SECONDS) -> None:
        """Read until this text is shown."""
        while text not in self.shown:
            assert select.select([self._master], [], [], seconds)[0], self.shown
            self.shown += os.read(self._master, 1000).decode()

    def read_rest(self) -> None:
        """Read what was shown before the program ended."""
        with suppress(OSError):  # Linux reports the end of the other side as an input/output error
            while select.select([self._master], [], [], END_SECONDS)[0] and (data := os.read(self._master, 1000)):
                self.shown += data.decode()


@contextmanager
def on_a_terminal(environ: Environ, *args: str) -> Iterator[tuple[Terminal, "subprocess.Popen[bytes]"]]:
    """Run a command on a terminal of its own."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", ON_ITS_TERMINAL, *AS_MODULE, *args]
    with subprocess.Popen(
        command, env=environ, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        try:
            yield Terminal(master), process
        finally:
            process.kill()
            os.close(master)


@pytest.mark.slow
@pytest.mark.parametrize("args", [SERVE_EMBEDDED, ("emulator",)], ids=lambda args: args[0])
def test_a_server_leaves_the_prompt_a_line_of_its_own(environ: Environ, args: tuple[str, ...]) -> None:
    with on_a_terminal(environ, *args) as (terminal, process):
        terminal.read_until(READY)
        terminal.type(CTRL_C)
        terminal.read_rest()
        assert process.wait(END_SECONDS) == 0
    assert terminal.shown.endswith(f"{READY}\r\n^C\r\n")


@pytest.mark.slow
def test_an_interrupted_demo_says_so_on_a_line_of_its_own(environ: Environ) -> None:
    with on_a_terminal(environ, "demo") as (terminal, process):
        terminal.read_until("REST")
        terminal.type(CTRL_C)
        terminal.read_rest()
        assert process.wait(END_SECONDS) == 130
    *before, last, rest = terminal.shown.split("\r\n")
    assert "^C" in "".join(before)
    assert (last, rest) == ("salesforce-bulk-ingest: interrupted; the demo's org is gone.", "")


def test_a_check_that_waits_for_the_org_leaves_the_prompt_a_line_of_its_own(environ: Environ) -> None:
    with socket.create_server(("127.0.0.1", 0)) as org:
        org.settimeout(START_SECONDS)
        url = f"http://127.0.0.1:{org.getsockname()[1]}"
        settings = {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": TOKEN}
        with on_a_terminal({**environ, **settings}, "check") as (terminal, process):
            asked, _ = org.accept()
            with asked:
                terminal.type(CTRL_C)
                terminal.read_rest()
                assert process.wait(END_SECONDS) == 130
    assert terminal.shown == "^C\r\n"
