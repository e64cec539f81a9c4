"""An org that takes its time, so that waiting can be tried."""

import os
import time
from pathlib import Path

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, an_org
from tests.salesforce_emulator.clocks import Clock

DESCRIPTORS = Path("/proc/self/fd")


def open_files(folder: Path) -> list[str]:
    """The files of this folder that this process has open."""
    targets = []
    for descriptor in DESCRIPTORS.iterdir():
        try:
            targets.append(os.readlink(descriptor))
        except FileNotFoundError:  # closed since it was listed
            continue
    return [target for target in targets if Path(target).is_relative_to(folder)]


@own
def test_a_job_counts_the_time_that_its_rows_take_at_the_given_pace(tmp_path: Path) -> None:
    with an_org(
        tmp_path, clock=Clock(), rows_per_second=500
    ) as org:  # a clock that stands still, so nothing else counts
        job = org.load("Name\n" + "A\n" * 300)
        assert job["totalProcessingTime"] == job["apiActiveProcessingTime"] >= 300 / 500 * 1000


@own
def test_rows_are_saved_when_their_time_has_come(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=1) as org:
        job_id = org.submit("Name\n" + "A\n" * 1000)
        job = org.until(job_id, "InProgress")
        assert job["numberRecordsProcessed"] == 0


@own
def test_a_small_job_does_not_wait_for_a_slow_one(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=2) as org:
        slow = org.submit("Name\n" + "A\n" * 1000)
        assert org.load("Name\nB\n")["state"] == "JobComplete"
        assert org.get(slow)["state"] == "InProgress"


@own
def test_a_slow_job_can_be_aborted_while_it_waits(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=1) as org:
        job_id = org.submit("Name\n" + "A\n" * 1000)
        org.until(job_id, "InProgress")
        assert org.patch(job_id, "Aborted").json()["state"] == "Aborted"
        assert len(org.rows(org.get(job_id), "unprocessedrecords")) == 1000


@own
def test_a_stop_does_not_wait_for_a_slow_job(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=1) as org:
        job_id = org.submit("Name\n" + "A\n" * 1000)
        org.until(job_id, "InProgress")
    with an_org(tmp_path) as org:
        assert org.until(job_id)["numberRecordsProcessed"] == 1000


@own
@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="asks the kernel of Linux which files are open")
def test_jobs_that_wait_keep_no_files_open(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=1) as org:
        for job_id in [org.submit("Name\n" + "A\n" * 1000) for _ in range(5)]:
            org.until(job_id, "InProgress")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while files := open_files(tmp_path / "jobs"):
            assert time.monotonic() < deadline, files
