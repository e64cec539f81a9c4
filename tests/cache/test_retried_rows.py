"""The record of rows of results that were retried in other jobs."""

from dataclasses import replace
from pathlib import Path

from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.retried_rows import EarlierRetry, RetriedRows

ORG = "https://acme.my.salesforce.com"
JOB_ID = "750000000000001AAA"


async def test_rows_counted_in_another_download_of_a_result_may_be_any_of_those_that_retried(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    retried = RetriedRows(JOB_ID, "failedResults", "one order", 0b0011)
    await ledger.record_retry(ORG, [retried], "750000000000002AAA", ignored_jobs=(), replaced_jobs={})
    other = RetriedRows(JOB_ID, "failedResults", "one order", 0b1100)
    assert await ledger.earlier_retries(ORG, [other], ()) == ()
    before = await ledger.earlier_retries(ORG, [replace(other, sha256="another order")], ())
    assert before == (EarlierRetry(JOB_ID, "750000000000002", 2),)


async def test_which_rows_of_a_result_were_sent_again_is_known_for_that_download_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    retried = RetriedRows(JOB_ID, "failedResults", "one order", 1 << 9 | 1)
    await ledger.record_retry(ORG, [retried], "750000000000002AAA", ignored_jobs=(), replaced_jobs={})
    [sent] = await ledger.sent_rows(ORG, [JOB_ID])
    assert [number for number in range(20) if sent.may_have("one order", number)] == [0, 9]
    assert all(sent.may_have("another order", number) for number in range(20))


async def test_rows_that_salesforce_did_not_take_are_free_and_those_of_a_deleted_job_are_not(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    retried = RetriedRows(JOB_ID, "failedResults", "", 0b1)
    for to_job, drop in (("750000000000002AAA", ledger.forget), ("750000000000003AAA", ledger.release)):
        await ledger.record_retry(ORG, [retried], to_job, ignored_jobs=None, replaced_jobs={})
        await drop(ORG, to_job)
    assert await ledger.jobs_retrying(ORG, JOB_ID) == {"750000000000002"}
