"""What time does to jobs: open for a day, kept for a week."""

import math
from pathlib import Path
from typing import Literal

import pytest

from salesforce_emulator import Assumptions, Limits
from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import INGEST, Caller, an_org
from tests.salesforce_emulator.clocks import Clock

KEPT = "Limits quick reference, Bulk API 2.0: jobs and results are kept for 7 days"
RESULTS = ("successfulResults", "failedResults", "unprocessedrecords")


def statuses(org: Caller, job_id: str) -> set[int]:
    """How the job and its results answer."""
    return {org.http.get(f"{INGEST}/{job_id}{path}").status_code for path in ("", *(f"/{name}" for name in RESULTS))}


@doc("Limits quick reference, Bulk API 2.0: a job may be open for 24 hours")
def test_a_job_stays_open_for_24_hours_and_no_longer(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job_id = org.create()
        org.upload(job_id, b"Name\nA\n")
        clock.forward(hours=23, minutes=59)
        assert org.get(job_id)["state"] == "Open"
        clock.forward(minutes=1)
        assert org.patch(job_id, "UploadComplete").status_code == 400
        assert org.get(job_id)["state"] != "Open"


@assumed("the limit is documented, what becomes of the job is not", switch="expired_jobs")
@pytest.mark.parametrize(
    ("choice", "state", "message"),
    [
        ("aborted", "Aborted", None),
        ("failed", "Failed", "Timeout : The job was open for more than 24 hours"),
    ],
)
def test_a_job_that_was_open_for_too_long_is_aborted_or_fails(
    tmp_path: Path, choice: Literal["aborted", "failed"], state: str, message: str | None
) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, assumptions=Assumptions(expired_jobs=choice)) as org:
        job_id = org.create()
        org.upload(job_id, b"Name\nA\n")
        clock.forward(hours=30)
        job = org.get(job_id)
        assert (job["state"], job.get("errorMessage")) == (state, message)
        assert job["systemModstamp"] == "2026-01-02T00:00:00.000+0000"  # when its time was up, not when someone looked
        assert org.result(job, "unprocessedrecords") == "Name\nA\n"


@own
def test_an_upload_for_a_job_that_expired_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job_id = org.create()
        clock.forward(hours=24)
        answer = org.http.put(f"{INGEST}/{job_id}/batches", content=b"Name\n", headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


@doc(KEPT)
def test_a_job_and_its_results_are_gone_a_week_after_its_end(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job = org.load("Name\nA\n")
        clock.forward(days=6, hours=23)
        assert statuses(org, job["id"]) == {200}
        clock.forward(hours=1)
        assert statuses(org, job["id"]) == {404}


@doc(KEPT)
def test_the_list_leaves_out_what_is_not_kept_any_more(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        org.load("Name\nA\n")
        clock.forward(days=7)
        new = org.create()
        assert [job["id"] for job in org.http.get(INGEST).json()["records"]] == [new]


@doc("Limits quick reference, Bulk API 2.0: unfinished jobs older than 7 days are cleaned up")
def test_an_unfinished_job_is_gone_after_a_week_too(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        org.hold_jobs(after=0)
        job_id = org.submit("Name\nA\n")
        org.until_held(job_id, 0)
        clock.forward(days=7)
        assert statuses(org, job_id) == {404}


@own
def test_files_of_forgotten_jobs_are_removed(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        org.load("Name\nA\n,\n")
        assert len(list(tmp_path.glob("jobs/*"))) == 3
        clock.forward(days=7)
        org.http.get(INGEST)
        assert list(tmp_path.glob("jobs/*")) == []


@own
def test_records_outlive_the_jobs_that_brought_them(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        org.load("Name\nlasting\n")
        clock.forward(days=30)
        assert org.count("Name = 'lasting'") == 1


@own
def test_a_job_that_expired_while_no_process_ran_counts_from_when_its_time_was_up(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job_id = org.create()
    clock.forward(days=8)
    with an_org(tmp_path, clock=clock) as org:
        assert statuses(org, job_id) == {404}


@own
def test_how_long_jobs_are_open_and_kept_can_be_set(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, limits=Limits(open_hours=0.5, retention_days=0.25)) as org:
        job_id = org.create()
        clock.forward(minutes=30)
        assert org.get(job_id)["state"] == "Aborted"
        clock.forward(hours=6)
        assert statuses(org, job_id) == {404}


@own
def test_jobs_can_be_kept_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, limits=Limits(open_hours=math.inf, retention_days=math.inf)) as org:
        opened, ended = org.create(), org.load("Name\nA\n")["id"]
        clock.forward(days=10_000)
        assert (org.get(opened)["state"], org.get(ended)["state"]) == ("Open", "JobComplete")
