"""The pace of a job: how often it is read, and how long after its end that is known, by a clock that the test moves on."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import anyio.lowlevel
import pytest

from salesforce_bulk_ingest.operations.waiting import wait_until_terminal
from salesforce_bulk_ingest.salesforce.models import Job

CHUNK = 200  # Salesforce saves rows in chunks of 200, and its counters move by them


@dataclass
class PacedOrg:
    """An org with one job, whose chunks are saved at these seconds after it was closed.

    Attributes:
        saved: the times of the chunks.
        ends: the time at which the job is complete.
        readings: the times at which the job was read.
    """

    saved: Sequence[float]
    ends: float
    at: float = 0.0
    readings: list[float] = field(default_factory=list)

    def job(self) -> Job:
        state = "JobComplete" if self.at >= self.ends else "InProgress"
        processed = CHUNK * bisect_right(self.saved, self.at)
        return Job(id="750000000000001AAA", state=state, number_records_processed=processed)

    async def read(self) -> Job:
        self.readings.append(self.at)
        return self.job()

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await anyio.lowlevel.checkpoint()

    async def wait(self, *, rows: int | None) -> tuple[int, float]:
        """Wait for the end of the job; return how often it was read, and the seconds from its end to the last reading."""
        await wait_until_terminal(
            self.job(), self.read, _silently, math.inf, rows=rows, sleep=self.sleep, now=lambda: self.at
        )
        return len(self.readings), self.at - self.ends


async def _silently(job: Job, rows: int | None) -> None:
    """Report nothing."""


def paced(pauses: Sequence[float], *, starts: float = 0.0, tail: float = 0.0) -> PacedOrg:
    """An org whose job saves a chunk after each pause, after a time in the queue and before a time in which nothing moves."""
    saved = list(accumulate(pauses, initial=starts))[1:]
    return PacedOrg(saved, saved[-1] + tail)


CHUNKS = 80
CONSTANT = [0.5] * CHUNKS
SLOWING = [0.25 + 0.75 * number / CHUNKS for number in range(CHUNKS)]
QUICKENING = SLOWING[::-1]
STALLED = [*[0.5] * 40, 15.0, *[0.5] * 39]

EVERY_FIVE_SECONDS = 5.0
MOST_MORE_READINGS = 3
MOST_LATE = 0.05


def steady_readings(seconds: float) -> int:
    """How often a client reads a job of this length that reads it at once and then every five seconds, as the CLI does."""
    return 1 + math.ceil(seconds / EVERY_FIVE_SECONDS)


@pytest.mark.parametrize("starts", [0.0, 3.3])
@pytest.mark.parametrize(
    "pauses", [CONSTANT, SLOWING, QUICKENING, STALLED], ids=["constant", "slowing", "quickening", "stalled"]
)
async def test_the_end_is_seen_soon_with_hardly_more_readings_than_one_every_five_seconds(
    pauses: list[float], starts: float
) -> None:
    org = paced(pauses, starts=starts)
    readings, late = await org.wait(rows=CHUNK * CHUNKS)
    assert readings <= steady_readings(org.ends) + MOST_MORE_READINGS
    assert late <= org.ends * MOST_LATE


@pytest.mark.parametrize("chunks", [1, 2, 4, 8, 16, 32, 64])
async def test_the_end_of_a_job_of_any_length_is_seen_within_a_chunk_or_two(chunks: int) -> None:
    org = paced([0.5] * chunks)
    readings, late = await org.wait(rows=CHUNK * chunks)
    assert late <= 1.0
    assert readings <= steady_readings(org.ends) + MOST_MORE_READINGS


async def test_a_job_that_goes_on_after_its_last_row_is_read_with_growing_pauses() -> None:
    org = paced(CONSTANT, tail=60)
    readings, late = await org.wait(rows=CHUNK * CHUNKS)
    assert readings <= steady_readings(org.ends) + 2 * MOST_MORE_READINGS
    assert late <= EVERY_FIVE_SECONDS


async def test_a_job_whose_rows_were_not_counted_is_read_each_second_while_they_move() -> None:
    readings, late = await paced([0.5] * 40).wait(rows=None)
    assert (readings, late) == (22, 0.75)


async def test_rows_that_are_more_than_were_counted_are_no_pace() -> None:
    readings, _ = await paced(CONSTANT).wait(rows=CHUNK)
    assert readings <= 15


async def test_a_wait_that_begins_in_the_midst_of_a_job_foresees_its_end() -> None:
    org = paced(CONSTANT)
    org.at = 20.1
    readings, late = await org.wait(rows=CHUNK * CHUNKS)
    assert readings <= 9 and late <= 0.5
