"""The help and the output of every command: on narrow and wide terminals, and where there is no terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from typer.core import TyperGroup
from typer.main import get_command

from salesforce_bulk_ingest.cli.main import app
from salesforce_bulk_ingest.cli.options import PANELS, PORT_SETTINGS, SERVER_SETTINGS
from tests.cli.conftest import RunHere
from tests.support.canary import look
from tests.support.commands import Environ

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals")

ALL_IN_ONE_PROCESS = """
import gc, shlex, sys
gc.disable()  # as the program does while it is loaded
from salesforce_bulk_ingest.cli.main import app
for line in sys.argv[1:]:
    try:
        app(shlex.split(line), prog_name="salesforce-bulk-ingest", standalone_mode=False)
    except BaseException as ended:
        print(type(ended).__name__)
"""

WIDTHS = (80, 160)
OUTPUTS = ("check --emulator", "config", "approve --emulator", "purge --emulator", "token list", "logout")


def commands() -> Iterator[str]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    yield ""
    for name, command in group.commands.items():
        yield name
        if isinstance(command, TyperGroup):
            yield from (f"{name} {below}" for below in command.commands)


def on_terminal(environ: Environ, columns: int, *lines: str) -> str:
    """What commands print to a terminal, without colours."""
    terminal, for_process = pty.openpty()
    fcntl.ioctl(for_process, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    without_columns = {name: value for name, value in environ.items() if name != "COLUMNS"} | {"TERM": "xterm-256color"}
    command = [sys.executable, "-c", ALL_IN_ONE_PROCESS, *lines]
    with subprocess.Popen(command, env=without_columns, stdin=for_process, stdout=for_process, stderr=for_process):
        os.close(for_process)
        printed = b"".join(_read(terminal))
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed.decode()).replace("\r\n", "\n")
    look("what commands printed to a terminal", text)
    return text


def _read(terminal: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(terminal, 1 << 16):
            yield chunk
    except OSError:  # Linux ends a terminal whose other side is closed so
        return


def in_a_pipe(environ: Environ, *lines: str) -> str:
    command = [sys.executable, "-c", ALL_IN_ONE_PROCESS, *lines]
    done = subprocess.run(command, env=environ | {"COLUMNS": "40"}, capture_output=True, encoding="utf-8", timeout=60)
    look("what commands printed", done.stdout + done.stderr)
    return done.stdout + done.stderr


def words(printed: str) -> set[str]:
    """The words of a text, without the frames and the headings of panels, and without ports and ids that differ."""
    text = re.sub(r"[│╭╮╰╯─]|127\.0\.0\.1:\S+|\S*/tmp\S*|\b(750|003|00DEm)\w+|[\u2500-\u259f]", " ", printed)
    return {word.strip("<>[];:") for word in text.split()}


@pytest.mark.slow
def test_the_help_of_every_command_breaks_no_word_and_leaves_none_out(environ: Environ) -> None:
    lines = [f"{command} --help" for command in commands()]
    plain = in_a_pipe(environ, *lines)
    for columns in WIDTHS:
        shown = on_terminal(environ, columns, *lines)
        assert max(map(len, shown.splitlines())) <= columns and "…" not in shown
        assert words(shown) - words(plain) <= {"*", "bool", "str"}
        assert words(plain) - words(shown) <= {"/"}


@pytest.mark.slow
def test_the_output_of_commands_breaks_no_word(environ: Environ) -> None:
    (Path(environ["HOME"]) / "Downloads").mkdir()
    plain = in_a_pipe(environ, *OUTPUTS)
    for columns in WIDTHS:
        shown = on_terminal(environ, columns, *OUTPUTS)
        assert words(shown) == words(plain)
        assert _broken_by_the_terminal(shown, columns) == []
        assert _broken_by_the_terminal(on_terminal(environ, columns, "demo"), columns) == []


def _broken_by_the_terminal(printed: str, columns: int) -> list[str]:
    """The lines that are longer than a screen is wide, but for a single word, and for what is there to be copied."""
    too_long = [line for line in printed.splitlines() if len(line) > columns and " " in line.strip()]
    return [line for line in too_long if not line.startswith(("claude mcp add", "curl "))]


def test_help_is_plain_where_there_is_no_terminal(run_here: RunHere) -> None:
    assert run_here("token", "add", "--help", more={"COLUMNS": "40"}).stdout == snapshot("""\
Usage: salesforce-bulk-ingest token add [OPTIONS] {NAME}

Make a token and show it once.

Arguments:
  NAME <str>  Whom the token is for.  [required]

Options:
  --read-only        A token that may read only.
  --token-file FILE  File of the named tokens.
  --help             Show this message and exit.
""")
    assert run_here("token").stdout == snapshot("""\
Usage: salesforce-bulk-ingest token [OPTIONS] COMMAND [ARGS]...

Make, list and revoke the tokens by which callers of `serve` sign in.

Options:
  --help  Show this message and exit.

Commands:
  add     Make a token and show it once.
  list    List the tokens by their names.
  revoke  Revoke a token: from now on nobody can call with it.
""")


def test_the_help_of_the_servers_shows_their_options_in_groups(run_here: RunHere) -> None:
    for command, settings in (("serve", (*SERVER_SETTINGS, *PORT_SETTINGS)), ("stdio", SERVER_SETTINGS)):
        titles = re.findall(r"^(\w+):$", run_here(command, "--help").stdout, re.MULTILINE)
        assert titles == ["Options", *(title for title, names in PANELS.items() if set(names) & set(settings))]
