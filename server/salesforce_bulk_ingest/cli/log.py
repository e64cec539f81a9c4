"""The log of the commands: records on stderr, without those that are no news."""

import asyncio
import errno
import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from starlette.requests import ClientDisconnect

from salesforce_bulk_ingest.base.shortage import shortage
from salesforce_bulk_ingest.cli.log_format import LogFormatter
from salesforce_bulk_ingest.serving import request_log

logger = logging.getLogger(__name__)

REQUESTS = request_log.__name__

MOST_SECONDS_UNSAID = 60
"""How long the shortage of a resource is not told again: every connection and every file meets it anew."""

NO_NEWS = (ClientDisconnect, asyncio.CancelledError)
"""A caller left before the end of its request, or a request was cancelled, which a line before its traceback says."""


def open_log() -> None:
    """Send the records of this program and of its libraries to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(NewsFilter())
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a retry is no reason for a warning


def log_requests() -> None:
    """Log the requests of callers, too, a line for each."""
    logging.getLogger(REQUESTS).setLevel(logging.INFO)


def log_crashes() -> None:
    """Report errors that nobody catches in the form of the log: Python's own reports have messages, which may quote rows."""
    sys.excepthook = _log_crash
    threading.excepthook = sys.unraisablehook = _log_crash_of


def _log_crash_of(hook: "threading.ExceptHookArgs | sys.UnraisableHookArgs") -> None:
    _log_crash(hook.exc_type, hook.exc_value, hook.exc_traceback)


def _log_crash(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        logger.critical("an error that nobody caught", exc_info=(kind, error, trace))


class NewsFilter(logging.Filter):
    """Drops the records that are no news, and tells once a minute, in one line, that a resource of the machine is used up.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._told_at = -float("inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is news; change a record of a shortage to its line."""
        errors = _errors_of(record)
        if any(isinstance(error, NO_NEWS) for error in errors):
            return False
        for error in errors:
            if short := shortage(error):
                return self._tell(record, short)
        return True

    def _tell(self, record: logging.LogRecord, short: OSError) -> bool:
        if self._now() - self._told_at < MOST_SECONDS_UNSAID:
            return False
        self._told_at = self._now()
        record.msg = "%s: new connections and files have to wait until others are closed%s"
        advice = "; `ulimit -n` shows the limit, and raises it" if short.errno == errno.EMFILE else ""
        record.args = (short.strerror, advice)
        record.exc_info = record.exc_text = None
        return True


def _errors_of(record: logging.LogRecord) -> list[BaseException]:
    """Return the errors that a record is about: the one with its traceback, and those in its message."""
    args = record.args if isinstance(record.args, tuple) else ()
    in_traceback = record.exc_info[1] if record.exc_info else None
    return [error for error in (in_traceback, *args) if isinstance(error, BaseException)]
