"""An org that takes its time, so that waiting can be tried."""

from pathlib import Path

from tests.emulator.behaviours import own
from tests.emulator.caller import an_org


@own
def test_a_job_takes_as_long_as_its_rows_at_the_given_pace(tmp_path: Path) -> None:
    with an_org(tmp_path, rows_per_second=500) as org:
        job = org.load("Name\n" + "A\n" * 300)
        assert job["apiActiveProcessingTime"] >= 600
        assert job["totalProcessingTime"] >= 600


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
