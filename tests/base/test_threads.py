"""Where blocking work runs: beside the event loop, or where the context says."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

import anyio
import pytest

from salesforce_bulk_ingest.base.threads import THREADS, check_cancelled, run_in_thread

T = TypeVar("T")


class InPlace:
    """Runs work where it is asked for."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    def check_cancelled(self) -> None:
        pass


async def test_blocking_work_runs_beside_the_event_loop() -> None:
    assert await run_in_thread(threading.get_ident) != threading.get_ident()


async def test_work_breaks_off_once_its_call_is_cancelled() -> None:
    began, told = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        assert told.wait(10)
        check_cancelled()
        pytest.fail("went on")  # pragma: no cover

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run_in_thread, work)
        await anyio.to_thread.run_sync(began.wait)
        tasks.cancel_scope.cancel()
        told.set()


async def test_work_runs_where_the_context_says() -> None:
    async def ident() -> int:
        THREADS.set(InPlace())
        check_cancelled()
        return await run_in_thread(lambda: threading.get_ident())

    assert await ident() == threading.get_ident()
    assert copy_context().get(THREADS) is not None
