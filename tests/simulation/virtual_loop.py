"""An event loop in whose time nothing takes long: the clock is moved on when nothing else can happen."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Events = list[tuple[selectors.SelectorKey, int]]

MOST_TURNS = 1_000
"""So many times in a row may callbacks go before sockets are looked at, though callbacks are still ready."""

WIRE_SECONDS = 10
"""How long, in real time, bytes may be on their way between two sockets of this machine."""


class StandsStill(AssertionError):
    """Every task waits, and nothing will wake any of them."""


class _Selector(selectors.DefaultSelector):
    """Looks at sockets when no callback is ready, and lets time pass when no byte is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.is_in_flight: Callable[[], bool] = lambda: False
        self._turns = 0

    def select(self, timeout: float | None = None) -> Events:
        if timeout is not None and timeout <= 0 and self._turns < MOST_TURNS:
            self._turns += 1
            return []
        self._turns = 0
        found = super().select(0)
        if not found and self.is_in_flight():
            found = super().select(WIRE_SECONDS)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            raise StandsStill("nothing will wake any task")
        self.seconds += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own. The order of all work depends on nothing outside, as long as no thread works.

    Attributes:
        is_in_flight: returns whether bytes are on their way, for which the clock waits.
    """

    def __init__(self) -> None:
        self._own_selector = _Selector()
        super().__init__(self._own_selector)

    def time(self) -> float:
        """Return the time in seconds since the loop was made."""
        return self._own_selector.seconds

    def wait_for_bytes(self, is_in_flight: Callable[[], bool]) -> None:
        """Let the clock stand while this function says that bytes are on their way."""
        self._own_selector.is_in_flight = is_in_flight


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
