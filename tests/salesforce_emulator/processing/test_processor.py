"""The worker survives what should not happen."""

import logging
from pathlib import Path

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import an_org


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
