"""The pace of a job, which tells when the job is worth reading again."""

from salesforce_bulk_ingest.salesforce.models import Job

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
PAUSE_GROWTH = 2
MOVED_PAUSE_SECONDS = 1.0
"""The pause after rows have moved in a job whose end can't be foreseen."""


class Pace:
    """The pace of a job: it is told of each reading, and returns the pause until the next.

    The pauses back off: they double from 0.25 s to 5 s. Where the number of rows is known and rows have moved, the next
    reading is at the foreseen end, if that comes before the pause is over, and otherwise half-way to it, if that is later,
    within 5 s. A foreseen end that was none doubles the least pause from 0.25 s, so that a job that stands still just before
    its end is not read again and again.

    Args:
        rows: the number of rows that were sent to the job; None where it is not known.
    """

    def __init__(self, rows: int | None) -> None:
        self._rows = rows
        # Times in seconds and counters of processed rows, from the last reading with at most half of the rows of the newest:
        # what was processed since is many rows, and recent ones. While a job stands still, the newest takes the place of
        # the one before.
        self._readings: list[tuple[float, int]] = []
        self._most = self._least = FIRST_PAUSE_SECONDS

    def pause_after(self, job: Job, at: float) -> float:
        """Return how many seconds to wait after this reading of the job, which was made at a time in seconds."""
        moved = self._note(at, job.number_records_processed or 0)
        if moved and self._rows is None:
            self._most = MOVED_PAUSE_SECONDS
        most, self._most = self._most, min(self._most * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)
        left = self._seconds_left()
        if left is None or left > most:
            self._least = FIRST_PAUSE_SECONDS
            return max(most, min((left or 0) / 2, LONGEST_PAUSE_SECONDS))
        least, self._least = self._least, self._least * PAUSE_GROWTH
        return min(max(left, least), most)

    def _note(self, at: float, processed: int) -> bool:
        """Keep a reading; return whether rows were processed since the one before."""
        moved = bool(self._readings) and processed != self._readings[-1][1]
        if len(self._readings) > 1 and not moved:
            self._readings.pop()
        self._readings.append((at, processed))
        while len(self._readings) > 1 and self._readings[1][1] * 2 <= processed:
            del self._readings[0]
        return moved

    def _seconds_left(self) -> float | None:
        """Return the seconds until the end of the job at its recent pace; None where that can't be foreseen."""
        (since, before), (at, processed) = self._readings[0], self._readings[-1]
        if self._rows is None or processed <= before:
            return None
        return max(self._rows - processed, 0) * (at - since) / (processed - before)
