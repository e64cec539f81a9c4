"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Stands still until it is told to go on; give it to an org as its `clock`."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now

    def __call__(self) -> datetime:
        return self._now

    def forward(self, **span: float) -> None:
        """Let time pass, told as to `timedelta`."""
        self._now += timedelta(**span)


class Ticking(Clock):
    """Goes on by a second each time it is read, so that dates are the order of events."""

    def __call__(self) -> datetime:
        self.forward(seconds=1)
        return super().__call__()
