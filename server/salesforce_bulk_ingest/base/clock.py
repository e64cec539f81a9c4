"""The clock of this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of this machine.

    Attributes:
        now: returns the time in seconds since 1970; a user or the network may set it back or forward.
        monotonic: returns the time in seconds from any start, which nobody sets.
    """

    now: Callable[[], float]
    monotonic: Callable[[], float]


SYSTEM_CLOCK = Clock(time.time, time.monotonic)
