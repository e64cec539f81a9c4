"""The worker: one thread, off the event loop, in which all jobs of this process are worked on in turns."""

import threading
import time
from collections import deque
from queue import SimpleQueue

from .processor import Processor, Turns


class Worker:
    """One thread that takes turns: a chunk of each waiting job, so that a small job need not wait for a big one."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor
        self._arrivals: SimpleQueue[str | None] = SimpleQueue()
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
        jobs: deque[Turns] = deque()
        while True:
            while not jobs or not self._arrivals.empty():
                job_id = self._arrivals.get()
                if job_id is None:
                    for job in jobs:
                        job.close()
                    return
                jobs.append(self._processor.process(job_id))
            job = jobs.popleft()
            if next(job, self) is not self:
                jobs.append(job)
            time.sleep(0)  # hands over the interpreter, for which requests would otherwise wait 5 ms many times over
