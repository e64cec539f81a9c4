"""Ctrl-C: how a command waits for it, and how the terminal is left."""

import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from salesforce_bulk_ingest.serving.signals import told_to_stop

P = ParamSpec("P")
T = TypeVar("T")

INTERRUPTED = 130
"""The exit code after SIGINT, as shells report it: 128 and the signal's number."""


@contextmanager
def until_interrupted() -> Iterator[Callable[[], Awaitable[object]]]:
    """Keep SIGINT and SIGTERM from ending the process in this block, and yield a function that waits for a signal."""
    with told_to_stop() as wait_for_signal:

        async def wait() -> None:
            if await wait_for_signal() == signal.SIGINT:
                end_line()

        yield wait


def ending_its_line(command: Callable[P, T]) -> Callable[P, T]:
    """Return the command with a line break after the `^C` that interrupts it."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            end_line()
            raise

    return run


def end_line() -> None:
    """Print a line break to the terminal, if there is one: it shows `^C` and leaves the cursor after it."""
    for stream in (sys.stderr, sys.stdout):
        if stream.isatty():
            print(file=stream, flush=True)
            return
