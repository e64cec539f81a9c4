"""Chunks of records that are saved together."""

from pathlib import Path

from tests.salesforce_emulator.behaviours import assumed
from tests.salesforce_emulator.caller import an_org


@assumed("that counters move in smaller steps then, since nobody could hold 200 rows of 400,000 characters at once")
def test_rows_that_are_too_wide_for_a_chunk_of_200_are_saved_in_smaller_ones(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=1)
        job_id = org.submit("Name,Description\n" + f"A,{'x' * 30_000}\n" * 200)
        org.until_some_are_processed(job_id)
        assert org.get(job_id)["numberRecordsProcessed"] < 200
        org.go_right()
        assert org.until(job_id)["numberRecordsProcessed"] == 200
