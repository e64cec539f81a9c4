"""The worker: turns of jobs, and seeds that make their results repeat."""

from contextlib import closing
from pathlib import Path

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.org import Org
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.job_requests import INSERT
from tests.salesforce_emulator.processes import BIG, submit_and_hold


def org_without_thread(folder: Path) -> Org:
    """An org whose jobs are processed by `take_turn` alone."""
    return Org(EmulatorConfig(data_dir=folder, has_worker_thread=False))


def submit(org: Org, rows: str) -> str:
    """Create a closed job that inserts the rows as accounts, and return its id."""
    with org.jobs.files.incoming() as part:
        part.write_text(rows)
        return org.create_closed_job(INSERT, part).id


def sorted_by_id(org: Caller, job_id: str) -> list[dict[str, str]]:
    """The rows of a job in the order in which they were saved."""
    return sorted(org.succeeded(org.until(job_id)), key=lambda row: row["sf__Id"])


@own
def test_a_small_job_does_not_wait_for_a_big_one(tmp_path: Path) -> None:
    with closing(org_without_thread(tmp_path)) as org:
        big = submit(org, "Name\n" + "big\n" * 2_000)
        small = submit(org, "Name\nsmall\n")
        while org.jobs.get(small).state != "JobComplete":
            org.worker.take_turn()
        assert org.jobs.get(big).state == "InProgress"


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
            org.upload(job_id, b"Name\n" + b"A\n" * 600)
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


@own
def test_an_org_without_a_worker_thread_processes_a_job_turn_by_turn(tmp_path: Path) -> None:
    with closing(org_without_thread(tmp_path)) as org:
        job_id = submit(org, "Name\nA\n")
        states = []
        for _ in range(6):
            states.append(org.jobs.get(job_id).state)
            org.worker.take_turn()
    assert list(dict.fromkeys(states)) == ["UploadComplete", "InProgress", "JobComplete"]
