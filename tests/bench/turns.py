"""Take the CPU time of actions in turn, so that other work on the machine slows all of them alike."""

import time
from collections.abc import Callable
from statistics import median


def in_turn(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Return the median of the seconds of CPU time of each action."""
    times = [[cpu_seconds(action) for action in actions] for _ in range(rounds)]
    return [median(of_action) for of_action in zip(*times, strict=True)]


def cpu_seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin
