"""Processes that serve an org and end, and a job that outlives them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.salesforce_emulator.caller import Caller, Job, calling

ROWS = 1_000
BIG = "Name,Site\n" + "".join(f"row {number},big\n" for number in range(ROWS))
SAVED = 2
"""The number of chunks of the big job that are saved before the job is held."""


def submit_and_hold(org: Caller) -> str:
    """Submit the big job, and return its id once some chunks are saved and no other can be."""
    org.hold_jobs(after=SAVED)
    job_id = org.submit(BIG)
    org.until_held(job_id, SAVED)
    return job_id


def assert_each_row_is_there_once(org: Caller, job: Job) -> None:
    """Assert that the big job has completed, with one record for each of its rows."""
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", ROWS, 0)
    results = org.succeeded(job)
    assert {row["Name"] for row in results} == {f"row {number}" for number in range(ROWS)}
    assert len({row["sf__Id"] for row in results}) == len(results) == ROWS
    assert org.count("Site = 'big'") == ROWS


@contextmanager
def killed_in_the_end(folder: Path) -> Iterator[Caller]:
    """Serve an org in a process of its own, and kill the process when the block ends."""
    command = [sys.executable, "-m", "tests.salesforce_emulator.serve_org", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with calling(process.stdout.readline().strip()) as org:
            yield org
            process.kill()
