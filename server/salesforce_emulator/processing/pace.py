"""How fast the org processes a job, when it is told to take its time."""

import time


class Pace:
    """Says when the rows of one job are done, at so many rows a second; None is as fast as it goes.

    A job that falls behind catches up, so that the whole of it takes as long as its rows.
    """

    def __init__(self, rows_per_second: int | None) -> None:
        self._rows_per_second = rows_per_second
        self._due = time.monotonic()

    def seconds(self, rows: int) -> float:
        """How long these rows take."""
        return rows / self._rows_per_second if self._rows_per_second else 0.0

    def due_after(self, rows: int) -> float:
        """When these rows, which follow those before, are done, in the time of the monotonic clock."""
        self._due += self.seconds(rows)
        return self._due
