"""An org in its folder."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.org import Org
from salesforce_emulator.schema.schema_file import SchemaError
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, an_org


@own
def test_a_job_whose_very_failure_can_not_be_noted_fails_once_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with an_org(tmp_path) as org, closing(sqlite3.connect(tmp_path / "org.sqlite", isolation_level=None)) as database:
        job_id = org.create()
        org.upload(job_id, b"Name\nAcme\n")
        (tmp_path / "jobs" / f"{job_id}.csv").unlink()
        full = "BEFORE UPDATE OF state ON job WHEN NEW.state = 'Failed' BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        database.execute(f"CREATE TRIGGER full {full}")
        org.patch(job_id, "UploadComplete")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while "could not be set to Failed" not in caplog.text:
            assert time.monotonic() < deadline
        assert org.get(job_id)["state"] == "InProgress"
        assert org.load("Name\nAjax\n")["state"] == "JobComplete"
        database.execute("DROP TRIGGER full")
        assert org.until(job_id)["errorMessage"] == "InternalServerError : FileNotFoundError"


@own
def test_an_org_that_could_not_open_is_free_for_the_next_process(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("objects: {Account: {fields: {Tier__c: {type: boolean}}}}")
    Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=file)).close()
    file.write_text("objects: {Account: {fields: {Tier__c: {type: date}}}}")
    with pytest.raises(SchemaError):
        Org(EmulatorConfig(data_dir=tmp_path / "org", schema_file=file))
    Org(EmulatorConfig(data_dir=tmp_path / "org")).close()


@own
def test_the_folder_of_an_org_is_for_its_owner_alone(tmp_path: Path) -> None:
    Org(EmulatorConfig(data_dir=tmp_path / "home" / "org")).close()
    assert (tmp_path / "home" / "org").stat().st_mode & 0o777 == 0o700
