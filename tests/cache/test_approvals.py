"""Approvals count for exactly the close that was shown, for a day."""

from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.cache.approvals import APPROVED_SECONDS, WAITING_SECONDS, Approvals, WaitingClose

JOB_ID = "750000000000001AAA"
FACTS = "delete 2 Contact in Acme PRODUCTION (job 750000000000001, rows 0123456789abcdef)"
WAITING = WaitingClose("00D000000000001", "750000000000001", FACTS)


class Clock:
    time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


async def test_a_close_counts_as_approved_only_after_the_operator_approved_it_as_it_is(tmp_path: Path) -> None:
    approvals = Approvals(tmp_path / "state" / "approvals.sqlite3")
    assert approvals.waiting() == []
    assert not approvals.approve(WAITING)
    assert not await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    assert approvals.waiting() == [WAITING]
    assert not await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    assert approvals.approve(WAITING)
    assert await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    assert approvals.waiting() == []
    assert not await approvals.is_approved(WAITING.org, JOB_ID, FACTS.replace("2", "3"))
    assert not await approvals.is_approved("another org", JOB_ID, FACTS)


async def test_an_approval_outlives_a_question_about_the_same_close_but_not_one_about_other_rows(
    tmp_path: Path,
) -> None:
    approvals = Approvals(tmp_path / "approvals.sqlite3")
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    approvals.approve(WAITING)
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    assert await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    await approvals.ask(WAITING.org, JOB_ID, "delete 3 Contact")
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    assert not await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    assert not approvals.approve(WaitingClose(WAITING.org, WAITING.job_id, "delete 3 Contact"))


async def test_approvals_and_questions_have_an_end(tmp_path: Path) -> None:
    clock = Clock()
    approvals = Approvals(tmp_path / "approvals.sqlite3", clock)
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    approvals.approve(WAITING)
    clock.time += APPROVED_SECONDS
    assert not await approvals.is_approved(WAITING.org, JOB_ID, FACTS)
    await approvals.ask(WAITING.org, JOB_ID, FACTS)
    assert approvals.waiting() == [WAITING]
    clock.time += WAITING_SECONDS + 1
    assert approvals.waiting() == []


async def test_a_file_that_can_not_be_used_approves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "approvals.sqlite3"
    file.write_bytes(b"no database, but long enough to be looked at as one" * 100)
    with pytest.raises(StorageFailure, match="record of approvals can't be used"):
        await Approvals(file).is_approved(WAITING.org, JOB_ID, FACTS)


async def test_the_file_is_for_this_user_alone(tmp_path: Path) -> None:
    await Approvals(tmp_path / "approvals.sqlite3").ask(WAITING.org, JOB_ID, FACTS)
    assert (tmp_path / "approvals.sqlite3").stat().st_mode & 0o777 == 0o600
