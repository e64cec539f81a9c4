"""A browser whose user logs in at once and allows access; `python -m tests.clients.browser URL` opens a page of an org."""

import shlex
import sys
from pathlib import Path

import httpx2

from tests.support.web_flow import answer_of_the_user

ROOT = Path(__file__).parents[2]


def installed_in(folder: Path) -> Path:
    """The program that opens a page in this browser and, as those of real browsers do, returns before it has loaded."""
    program = folder / "browser"
    command = f"{shlex.quote(sys.executable)} -m tests.clients.browser"
    program.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && {command} "$1" </dev/null >/dev/null 2>&1 &\n')
    program.chmod(0o700)
    return program


if __name__ == "__main__":
    httpx2.get(answer_of_the_user(sys.argv[1]), follow_redirects=True)
