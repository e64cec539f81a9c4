"""The worker: one thread, off the event loop, in which all jobs of this process are worked on in turns."""

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

CHORES_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(slots=True, order=True)
class _Turn:
    """The next turn of a job, ordered by when it may come, then by who has waited longer."""

    due: float
    number: int
    job: Turns = field(compare=False)


class Worker:
    """One thread that takes turns: a chunk of each waiting job, so that a small job need not wait for a big one.

    Args:
        processor: does the work.
        chores: what else is to be done, at once and then every CHORES_SECONDS; names jobs to work on.
        one_by_one: whether jobs are worked on one after another instead, in the order in which they come.
    """

    def __init__(self, processor: Processor, chores: Callable[[], Iterable[str]], *, one_by_one: bool) -> None:
        self._processor = processor
        self._chores = chores
        self._one_by_one = one_by_one
        self._chores_due = 0.0
        self._arrivals: SimpleQueue[str | None] = SimpleQueue()
        self._waiting: deque[str] = deque()
        self._turns: list[_Turn] = []  # a heap
        self._numbers = count()
        self._thread = threading.Thread(target=self._run, name="emulator-worker", daemon=True)
        self._thread.start()

    def submit(self, job_id: str) -> None:
        """Let the job be processed as soon as it is its turn."""
        self._arrivals.put(job_id)

    def stop(self) -> None:
        """End after the chunk in hand; whoever opens the org next goes on from there."""
        self._arrivals.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._admit():
            if self._chores_due <= time.monotonic():
                self._do_chores()
            if self._turns and self._turns[0].due <= time.monotonic():
                self._take_turn(heapq.heappop(self._turns).job)
            time.sleep(0)  # hands over the interpreter, for which requests would otherwise wait 5 ms many times over
        for turn in self._turns:
            turn.job.close()

    def _admit(self) -> bool:
        """Let jobs in until there is something to do; False if it is to end."""
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
        due = min(self._chores_due, self._turns[0].due) if self._turns else self._chores_due
        return max(0.0, due - time.monotonic())

    def _take_turn(self, job: Turns) -> None:
        due = next(job, None)
        if due is not None:
            self._schedule(job, due)
        else:
            self._begin_waiting()

    def _schedule(self, job: Turns, due: float) -> None:
        heapq.heappush(self._turns, _Turn(max(due, time.monotonic()), next(self._numbers), job))

    def _do_chores(self) -> None:
        try:
            for job_id in self._chores():
                self.submit(job_id)
        except Exception:  # the org is locked for too long, say; the jobs must still get their turns
            log.exception("The org could not be tidied up; it will be tried again")
        self._chores_due = time.monotonic() + CHORES_SECONDS
