"""Work that goes on when the call that began it has ended: a call only waits for it."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

T = TypeVar("T")


@dataclass(slots=True)
class SharedTask(Generic[T]):
    """Something on its way.

    Attributes:
        done_bytes: how far it is.
    """

    done_bytes: int = 0
    _result: T | None = None
    _error: Exception | None = None
    _done: anyio.Event = field(default_factory=anyio.Event)

    async def wait(self, seconds: float) -> T | None:
        """The result, if it is here within the time.

        Raises:
            Exception: whatever ended the work.
        """
        with anyio.move_on_after(seconds):
            await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result


class SharedTasks:
    """Work of this process, by key: callers at the same time share it.

    Args:
        tasks: runs it; cancelled with the server.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._pending: dict[Hashable, SharedTask[Any]] = {}

    def start(self, key: Hashable, work: Callable[[SharedTask[T]], Awaitable[T]]) -> SharedTask[T]:
        """Begin the work, or join it.

        Args:
            key: of the same work.
            work: gets what waits for it, to tell how far it is.
        """
        pending: SharedTask[T] | None = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = SharedTask()
            self._tasks.start_soon(self._run, key, pending, work)
        return pending

    async def _run(self, key: Hashable, pending: SharedTask[T], work: Callable[[SharedTask[T]], Awaitable[T]]) -> None:
        try:
            pending._result = await work(pending)
        except Exception as error:
            pending._error = error
        finally:
            del self._pending[key]
            pending._done.set()
