"""The worker survives what should not happen."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from salesforce_emulator.errors import RowError
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import an_org


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Garbage stays where only the collector of reference cycles would find it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


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
        org.go_right()
        assert org.until(job_id)["numberRecordsProcessed"] == 200


@own
@pytest.mark.usefixtures("no_collector")
def test_failed_rows_are_let_go_with_their_chunk(tmp_path: Path) -> None:
    wrong = "A,many\n" + f"{'x' * 300},1\n" + ",1\n"  # a number, a text, a required field
    with an_org(tmp_path) as org:
        assert org.load("Name,NumberOfEmployees\n" + wrong)["numberRecordsFailed"] == 3
        assert not [held for held in gc.get_objects() if isinstance(held, RowError)]
