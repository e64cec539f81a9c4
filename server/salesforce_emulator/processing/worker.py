"""The worker: it processes all jobs of this process in turns, in one thread off the event loop."""

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, SimpleQueue

from salesforce_emulator.processing.processor import Processor, Turns

HOUSEKEEPING_SECONDS = 1.0
"""The time between two rounds of housekeeping."""

log = logging.getLogger(__name__)


@dataclass(slots=True, order=True)
class _Turn:
    """The next turn of a job; turns are ordered by their earliest time, and then by their numbers.

    Attributes:
        due: the earliest time of the turn, in seconds of the monotonic clock.
        number: the number of turns that were scheduled before this one.
        job: the turns of the job.
    """

    due: float
    number: int
    job: Turns = field(compare=False)


class Worker:
    """One thread that processes a chunk of each job in turn, so that a small job need not wait for a big one.

    Args:
        processor: processes the jobs.
        housekeeping: called at once and then every HOUSEKEEPING_SECONDS; returns the ids of more jobs to process.
        one_by_one: whether each job is processed to its end before the next one begins, in the order of submission.
        has_thread: whether a thread takes the turns; without one, they are taken by `take_turn`.
    """

    def __init__(
        self,
        processor: Processor,
        housekeeping: Callable[[], Iterable[str]],
        *,
        one_by_one: bool,
        has_thread: bool = True,
    ) -> None:
        self._processor = processor
        self._housekeeping = housekeeping
        self._one_by_one = one_by_one
        self._housekeeping_due = 0.0
        self._arrivals: SimpleQueue[str | None] = SimpleQueue()
        self._waiting: deque[str] = deque()
        self._turns: list[_Turn] = []  # a heap
        self._numbers = count()
        self._thread = threading.Thread(target=self._run, name="emulator-worker", daemon=True) if has_thread else None
        if self._thread is not None:
            self._thread.start()

    def submit(self, job_id: str) -> None:
        """Queue the job for processing."""
        self._arrivals.put(job_id)

    def stop(self) -> None:
        """Stop after the chunk in progress; the next process that opens the org goes on with the jobs."""
        self._arrivals.put(None)
        if self._thread is not None:
            self._thread.join()
        else:
            self._close_turns()

    def take_turn(self) -> None:
        """Do the housekeeping and take the next turn, for a worker without a thread."""
        self._do_housekeeping()
        while not self._arrivals.empty():
            self._waiting.extend(filter(None, [self._arrivals.get()]))
        self._begin_waiting()
        if self._turns:
            self._take_turn(heapq.heappop(self._turns).job)

    def _run(self) -> None:
        while self._admit():
            if self._housekeeping_due <= time.monotonic():
                self._do_housekeeping()
            if self._turns and self._turns[0].due <= time.monotonic():
                self._take_turn(heapq.heappop(self._turns).job)
            time.sleep(0)  # releases the GIL, for which a request would otherwise wait 5 ms again and again
        self._close_turns()

    def _close_turns(self) -> None:
        for turn in self._turns:
            turn.job.close()

    def _admit(self) -> bool:
        """Schedule submitted jobs until a turn or the housekeeping is due; return False if the worker is to stop."""
        while True:
            try:
                job_id = self._arrivals.get(timeout=self._idle_seconds())
            except Empty:
                return True
            if job_id is None:
                return False
            self._waiting.append(job_id)
            self._begin_waiting()

    def _begin_waiting(self) -> None:
        while self._waiting and not (self._one_by_one and self._turns):
            self._schedule(self._processor.process(self._waiting.popleft()), 0.0)

    def _idle_seconds(self) -> float:
        due = min(self._housekeeping_due, self._turns[0].due) if self._turns else self._housekeeping_due
        return max(0.0, due - time.monotonic())

    def _take_turn(self, job: Turns) -> None:
        due = next(job, None)
        if due is not None:
            self._schedule(job, due)
        else:
            self._begin_waiting()

    def _schedule(self, job: Turns, due: float) -> None:
        heapq.heappush(self._turns, _Turn(max(due, time.monotonic()), next(self._numbers), job))

    def _do_housekeeping(self) -> None:
        try:
            for job_id in self._housekeeping():
                self.submit(job_id)
        except Exception:  # such as a database that is locked for too long; the jobs must still get their turns
            log.exception("The org could not be tidied up; it will be tried again")
        self._housekeeping_due = time.monotonic() + HOUSEKEEPING_SECONDS
