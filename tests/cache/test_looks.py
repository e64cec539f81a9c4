"""The record of the rows that a look at the org left out of a job."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.loading.by_record import LeftOutLines

ORG, JOB = "00D000000000001", "750000000000001AAA"
FOUND = LeftOutLines(unmatched=(2, 17, 30_000_000_000))


@pytest.fixture
async def ledger(tmp_path: Path) -> Ledger:
    """A ledger in which a job has rows of which some were left out."""
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    await ledger.claim(ORG, JOB, UploadRecord("sending", "b" * 64, 100, 300, ("Name",)))
    await ledger.record_look(ORG, JOB, "these rows", FOUND)
    return ledger


async def test_what_was_left_out_is_known_to_any_process(ledger: Ledger, tmp_path: Path) -> None:
    found = await Ledger(tmp_path / "uploads.sqlite3").look_of(ORG, JOB, "these rows")
    assert found is not None
    assert (list(found.unmatched), list(found.unchanged)) == ([2, 17, 30_000_000_000], [])


async def test_nothing_is_known_of_other_rows_and_other_jobs(ledger: Ledger) -> None:
    assert await ledger.look_of(ORG, JOB, "other rows") is None
    assert await ledger.look_of(ORG, "750000000000002AAA", "these rows") is None
    assert await ledger.look_of("00D000000000002", JOB, "these rows") is None


async def test_what_was_left_out_is_forgotten_with_the_upload(ledger: Ledger) -> None:
    await ledger.release(ORG, JOB)
    assert await ledger.look_of(ORG, JOB, "these rows") is None


@pytest.mark.parametrize("damaged", ["x", "-1", "5 -2", "fffffffffffffffff"])
async def test_a_damaged_record_is_none(ledger: Ledger, tmp_path: Path, damaged: str) -> None:
    with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db, db:
        db.execute("UPDATE looks SET unchanged = ?", (damaged,))
    assert await ledger.look_of(ORG, JOB, "these rows") is None
