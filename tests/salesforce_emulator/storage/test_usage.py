"""What can be used up: requests, batches and records of a day."""

import time
from pathlib import Path

import pytest

from salesforce_emulator import Limits
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DEADLINE_SECONDS, INGEST, Caller, Job, an_org
from tests.salesforce_emulator.clocks import Clock

LIMITS = "/services/data/v63.0/limits"


def rows(count: int) -> str:
    return "Name\n" + "".join(f"{number}\n" for number in range(count))


def usage(org: Caller) -> dict[str, Job]:
    limits: dict[str, Job] = org.http.get(LIMITS).json()
    return limits


def used(org: Caller) -> int:
    """The requests that the org has counted; to be told costs none, since nobody is let in."""
    header = org.http.get(INGEST, headers={"Authorization": "Bearer x"}).headers["Sforce-Limit-Info"]
    return int(header.removeprefix("api-usage=").partition("/")[0])


def counts(org: Caller, job: Job) -> tuple[int, int, int]:
    """How many rows are in each of the three results."""
    succeeded, failed, unprocessed = (
        len(org.rows(job, segment)) for segment in ("successfulResults", "failedResults", "unprocessedrecords")
    )
    return succeeded, failed, unprocessed


@seen("the status and text that clients meet when the day's requests are used up")
@doc("REST API guide, Status Codes and Error Responses")
def test_calls_beyond_the_daily_requests_are_refused(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_requests=2)) as org:
        assert [org.http.get(INGEST).status_code for _ in range(3)] == [200, 200, 403]
        refused = org.http.get(INGEST)
        assert refused.text == '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
        assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/2"


@assumed("a request of nobody can't be charged to the org")
def test_calls_without_a_valid_token_are_told_so_even_when_no_requests_are_left(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_requests=1)) as org:
        assert org.http.get(INGEST, headers={"Authorization": "Bearer x"}).status_code == 401
        assert [org.http.get(INGEST).status_code for _ in range(2)] == [200, 403]
        assert org.http.get(INGEST, headers={"Authorization": "Bearer x"}).status_code == 401


@doc("Limits quick reference, Total API Request Allocations: per 24 hours")
def test_requests_are_free_again_after_24_hours(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, limits=Limits(daily_requests=2)) as org:
        assert org.http.get(INGEST).status_code == 200
        clock.forward(hours=13)
        assert [org.http.get(INGEST).status_code for _ in range(2)] == [200, 403]
        clock.forward(hours=12)  # the first is older than a day now, the second is not
        assert [org.http.get(INGEST).status_code for _ in range(2)] == [200, 403]


@own
def test_used_requests_survive_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    for used in (1, 2, 3):
        with an_org(tmp_path, clock=clock) as org:
            assert org.http.get(INGEST).headers["Sforce-Limit-Info"] == f"api-usage={used}/100000"


@doc("REST API guide, Limits; Limit Info Header")
def test_the_limits_resource_and_the_header_agree(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_requests=10)) as org:
        org.http.get(INGEST)
        answer = org.http.get(LIMITS)
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=2/10"
        assert answer.json()["DailyApiRequests"] == {"Max": 10, "Remaining": 8}


@doc("Bulk API 2.0 guide, Understanding Bulk API 2.0: a batch for every 10,000 records")
def test_a_batch_is_used_up_for_every_10_000_records(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.load(rows(10_001))
        assert usage(org)["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 14_998}


@doc("Bulk API 2.0 guide, Get Job Failed Record Results, Usage Notes")
def test_records_of_batches_beyond_the_daily_allocation_are_in_none_of_the_results(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_batches=2, batch_records=250)) as org:
        job = org.load(rows(700))
        assert counts(org, job) == (500, 0, 0)
        assert usage(org)["DailyBulkApiBatches"] == {"Max": 2, "Remaining": 0}


@assumed("the text was seen in Bulk API 1.0; no source tells what becomes of the job")
def test_a_job_that_gets_no_more_batches_fails(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_batches=2, batch_records=250)) as org:
        job = org.load(rows(700))
        assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 500)
        assert job["errorMessage"] == "ExceededQuota : ApiBatchItems Limit exceeded."


@doc("Limits quick reference: batches per rolling 24-hour period")
def test_batches_are_free_again_after_24_hours(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock, limits=Limits(daily_batches=1)) as org:
        assert org.load(rows(1))["state"] == "JobComplete"
        assert org.load(rows(1))["state"] == "Failed"
        clock.forward(hours=24)
        assert usage(org)["DailyBulkApiBatches"]["Remaining"] == 1
        assert org.load(rows(1))["state"] == "JobComplete"


@own
def test_used_batches_and_records_survive_a_restart(tmp_path: Path) -> None:
    limits = Limits(daily_records=5)
    with an_org(tmp_path, limits=limits) as org:
        org.load(rows(4))
    with an_org(tmp_path, limits=limits) as org:
        assert usage(org)["DailyBulkApiBatches"]["Remaining"] == 14_999
        assert counts(org, org.load(rows(3))) == (1, 0, 2)


@doc("Bulk API 2.0 guide, Limits: the job fails, what is left is not processed")
@pytest.mark.parametrize("limit", [0, 150, 450])
def test_a_job_beyond_the_daily_records_fails_and_hands_the_rest_back(tmp_path: Path, limit: int) -> None:
    with an_org(tmp_path, limits=Limits(daily_records=limit)) as org:
        job = org.load(rows(700))
        assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", limit)
        assert counts(org, job) == (limit, 0, 700 - limit)


@assumed("no source shows what such a job is told")
def test_a_job_beyond_the_daily_records_names_the_limit(tmp_path: Path) -> None:
    with an_org(tmp_path, limits=Limits(daily_records=1)) as org:
        job = org.load(rows(2))
        assert job["errorMessage"] == "ExceededQuota : The limit of 1 records in 24 hours is exceeded"


@own
def test_a_job_is_not_charged_twice_for_a_batch_that_a_restart_cut(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=2)
        job_id = org.submit(rows(1_000))
        org.until_held(job_id, 2)
    with an_org(tmp_path) as org:
        org.until(job_id)
        assert usage(org)["DailyBulkApiBatches"]["Remaining"] == 14_999


@own
@pytest.mark.parametrize("own_calls", [0, 3])
def test_processes_that_share_an_org_share_its_requests(tmp_path: Path, own_calls: int) -> None:
    with an_org(tmp_path) as first, an_org(tmp_path) as second:
        for org, calls in ((first, 10), (second, own_calls)):
            for _ in range(calls):
                org.http.get(INGEST)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while used(second) != 10 + own_calls:
            assert time.monotonic() < deadline
