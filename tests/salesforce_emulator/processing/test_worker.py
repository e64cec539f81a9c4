"""Orgs outlive their processes, and bear two at once."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import REST, Caller, Job, an_org, calling, half_an_upload
from tests.salesforce_emulator.clocks import Ticking

ROWS = 1_000
BIG = "Name,Site\n" + "".join(f"row {number},big\n" for number in range(ROWS))
SAVED = 2  # chunks of the big job, before it is held to be cut


def submit_and_hold(org: Caller) -> str:
    """The big job, of which some chunks are saved and the next can't be."""
    org.hold_jobs(after=SAVED)
    job_id = org.submit(BIG)
    org.until_held(job_id, SAVED)
    return job_id


def assert_each_row_is_there_once(org: Caller, job: Job) -> None:
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", ROWS, 0)
    results = org.succeeded(job)
    assert {row["Name"] for row in results} == {f"row {number}" for number in range(ROWS)}
    assert len({row["sf__Id"] for row in results}) == len(results) == ROWS
    assert org.count("Site = 'big'") == ROWS


def sorted_by_id(org: Caller, job_id: str) -> list[dict[str, str]]:
    """The rows of a job in the order in which they were saved."""
    return sorted(org.succeeded(org.until(job_id)), key=lambda row: row["sf__Id"])


@contextmanager
def killed_in_the_end(folder: Path) -> Iterator[Caller]:
    """An org in a process of its own, which is killed without warning when the block ends."""
    command = [sys.executable, "-m", "tests.salesforce_emulator.serve_org", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with calling(process.stdout.readline().strip()) as org:
            yield org
            process.kill()


@own
def test_the_org_is_still_there_after_a_restart(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        first = org.load("Name\nAcme\n")
        [row] = org.succeeded(first)
    with an_org(tmp_path) as org:
        assert org.get(first["id"]) == first
        assert org.record(row["sf__Id"])["Name"] == "Acme"
        assert org.succeeded(org.load("Name\nSecond\n"))[0]["sf__Id"] > row["sf__Id"]
    assert (tmp_path.stat().st_mode & 0o777, list(tmp_path.glob("processes/*"))) == (0o700, [])


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


@own
def test_a_job_cut_by_a_stop_goes_on_with_the_next_start(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = submit_and_hold(org)
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


@own
def test_a_killed_process_leaves_no_half_record_and_no_row_is_doubled(tmp_path: Path) -> None:
    with killed_in_the_end(tmp_path) as org:
        job_id = submit_and_hold(org)
    with an_org(tmp_path) as org:
        assert_each_row_is_there_once(org, org.until(job_id))


@own
@pytest.mark.parametrize("ending", [killed_in_the_end, an_org], ids=["killed", "stopped"])
def test_the_job_of_a_process_that_ended_goes_on_in_one_that_has_the_org_open(
    tmp_path: Path, ending: Callable[[Path], AbstractContextManager[Caller]]
) -> None:
    with ExitStack() as stack:
        with ending(tmp_path) as first:
            second = stack.enter_context(an_org(tmp_path))
            job_id = submit_and_hold(first)
        assert_each_row_is_there_once(second, second.until(job_id))


@own
def test_what_a_killed_process_left_behind_is_gone_with_the_next_start(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with killed_in_the_end(tmp_path) as org:
            job_id = org.create()
            stack.enter_context(half_an_upload(org, job_id, tmp_path))
        (tmp_path / "jobs" / "750Em000000GoneAAA.successful.csv").touch()  # a deletion that was cut by the kill
        with an_org(tmp_path) as org:
            assert list(tmp_path.glob("jobs/*")) == []
            assert len(list(tmp_path.glob("processes/*"))) == 1
            org.upload(job_id, b"Name\nwhole\n")


@own
def test_a_start_leaves_alone_what_living_processes_are_at(tmp_path: Path) -> None:
    with an_org(tmp_path) as first:
        job_id = first.create()
        with half_an_upload(first, job_id, tmp_path) as wire, an_org(tmp_path):
            wire.sendall(REST)
            assert wire.recv(12) == b"HTTP/1.1 201"


@own
def test_a_second_process_leaves_the_jobs_of_the_first_alone(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(an_org(tmp_path))
        job_id = submit_and_hold(first)
        second = stack.enter_context(an_org(tmp_path))
        other = second.load("Name,Site\n" + "A,other\n" * 1000)
        assert (other["state"], second.count("Site = 'other'")) == ("JobComplete", 1000)
        assert first.get(job_id)["numberRecordsProcessed"] == 200 * SAVED
        first.go_right()
        assert_each_row_is_there_once(second, first.until(job_id))


@own
def test_two_processes_never_hand_out_the_same_id(tmp_path: Path) -> None:
    with an_org(tmp_path) as first, an_org(tmp_path) as second:
        jobs = [(org, org.submit("Name\n" + "A\n" * 2000)) for _ in range(3) for org in (first, second)]
        ids = [row["sf__Id"] for org, job_id in jobs for row in org.succeeded(org.until(job_id))]
    assert len(set(ids)) == len(ids) == 12_000


@own
def test_a_small_job_does_not_wait_for_a_big_one(tmp_path: Path) -> None:
    with an_org(tmp_path, clock=Ticking()) as org:
        small = org.create()
        org.upload(small, b"Name\nsmall\n")
        big = org.submit("Name\n" + "big\n" * 20_000)
        org.patch(small, "UploadComplete")
        assert org.until(small)["systemModstamp"] < org.until(big)["systemModstamp"]


@own
def test_a_seed_repeats_ids_and_order_and_no_seed_does_not(tmp_path: Path) -> None:
    def outcome(name: str, seed: int | None) -> str:
        with an_org(tmp_path / name, seed=seed) as org:
            return org.result(org.load("Name\n" + "".join(f"{n}\n" for n in range(300))), "successfulResults")

    assert outcome("a", 7) == outcome("b", 7)
    assert outcome("c", None) != outcome("d", None)


@own
def test_with_a_seed_jobs_are_worked_on_one_by_one_so_that_their_ids_repeat(tmp_path: Path) -> None:
    with an_org(tmp_path, seed=7) as org:
        jobs = [org.create() for _ in range(3)]
        for job_id in jobs:
            org.upload(job_id, b"Name\n" + b"A\n" * 2000)
        closed = [*reversed(jobs)]
        for job_id in closed:
            org.patch(job_id, "UploadComplete")
        ids = [row["sf__Id"] for job_id in closed for row in sorted_by_id(org, job_id)]
    assert ids == sorted(ids)


@own
def test_with_a_seed_a_job_cut_by_a_stop_has_the_results_of_one_that_was_not(tmp_path: Path) -> None:
    with an_org(tmp_path / "cut", seed=7) as org:
        job_id = submit_and_hold(org)
    with an_org(tmp_path / "cut", seed=7) as org:
        cut = org.result(org.until(job_id), "successfulResults")
    with an_org(tmp_path / "whole", seed=7) as org:
        assert org.result(org.load(BIG), "successfulResults") == cut
