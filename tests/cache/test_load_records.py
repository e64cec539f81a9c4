"""The record of loads in the ledger: what is compared with what, for how long, and between processes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.cache.load_records import LoadRecord
from salesforce_bulk_ingest.csvio.records import Block
from salesforce_bulk_ingest.loading.row_sketch import RowSketcher

ORG, OTHER_ORG = "00D000000000001", "00D000000000002"
FIRST, SECOND, THIRD = "750000000000001AAA", "750000000000002AAA", "750000000000003AAA"


def load_of(rows: int, *, operation: str = "insert", columns: str = "Account: Name", start: int = 0) -> LoadRecord:
    sketcher = RowSketcher(",")
    sketcher.add(Block(b"".join(b"Row %d\n" % number for number in range(start, start + rows))), rows)
    return LoadRecord(operation, columns, sketcher.finish())


async def known(ledger: Ledger, load: LoadRecord, *, org: str = ORG, since: float = 0) -> dict[str, int]:
    _, earlier = await ledger.earlier_loads(org, load, since=since, ignored_jobs=())
    return {upload.job_id: upload.known.count for upload in earlier}


@pytest.fixture
async def ledger(tmp_path: Path) -> Ledger:
    """A ledger in which a job has ten rows."""
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    assert await ledger.record_load(ORG, FIRST, load_of(10), now=100, since=0, ignored_jobs=()) is None
    return ledger


async def test_rows_are_known_to_any_process_in_their_org_and_with_their_columns(
    ledger: Ledger, tmp_path: Path
) -> None:
    other_process = Ledger(tmp_path / "uploads.sqlite3")
    assert await known(other_process, load_of(4)) == {FIRST[:15]: 4}
    assert await known(ledger, load_of(4, start=10)) == {}
    assert await known(ledger, load_of(4), org=OTHER_ORG) == {}
    assert await known(ledger, load_of(4, columns="Lead: Name")) == {}


@pytest.mark.parametrize(
    ("earlier", "later", "is_compared"),
    [("upsert", "insert", True), ("insert", "upsert", True), ("delete", "hardDelete", True), ("update", "insert", False),
     ("insert", "update", False), ("update", "update", True), ("insert", "delete", False)],
)  # fmt: skip
async def test_an_operation_is_compared_with_those_that_do_the_same(
    earlier: str, later: str, is_compared: bool, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    await ledger.record_load(ORG, FIRST, load_of(3, operation=earlier), now=100, since=0, ignored_jobs=())
    assert bool(await known(ledger, load_of(3, operation=later))) is is_compared


async def test_the_second_of_two_that_record_the_same_rows_gets_the_first(ledger: Ledger) -> None:
    meanwhile = await ledger.record_load(ORG, SECOND, load_of(12), now=101, since=0, ignored_jobs=())
    assert meanwhile is not None and (meanwhile.job_id, meanwhile.known.count) == (FIRST[:15], 10)
    assert await known(ledger, load_of(12)) == {FIRST[:15]: 10}
    assert await ledger.record_load(ORG, SECOND, load_of(12), now=101, since=0, ignored_jobs={FIRST[:15]}) is None
    assert await known(ledger, load_of(12)) == {FIRST[:15]: 10, SECOND[:15]: 12}


async def test_only_uploads_after_those_that_were_compared_count_when_rows_are_recorded(ledger: Ledger) -> None:
    last, _ = await ledger.earlier_loads(ORG, load_of(10), since=0, ignored_jobs=())
    await ledger.record_load(ORG, SECOND, load_of(10), now=101, since=0, after=last)
    meanwhile = await ledger.record_load(ORG, THIRD, load_of(10), now=102, since=0, after=last)
    assert meanwhile is not None and meanwhile.job_id == SECOND[:15]
    await ledger.release(ORG, SECOND)
    assert await ledger.record_load(ORG, THIRD, load_of(10), now=102, since=0, after=last) is None
    assert await ledger.record_load(ORG, SECOND, load_of(10), now=102, since=0, after=None) is None
    # The number of a record that was removed is not given again.
    assert (
        await ledger.record_load(ORG, FIRST, load_of(10), now=103, since=0, after=last, ignored_jobs={SECOND, THIRD})
        is None
    )


async def test_of_many_uploads_with_some_of_the_rows_those_with_the_most_are_compared(ledger: Ledger) -> None:
    for number in range(120):
        load = load_of(2 if number < 110 else 5, start=4)
        await ledger.record_load(ORG, f"75100000000{number:04}", load, now=200, since=0, after=None)
    found = await known(ledger, load_of(10))
    assert len(found) == 100
    assert list(found.values())[:12] == [10] + [5] * 10 + [2]


async def test_a_record_of_another_version_is_of_no_rows(ledger: Ledger, tmp_path: Path) -> None:
    assert await known(ledger, load_of(100)) == {FIRST[:15]: 10}
    with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db, db:
        db.execute("UPDATE recorded_loads SET sketch = ?", (b"of another version",))
    assert await known(ledger, load_of(100)) == {}
    await ledger.release(ORG, FIRST)


async def test_rows_are_forgotten_in_time_and_where_salesforce_took_none(ledger: Ledger) -> None:
    assert await known(ledger, load_of(4), since=100) == {}
    await ledger.record_load(ORG, SECOND, load_of(4, start=50), now=300, since=100, ignored_jobs=())
    assert await known(ledger, load_of(100)) == {SECOND[:15]: 4}
    await ledger.release(ORG, SECOND)
    assert await known(ledger, load_of(100)) == {}


async def test_rows_of_a_deleted_job_stay_known(ledger: Ledger) -> None:
    await ledger.record(ORG, FIRST, UploadRecord("sent", "0" * 64, 1))
    await ledger.forget(ORG, FIRST)
    assert await known(ledger, load_of(10)) == {FIRST[:15]: 10}


async def test_a_job_that_undoes_another_is_found_until_it_is_released(ledger: Ledger) -> None:
    await ledger.record_undo(ORG, SECOND, {FIRST: 10})
    assert await ledger.undos_of(ORG, FIRST) == {SECOND[:15]: 10}
    assert await ledger.undos_of(OTHER_ORG, FIRST) == {}
    await ledger.release(ORG, SECOND)
    assert await ledger.undos_of(ORG, FIRST) == {}
