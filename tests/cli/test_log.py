"""What the log of the commands tells, and what it leaves out."""

import asyncio
import errno
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from starlette.requests import ClientDisconnect

from salesforce_bulk_ingest.cli.log import NewsFilter
from tests.support.commands import Environ, run

ROOT = Path(__file__).parent.parent.parent

FULL_TABLE = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


class Log:
    """A logger as the commands have it, with a clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._stream = io.StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.addFilter(NewsFilter(lambda: self.seconds))
        self.logger = logging.Logger("test")
        self.logger.addHandler(handler)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    yield Log()


def test_a_shortage_is_told_once_a_minute_in_one_line_whoever_meets_it(log: Log) -> None:
    for second in (0, 1, 59.9, 60, 61, 119.9):
        log.seconds = second
        log.logger.error("socket.accept() out of system resource", exc_info=FULL_TABLE)
        log.logger.warning("%s can't be opened: %s", "a file", FULL_TABLE)
    line = (
        "Too many open files: new connections and files have to wait until others are closed; "
        "`ulimit -n` shows the limit, and raises it"
    )
    assert log.lines == [line, line]


def test_a_caller_that_left_is_no_news(log: Log) -> None:
    log.logger.error("Error handling POST request", exc_info=ClientDisconnect())
    log.logger.error("Exception in ASGI application", exc_info=asyncio.CancelledError())
    assert log.lines == []


def test_other_records_are_told_as_they_are(log: Log) -> None:
    log.logger.warning("%s is at %s", "it", {"rows": 1})
    log.logger.warning("%(a)s", {"a": "a dictionary"})
    log.logger.error("it failed", exc_info=ValueError("no"))
    assert log.lines == snapshot(["it is at {'rows': 1}", "a dictionary", "it failed", "ValueError: no"])


CRASHES = """
import sys, threading
from salesforce_bulk_ingest.cli.log import log_crashes, open_log
from tests.support.canary import CELL

class Unraisable:
    def __del__(self):
        raise ValueError(f"not quite a date: {CELL}")

open_log()
log_crashes()
thread = threading.Thread(target=lambda: int(CELL))
thread.start()
thread.join()
made = Unraisable()
del made
raise ExceptionGroup("several", [KeyError(CELL)])
"""


def test_an_error_that_nobody_catches_is_reported_without_its_message(environ: Environ) -> None:
    done = run({**environ, "PYTHONPATH": str(ROOT)}, "-c", CRASHES, program=[sys.executable])
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if not line.startswith("    ")]
    assert told == snapshot(
        [
            "CRITICAL salesforce_bulk_ingest.cli.log: an error that nobody caught",
            "  ValueError",
            "CRITICAL salesforce_bulk_ingest.cli.log: an error that nobody caught",
            "  ValueError",
            "CRITICAL salesforce_bulk_ingest.cli.log: an error that nobody caught",
            "  ExceptionGroup",
            "  KeyError",
        ]
    )
