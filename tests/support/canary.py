"""Two canaries: the token of the tests, and a cell that the operator hides, are looked for in everything that is written.

A plugin of pytest, which tests/conftest.py registers. Helpers that run commands and call servers hand what they got to `look`; the
log, what a test printed, and the files below its `tmp_path` are looked at without a word. Whoever finds a canary lets the
test fail at its end.
"""

import logging
import os
import re
import stat
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from salesforce_bulk_ingest.cli.log_format import LogFormatter

CANARY = "SECRET.FOR.TESTS"
TOKEN = f"00D000000000001!{CANARY}"
"""The access token of the tests; no other text of theirs has the canary."""

CELL = "HIDDEN.CELL.OF.THE.TESTS"
"""A cell of tests whose server hides its column: no answer may have it. No other text of theirs has it."""

MOST_BYTES = 4_000_000
"""The most bytes of a file that is looked at: larger ones are rows of large inputs."""

ALLOWED_FILES = {
    "settings.toml": "the settings that the test wrote, from which the token comes",
    "sf": "a stand-in for the official CLI, which prints the token",
    "node": "a stand-in for what runs the official CLI",
    "display": "what the stand-in for the official CLI prints",
    "token": "what the stand-in for the official CLI prints",
}
"""The files that have the token by design, by their names, with the reason."""

CELL_FILES = re.compile(r".*\.csv(\.gz|\.short)?|.*\.csv\..*\.part|org\.sqlite.*")
"""The names of the files that have cells by design: sources, uploads and results, what was never finished of them, and the
records of an embedded org. The labels beside them have none."""


def forms_of(secret: str) -> set[bytes]:
    """The secret as bytes: plain, in lower case, percent-encoded, and in base64 wherever in a longer text it stands."""
    plain = secret.encode()
    percent = "".join(f"%{byte:02X}" for byte in plain)
    forms = {plain, plain.lower(), percent.encode(), percent.lower().encode()}
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # The characters at both ends depend on the bytes beside the secret, too.
            encoded = encode(b"\0" * before + plain)
            forms.add(encoded[(8 * before + 5) // 6 : 8 * (before + len(plain)) // 6])
    return forms


class Watch:
    """What was found of a canary since the last time that it was asked.

    Args:
        secret: the canary.
        may_have: returns whether a file with this name has it by design.
    """

    def __init__(self, secret: str, may_have: Callable[[str], bool]) -> None:
        self._forms = forms_of(secret)
        self._more: set[bytes] = set()
        self._may_have = may_have
        self._found: list[str] = []

    def look_for(self, secret: str) -> None:
        """Look for another secret, too, until what was found is asked for."""
        self._more |= forms_of(secret)

    def look(self, where: str, written: str | bytes) -> None:
        """Remember the place if the canary is in what was written there."""
        data = written.encode("utf-8", "replace") if isinstance(written, str) else written
        if any(form in data for form in self._forms | self._more):
            self._found.append(where)

    def look_at_files(self, folder: Path) -> None:
        """Look at the names and the contents of all files below a folder."""
        for file in _files_below(folder):
            self.look(f"the name of {file}", os.fsencode(file))
            if not self._may_have(os.path.basename(file)):
                with suppress(OSError):
                    self.look(f"the file {file}", Path(file).read_bytes())

    def found(self) -> list[str]:
        """The places that were found since the last call."""
        found, self._found, self._more = self._found, [], set()
        return found


def _files_below(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in folders)
        for name in names:
            file = os.path.join(parent, name)
            with suppress(OSError):
                status = os.lstat(file)
                if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES:
                    yield file


class _Listener(logging.Handler):
    """Looks at each record as the commands would write it."""

    def emit(self, record: logging.LogRecord) -> None:
        look(f"the log of {record.name}", LogFormatter().format(record))


WATCHES = {
    "A token of the tests": Watch(CANARY, ALLOWED_FILES.__contains__),
    "A hidden cell": Watch(CELL, lambda name: CELL_FILES.fullmatch(name) is not None),
}
_listener = _Listener()
look_for = WATCHES["A token of the tests"].look_for


def look(where: str, written: str | bytes) -> None:
    """Remember the place if a canary is in what was written there."""
    for watch in WATCHES.values():
        watch.look(where, written)


def look_at_files(folder: Path) -> None:
    """Look at the names and the contents of all files below a folder."""
    for watch in WATCHES.values():
        watch.look_at_files(folder)


def pytest_sessionstart() -> None:
    logging.getLogger().addHandler(_listener)


def pytest_sessionfinish() -> None:
    logging.getLogger().removeHandler(_listener)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Let a test fail at its end that wrote a canary somewhere."""
    report = yield
    if call.when == "teardown":
        _look_at_traces(item, report.sections)
        found = {name: places for name, watch in WATCHES.items() if (places := watch.found())}
        if found:
            report.outcome = "failed"
            report.longrepr = "\n".join(f"{name} is in {', and in '.join(places)}" for name, places in found.items())
    return report


def _look_at_traces(item: pytest.Item, sections: Iterable[tuple[str, str]]) -> None:
    for title, text in sections:
        look(title, text)
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if folder is not None:
        look_at_files(folder)
