"""Shared tasks: work that outlives the call that began it, and that equal calls join (single flight)."""

import math
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, Self, TypeVar, cast

import anyio
from anyio.abc import TaskGroup

T = TypeVar("T")

REPORT_SECONDS = 5.0
"""The time between two reports of how far a task is: hosts take a call for dead that tells nothing for long."""

ReportBytes = Callable[[int], Awaitable[None]]
"""Tells how many bytes a task has read, received or sent so far."""


class SharedTask(Generic[T]):
    """Work under way; any number of calls can wait for its result.

    Attributes:
        has_result: whether the work has ended without an error.
        done_bytes: how many bytes the work has read, received or sent so far.
        waiting_calls: how many calls wait for the work now.
    """

    def __init__(self) -> None:
        self.done_bytes = 0
        self.waiting_calls = 0
        self._over = anyio.Event()
        self.has_result = False
        self._result: T | None = None
        self._error: Exception | None = None

    @classmethod
    def ended(cls, result: T) -> Self:
        """Return a task that has ended with this result."""
        task = cls()
        task._result, task.has_result = result, True
        task._over.set()
        return task

    async def wait(
        self, seconds: float, report: ReportBytes | None = None, *, report_seconds: float = REPORT_SECONDS
    ) -> bool:
        """Wait for the result, at most this many seconds; return whether there is a result.

        A call that is cancelled only stops waiting. Work that the end of the server broke off has no result.

        Args:
            seconds: the longest time to wait.
            report: called again and again meanwhile; None for no reports.
            report_seconds: the time between two reports.

        Raises:
            Exception: the error that ended the work; every call that waits gets this error.
        """
        self.waiting_calls += 1
        try:
            with anyio.move_on_after(seconds):
                while report is not None and not await self._is_over_within(report_seconds):
                    await report(self.done_bytes)
                await self._over.wait()
        finally:
            self.waiting_calls -= 1
        if self._error is not None:
            raise self._error
        return self.has_result

    async def _is_over_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._over.wait()
        return self._over.is_set()

    async def finished(self) -> T:
        """Wait for the end of the work, however long it takes, and return its result."""
        await self.wait(math.inf)
        return self.result

    @property
    def result(self) -> T:
        """The result of work that has ended without an error."""
        assert self.has_result
        return cast(T, self._result)


class SharedTasks:
    """All shared tasks of a server, by key.

    Args:
        task_group: runs the tasks; the end of the server cancels it.
    """

    def __init__(self, task_group: TaskGroup) -> None:
        self._task_group = task_group
        self._running: dict[Hashable, SharedTask[Any]] = {}

    def start(self, key: Hashable, work: Callable[[SharedTask[T]], Awaitable[T]]) -> SharedTask[T]:
        """Begin the work, or join the work with the same key that is under way.

        Args:
            key: a value that is equal for calls that ask for the same work.
            work: does the work; the function gets the task, whose `done_bytes` it counts.
        """
        task = self.find(key)
        if task is None:
            task = self._running[key] = SharedTask()
            self._task_group.start_soon(self._run, key, task, work)
        return task

    def find(self, key: Hashable) -> SharedTask[Any] | None:
        """Return the task with this key that is under way, or None."""
        return self._running.get(key)

    async def _run(self, key: Hashable, task: SharedTask[T], work: Callable[[SharedTask[T]], Awaitable[T]]) -> None:
        try:
            task._result = await work(task)
            task.has_result = True
        except Exception as error:
            task._error = error
        finally:  # also where the end of the server cancels the work
            del self._running[key]
            task._over.set()
