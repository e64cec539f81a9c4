"""The record of uploads: it remembers, and does without where it can't."""

import sqlite3
import stat
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from salesforce_bulk_ingest.base.errors import NoRecord
from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.cache.retried_rows import RetriedRows
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

ORG = "https://acme.my.salesforce.com"
JOB_ID = "750000000000001AAA"
SENT = UploadRecord("sent", "0" * 64, 17)


async def test_an_upload_is_found_again_by_the_short_and_the_long_id(tmp_path: Path) -> None:
    await Ledger(tmp_path / "new" / "uploads.sqlite3").record(ORG, JOB_ID, SENT)
    for job_id in (JOB_ID, JOB_ID[:15]):
        assert await Ledger(tmp_path / "new" / "uploads.sqlite3").find(ORG, job_id) == SENT


async def test_an_upload_belongs_to_one_job_of_one_org(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    await ledger.record(ORG, JOB_ID, SENT)
    assert await ledger.find("https://other.my.salesforce.com", JOB_ID) is None
    assert await ledger.find(ORG, "750000000000002AAA") is None


async def test_a_later_record_takes_the_place_of_an_earlier_one_until_it_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    await ledger.record(ORG, JOB_ID, UploadRecord("sending", "0" * 64, 17))
    await ledger.record(ORG, JOB_ID, SENT)
    assert await ledger.find(ORG, JOB_ID) == SENT
    await ledger.forget(ORG, JOB_ID)
    await ledger.forget(ORG, JOB_ID)
    assert await ledger.find(ORG, JOB_ID) is None


async def test_rows_and_columns_of_an_upload_are_recorded_and_go_with_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    counted = UploadRecord("sent", "0" * 64, 17, 2, ("Name", 'Say "hi"'))
    await ledger.record(ORG, JOB_ID, counted)
    assert await ledger.find(ORG, JOB_ID) == counted
    await ledger.record(ORG, JOB_ID, SENT)
    assert await ledger.find(ORG, JOB_ID) == SENT
    await ledger.forget(ORG, JOB_ID)
    assert await ledger.claim(ORG, JOB_ID, counted) is None
    assert await ledger.find(ORG, JOB_ID) == counted


@pytest.mark.parametrize("damaged", ["[", "5", "[5]", "null"])
async def test_an_upload_whose_columns_are_damaged_is_one_whose_rows_were_not_counted(
    damaged: str, tmp_path: Path
) -> None:
    path = tmp_path / "uploads.sqlite3"
    await Ledger(path).record(ORG, JOB_ID, replace(SENT, rows=2, columns=("Name",)))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE uploaded_rows SET columns = ?", (damaged,))
    assert await Ledger(path).find(ORG, JOB_ID) == SENT


async def test_of_two_claims_of_a_job_the_second_is_told_of_the_first_until_that_is_released(tmp_path: Path) -> None:
    one, other = (Ledger(tmp_path / "uploads.sqlite3") for _ in range(2))
    first, second = UploadRecord("sending", "1" * 64, 1), UploadRecord("sending", "2" * 64, 2)
    assert await one.claim(ORG, JOB_ID, first) is None
    assert await other.claim(ORG, JOB_ID[:15], second) == first
    assert await one.find(ORG, JOB_ID) == first
    await one.release(ORG, JOB_ID)
    assert await other.claim(ORG, JOB_ID, second) is None
    assert await one.find(ORG, JOB_ID) == second


@pytest.mark.parametrize("broken", ["not a database", "a folder", "another schema", "below a file"])
async def test_a_file_that_can_not_be_used_is_logged_and_done_without(
    broken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "uploads.sqlite3"
    if broken == "not a database":
        path.write_bytes(b"x" * 4096)
    elif broken == "a folder":
        path.mkdir()
    elif broken == "another schema":
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE uploads (x)")
    else:
        path.write_text("")
        path = path / "uploads.sqlite3"
    ledger = Ledger(path)
    await ledger.record(ORG, JOB_ID, SENT)
    assert await ledger.find(ORG, JOB_ID) is None
    await ledger.forget(ORG, JOB_ID)
    with pytest.raises(NoRecord, match="record of rows sent can't be used"):
        await ledger.claim(ORG, JOB_ID, SENT)
    assert len(caplog.records) == 4
    assert all(str(path) in record.getMessage() for record in caplog.records)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes")
async def test_its_folder_is_the_user_s_own(tmp_path: Path) -> None:
    await Ledger(tmp_path / "state" / "uploads.sqlite3").record(ORG, JOB_ID, SENT)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


HOST = "acme.my.salesforce.com"
ACME = Org(HOST, "production", "00D000000000001EAA")
UNTOLD = Org(HOST, "production")


async def test_what_is_recorded_by_a_host_is_found_by_the_organization_that_is_told_there(tmp_path: Path) -> None:
    path = tmp_path / "uploads.sqlite3"
    earlier, rows = Ledger(path), [RetriedRows(JOB_ID, "failedResults", "0" * 64, 0b111)]
    await earlier.record(HOST, JOB_ID, SENT)
    await earlier.record_retry(HOST, rows, "750000000000002AAA", ignored_jobs=(), replaced_jobs={})
    ledger = Ledger(path)
    assert await ledger.settle(ACME) == ACME
    assert await ledger.find(ACME.key, JOB_ID) == SENT
    [retry] = await ledger.earlier_retries(ACME.key, rows, ())
    assert (retry.to_job, retry.count) == ("750000000000002", 3)


async def test_records_by_a_host_are_taken_over_once_so_that_what_was_forgotten_stays_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "uploads.sqlite3"
    await Ledger(path).record(HOST, JOB_ID, SENT)
    for _ in range(2):
        ledger = Ledger(path)
        await ledger.settle(ACME)
        await ledger.forget(ACME.key, JOB_ID)
        assert await ledger.find(ACME.key, JOB_ID) is None


async def test_records_are_taken_over_later_where_the_file_could_not_be_used_at_first(tmp_path: Path) -> None:
    path = tmp_path / "uploads.sqlite3"
    await Ledger(path).record(HOST, JOB_ID, SENT)
    ledger = Ledger(path)
    await ledger.settle(ACME)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert await ledger.find(ACME.key, JOB_ID) is None
    assert await ledger.find(ACME.key, JOB_ID) == SENT


async def test_a_login_that_tells_no_organization_has_the_only_one_that_was_told_at_its_host(tmp_path: Path) -> None:
    path = tmp_path / "uploads.sqlite3"
    assert await Ledger(path).settle(UNTOLD) == UNTOLD
    assert not path.exists()
    assert await Ledger(tmp_path / ("x" * 300)).settle(UNTOLD) == UNTOLD
    ledger = Ledger(path)
    for told, key in (("00D000000000001EAA", "00D000000000001"), ("00D000000000002AAA", HOST)):
        await ledger.settle(replace(ACME, organization_id=told))
        await ledger.find(told[:15], JOB_ID)
        assert (await Ledger(path).settle(UNTOLD)).key == key


NOW = 1_700_000_000.0


async def whole_since(path: Path, cache: Path | None) -> float:
    return await Ledger(path, cache, lambda: NOW).whole_since()


async def test_a_first_record_is_whole(tmp_path: Path) -> None:
    for cache in (None, tmp_path / "spool"):
        assert await whole_since(tmp_path / "new" / "uploads.sqlite3", cache) == 0


async def test_a_record_of_the_first_version_is_whole_for_the_files_of_that_version(tmp_path: Path) -> None:
    path, cache = tmp_path / "uploads.sqlite3", tmp_path / "spool"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE uploads (org TEXT, job_id TEXT, state TEXT, sha256 TEXT, bytes INTEGER)")
    (cache / "an org").mkdir(parents=True)
    (cache / "an org" / "upload.csv.gz.label").write_text("1")
    assert await whole_since(path, cache) == 0
    path.unlink()
    assert await whole_since(path, cache) == NOW
    assert await whole_since(path, cache) == NOW


async def test_a_record_is_whole_from_the_loss_of_the_one_before(tmp_path: Path) -> None:
    path, cache = tmp_path / "uploads.sqlite3", tmp_path / "spool"
    assert await whole_since(path, cache) == 0
    path.unlink()
    assert await whole_since(path, cache) == NOW


async def test_of_many_who_look_at_a_record_that_was_lost_one_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "uploads.sqlite3"
    ledger = Ledger(path, tmp_path / "spool")
    await ledger.record(ORG, JOB_ID, SENT)
    path.unlink()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ledger.find, ORG, JOB_ID)
    assert caplog.text.count("was lost") == 1


async def test_an_older_copy_of_the_record_is_told_from_one_that_misses_nothing(tmp_path: Path) -> None:
    path, cache, copy = tmp_path / "uploads.sqlite3", tmp_path / "spool", tmp_path / "copy"
    ledger = Ledger(path, cache, lambda: NOW)
    await ledger.record(ORG, JOB_ID, SENT)
    copy.write_bytes(path.read_bytes())
    await ledger.record(ORG, JOB_ID, SENT)
    path.write_bytes(copy.read_bytes())
    assert await ledger.whole_since() == 0
    rows = [RetriedRows(JOB_ID, "failedResults", "0" * 64, 0b111)]
    await ledger.record_retry(ORG, rows, "750000000000002AAA", ignored_jobs=(), replaced_jobs={})
    path.write_bytes(copy.read_bytes())
    assert await ledger.whole_since() == NOW


async def test_the_end_of_a_deleted_job_is_found_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    assert await ledger.ended_job(ORG, JOB_ID) is None
    for processed in (0, 7, None):
        ended = Job(id=JOB_ID, state="Failed", number_records_processed=processed)
        await ledger.record_end(ORG, ended)
        assert await ledger.ended_job(ORG, JOB_ID) == ended
    assert await ledger.ended_job("another org", JOB_ID) is None


async def test_of_many_claims_at_once_none_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(ledger.claim, ORG, f"75000000000{number:04}", UploadRecord("sending", "0" * 64, 1))
    assert caplog.messages == []
    with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db:
        assert db.execute("SELECT COUNT(*) FROM uploads").fetchone() == (100,)
