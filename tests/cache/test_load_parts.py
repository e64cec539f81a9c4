"""The record of the part of a load that a job got."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.ledger import Ledger, UploadRecord
from salesforce_bulk_ingest.cache.load_parts import MOST_CHARACTERS, LoadOrigin, LoadPart
from salesforce_bulk_ingest.results.retry_request import MOST_JOBS

ORG, OTHER_ORG = "00D000000000001", "00D000000000002"
FIRST, SECOND, THIRD = "750000000000001AAA", "750000000000002AAA", "750000000000003AAA"
PART = LoadPart(LoadOrigin("rows.csv", {"data": {"file": "rows.csv"}}), 1, 2, 600, "a" * 64)
NEXT = replace(PART, number=2)


def upload_of(part: LoadPart | None) -> UploadRecord:
    return UploadRecord("sending", "b" * 64, 100, 300, ("Name",), part)


@pytest.fixture
async def ledger(tmp_path: Path) -> Ledger:
    """A ledger in which a job has the first part."""
    ledger = Ledger(tmp_path / "uploads.sqlite3")
    assert await ledger.claim(ORG, FIRST, upload_of(PART)) is None
    return ledger


async def part_of(ledger: Ledger, job_id: str, org: str = ORG) -> LoadPart | None:
    found = await ledger.find(org, job_id)
    return None if found is None else found.part


async def test_a_part_is_known_to_any_process(ledger: Ledger, tmp_path: Path) -> None:
    assert await part_of(Ledger(tmp_path / "uploads.sqlite3"), FIRST) == PART
    assert await part_of(ledger, FIRST, OTHER_ORG) is None


async def test_a_part_that_was_sent_stays_recorded_until_the_job_is_forgotten(ledger: Ledger) -> None:
    await ledger.record(ORG, FIRST, replace(upload_of(PART), state="sent"))
    assert await part_of(ledger, FIRST) == PART
    await ledger.claim(ORG, SECOND, upload_of(NEXT))
    assert await ledger.next_job(ORG, FIRST) == SECOND[:15]
    await ledger.forget(ORG, SECOND)
    assert await ledger.next_job(ORG, FIRST) is None


async def test_the_job_of_the_next_part_of_the_same_rows_is_found(ledger: Ledger) -> None:
    await ledger.claim(OTHER_ORG, THIRD, upload_of(NEXT))
    for other in (replace(NEXT, sha256="c" * 64), replace(NEXT, of=3), replace(NEXT, number=3)):
        await ledger.record(ORG, SECOND, upload_of(other))
        assert await ledger.next_job(ORG, FIRST) is None
    await ledger.record(ORG, SECOND, upload_of(NEXT))
    assert await ledger.next_job(ORG, FIRST) == SECOND[:15]
    assert await ledger.next_job(ORG, SECOND) is None


async def test_of_parts_that_got_their_rows_out_of_order_the_next_is_found(ledger: Ledger) -> None:
    await ledger.claim(ORG, SECOND, upload_of(replace(PART, sha256="c" * 64, number=2)))
    await ledger.claim(ORG, THIRD, upload_of(replace(PART, sha256="c" * 64)))
    assert await ledger.next_job(ORG, THIRD) == SECOND[:15]


async def test_a_job_of_the_first_time_does_not_follow_one_of_the_second_time(ledger: Ledger) -> None:
    await ledger.claim(ORG, SECOND, upload_of(NEXT))
    await ledger.claim(ORG, THIRD, upload_of(PART))
    # What is recorded anew of the first time is no later.
    await ledger.record(ORG, SECOND, replace(upload_of(NEXT), state="sent"))
    assert [await ledger.next_job(ORG, job) for job in (FIRST, THIRD)] == [SECOND[:15], None]


async def test_the_jobs_of_the_other_parts_are_known_and_of_each_the_last_before_this_one(ledger: Ledger) -> None:
    await ledger.claim(ORG, SECOND, upload_of(NEXT))
    assert await ledger.jobs_of_other_parts(ORG, SECOND) == {1: FIRST[:15]}
    assert await ledger.jobs_of_other_parts(ORG, FIRST) == {2: SECOND[:15]}
    await ledger.claim(ORG, THIRD, upload_of(PART))  # a second time
    assert await ledger.jobs_of_other_parts(ORG, SECOND) == {1: FIRST[:15]}
    await ledger.claim(ORG, "750000000000004AAA", upload_of(NEXT))
    assert await ledger.jobs_of_other_parts(ORG, "750000000000004AAA") == {1: THIRD[:15]}
    assert await ledger.jobs_of_other_parts(OTHER_ORG, FIRST) == {}


async def test_of_arguments_that_are_too_long_none_is_kept(ledger: Ledger) -> None:
    long = replace(PART, origin=LoadOrigin("rows.csv", {"data": {"file": "x" * MOST_CHARACTERS}}))
    await ledger.claim(ORG, SECOND, upload_of(long))
    assert await part_of(ledger, SECOND) == replace(PART, origin=LoadOrigin("rows.csv"))


async def test_what_lets_rows_through_is_kept_however_long_their_arguments_are(ledger: Ledger, tmp_path: Path) -> None:
    jobs = [f"750{number:012}AAA" for number in range(MOST_JOBS)]
    undo = LoadOrigin.of("", {"data": {"rowsOf": {"jobs": jobs, "which": ["created"]}}})
    by_recipe = LoadOrigin.of("rows.csv", {"data": {"recipe": "weekly", "file": "x" * MOST_CHARACTERS}})
    await ledger.claim(ORG, SECOND, upload_of(replace(PART, origin=undo)))
    await ledger.claim(ORG, THIRD, upload_of(replace(PART, origin=by_recipe)))
    later = Ledger(tmp_path / "uploads.sqlite3")
    found = [await part_of(later, job) for job in (SECOND, THIRD)]
    assert found == [
        replace(PART, origin=LoadOrigin("", {}, None, tuple(jobs))),
        replace(PART, origin=LoadOrigin("rows.csv", {}, "weekly")),
    ]


@pytest.mark.parametrize(
    "data",
    [
        {"csv": "Id\n"},
        {"rowsOf": {"jobs": [FIRST], "which": ["failed"]}},
        {"rowsOf": {"jobs": [FIRST], "which": ["created"]}, "set": {"Id": "001000000000001"}},
    ],
)
def test_rows_of_another_kind_or_that_are_changed_are_of_no_creators(data: dict[str, object]) -> None:
    assert LoadOrigin.of("", {"data": data}).created_by == ()


@pytest.mark.parametrize("stored", ["{", "[]"])
async def test_a_damaged_record_is_none(ledger: Ledger, tmp_path: Path, stored: str) -> None:
    with closing(sqlite3.connect(tmp_path / "uploads.sqlite3")) as db, db:
        db.execute("UPDATE load_parts SET arguments = ?", (stored,))
    assert await part_of(ledger, FIRST) is None


async def test_a_ledger_of_an_earlier_version_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "uploads.sqlite3"
    await Ledger(path).claim(ORG, FIRST, upload_of(None))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE load_parts")
        db.execute("PRAGMA user_version = 2")
    ledger = Ledger(path)
    assert await ledger.find(ORG, FIRST) == upload_of(None)
    await ledger.claim(ORG, SECOND, upload_of(PART))
    assert await part_of(ledger, SECOND) == PART
