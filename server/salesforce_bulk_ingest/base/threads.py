"""Threads for blocking work: reading and writing files, the ledger, and long loops over rows.

Which threads these are is a variable of the context, not an argument, since nearly every operation has such work: a
simulation runs the work in place, so that the order of all work is the same each time.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Protocol, TypeVar, TypeVarTuple, Unpack

import anyio.from_thread
import anyio.to_thread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Threads(Protocol):
    """Where blocking work runs."""

    async def run(self, work: Callable[[], T]) -> T:
        """Run the work beside the event loop to its end, and return its result."""
        ...

    def check_cancelled(self) -> None:
        """Break off the work that calls this if the call that waits for it was cancelled."""
        ...


class WorkerThreads:
    """The threads of anyio, as many as it allows."""

    async def run(self, work: Callable[[], T]) -> T:
        """Run the work in a thread, and return its result."""
        return await anyio.to_thread.run_sync(work)

    def check_cancelled(self) -> None:
        """Break off the work of this thread if the call that waits for it was cancelled."""
        anyio.from_thread.check_cancelled()


WORKER_THREADS = WorkerThreads()

THREADS: ContextVar[Threads] = ContextVar("threads")
"""The threads of the current call, where they are not the worker threads."""


async def run_in_thread(function: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
    """Call a function that blocks, beside the event loop, and return its result."""
    return await THREADS.get(WORKER_THREADS).run(partial(function, *arguments))


def check_cancelled() -> None:
    """Break off the blocking work that calls this if the call that waits for it was cancelled."""
    THREADS.get(WORKER_THREADS).check_cancelled()
