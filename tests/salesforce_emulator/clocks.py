"""Clocks that a test sets."""

from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that stands still until `forward` is called; an org takes it as its `clock`."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def forward(self, **span: float) -> None:
        """Let time pass; the arguments are those of `timedelta`."""
        self._now += timedelta(**span)


class Ticking(Clock):
    """A clock that goes on by a second each time it is read, so that dates show the order of events."""

    def __call__(self) -> datetime:
        self.forward(seconds=1)
        return super().__call__()
