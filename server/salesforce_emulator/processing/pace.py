"""The pace of processing, for orgs that are set to process a number of rows per second."""

import time


class Pace:
    """The times at which the rows of one job are due.

    A job that falls behind catches up, so that the whole job takes as long as its rows.

    Args:
        rows_per_second: the pace; None for no limit.
    """

    def __init__(self, rows_per_second: int | None) -> None:
        self._rows_per_second = rows_per_second
        self._due = time.monotonic()

    def seconds(self, rows: int) -> float:
        """Return the time that this number of rows takes, in seconds."""
        return rows / self._rows_per_second if self._rows_per_second else 0.0

    def due_after(self, rows: int) -> float:
        """Return when the next `rows` rows of the job are due, in seconds of the monotonic clock."""
        self._due += self.seconds(rows)
        return self._due
