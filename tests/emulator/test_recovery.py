"""Orgs outlive their processes, and bear two at once."""

import itertools
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.emulator.caller import Caller, Job, an_org, calling

ROWS = 20_000
BIG = "Name,Site\n" + "".join(f"row {number},big\n" for number in range(ROWS))


def assert_each_row_is_there_once(org: Caller, job: Job) -> None:
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", ROWS, 0)
    results = org.succeeded(job)
    assert {row["Name"] for row in results} == {f"row {number}" for number in range(ROWS)}
    assert len({row["sf__Id"] for row in results}) == len(results) == ROWS
    assert org.count("Site = 'big'") == ROWS


def test_the_org_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        first = org.load("Name\nAcme\n")
        [row] = org.succeeded(first)
    with an_org(tmp_path) as org:
        assert org.get(first["id"]) == first
        assert org.record(row["sf__Id"])["Name"] == "Acme"
        assert org.succeeded(org.load("Name\nSecond\n"))[0]["sf__Id"] > row["sf__Id"]
    assert (tmp_path.stat().st_mode & 0o777, list(tmp_path.glob("processes/*"))) == (0o700, [])


def test_a_job_cut_by_a_stop_goes_on_with_the_next_start(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.submit(BIG)
        org.until_some_are_processed(job_id)
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


def test_a_killed_process_leaves_no_half_record_and_no_row_is_doubled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.emulator.serve_org", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with calling(process.stdout.readline().strip()) as org:
            job_id = org.submit(BIG)
            org.until_some_are_processed(job_id)
            process.kill()
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


def test_a_second_process_leaves_the_jobs_of_the_first_alone(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(an_org(tmp_path))
        job_id = first.submit(BIG)
        first.until_some_are_processed(job_id)
        second = stack.enter_context(an_org(tmp_path))
        other = second.load("Name,Site\n" + "A,other\n" * 1000)
        assert (other["state"], second.count("Site = 'other'")) == ("JobComplete", 1000)
        assert_each_row_is_there_once(second, first.until(job_id))


def test_two_processes_never_hand_out_the_same_id(tmp_path: Path) -> None:
    with an_org(tmp_path) as first, an_org(tmp_path) as second:
        jobs = [(org, org.submit("Name\n" + "A\n" * 2000)) for _ in range(3) for org in (first, second)]
        ids = [row["sf__Id"] for org, job_id in jobs for row in org.succeeded(org.until(job_id))]
    assert len(set(ids)) == len(ids) == 12_000


def test_a_small_job_does_not_wait_for_a_big_one(tmp_path: Path) -> None:
    seconds = itertools.count()  # a clock that ticks when it is read, so that dates are the order of events

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(seconds))

    with an_org(tmp_path, clock=clock) as org:
        small = org.create()
        org.upload(small, b"Name\nsmall\n")
        big = org.submit(BIG)
        org.patch(small, "UploadComplete")
        assert org.until(small)["systemModstamp"] < org.until(big)["systemModstamp"]


def test_a_seed_repeats_ids_and_order_and_no_seed_does_not(tmp_path: Path) -> None:
    def outcome(name: str, seed: int | None) -> str:
        with an_org(tmp_path / name, seed=seed) as org:
            return org.result(org.load("Name\n" + "".join(f"{n}\n" for n in range(300))), "successfulResults")

    assert outcome("a", 7) == outcome("b", 7)
    assert outcome("c", None) != outcome("d", None)
