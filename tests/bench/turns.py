"""Measure the CPU time of actions in turn, so that other work on the machine slows all of them alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True)
class Rounds:
    """The seconds of CPU time of several actions, of rounds in which each had its turn.

    Of the fastest of all rounds, one may be fast by chance: two sets of rounds of one action differ by up to 19 % then, and by
    5 % in the median.
    """

    taken: Mapping[str, list[float]]

    @classmethod
    def of(cls, count: int, actions: Mapping[str, Callable[[], object]]) -> Self:
        """Measure some rounds of named actions, each in the reverse order of the one before."""
        taken = {name: list[float]() for name in actions}
        order = list(actions)
        for _ in range(count):
            for name in order:
                taken[name].append(_cpu_seconds(actions[name]))
            order.reverse()
        return cls(taken)

    def seconds(self, name: str) -> float:
        """Return the median of an action."""
        return median(self.taken[name])

    def ratio(self, name: str, other: str) -> float:
        """Return the median of the ratios of two actions within each round."""
        return median(one / beside for one, beside in zip(self.taken[name], self.taken[other], strict=True))


def _cpu_seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin
