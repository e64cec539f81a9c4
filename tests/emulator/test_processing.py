"""The worker survives what should not happen."""

import logging
from pathlib import Path

import pytest

from tests.emulator.behaviours import assumed, own
from tests.emulator.caller import an_org


@own
def test_a_fault_of_ours_fails_the_job_and_spares_the_next(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        org.upload(job_id, b"Name\nA\n")
        (tmp_path / "jobs" / f"{job_id}.csv").unlink()
        with caplog.at_level(logging.ERROR):
            org.patch(job_id, "UploadComplete")
            job = org.until(job_id)
        assert (job["state"], job["errorMessage"]) == ("Failed", "InternalServerError : FileNotFoundError")
        assert org.load("Name\nB\n")["state"] == "JobComplete"
    assert job_id in caplog.text  # read after the worker has gone on: it logs once the job is Failed


@assumed("that counters move in smaller steps then, since nobody could hold 200 rows of 400,000 characters at once")
def test_rows_that_are_too_wide_for_a_chunk_of_200_are_saved_in_smaller_ones(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=1)
        job_id = org.submit("Name,Description\n" + f"A,{'x' * 30_000}\n" * 200)
        org.until_some_are_processed(job_id)
        assert org.get(job_id)["numberRecordsProcessed"] < 200
        org.http.delete("/emulator/faults")
        assert org.until(job_id)["numberRecordsProcessed"] == 200
