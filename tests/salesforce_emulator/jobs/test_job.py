"""The row of a job in the database."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from salesforce_emulator.jobs.job import job_time
from tests.salesforce_emulator.behaviours import own, seen
from tests.salesforce_emulator.caller import Caller, an_org


@own
def test_an_org_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
    with closing(sqlite3.connect(tmp_path / "org.sqlite")) as database:
        for column in ("retries", "records_read"):
            database.execute(f"ALTER TABLE job DROP COLUMN {column}")
        database.execute("DROP TABLE usage")
    with an_org(tmp_path) as org:
        org.upload(job_id, b"Name\nA\n")
        org.patch(job_id, "UploadComplete")
        assert org.until(job_id)["numberRecordsProcessed"] == 1


@seen("jobs of real orgs: the milliseconds of their times are 000")
def test_the_times_of_a_job_are_whole_seconds() -> None:
    assert job_time(datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)) == "2026-01-02T03:04:05.000+0000"


@own
def test_a_job_is_found_by_an_id_of_15_characters_too(org: Caller) -> None:
    job_id = org.create()
    assert org.get(job_id[:15]) == org.get(job_id)
