"""The row of a job in the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import an_org


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
