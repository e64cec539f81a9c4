"""A page of rows that went again leads to the job that took them, and to the rows that did not, if there are any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import Caller, calling
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed, loaded, steady

INSERT = {"object": "Account", "operation": "insert"}
CREATE, FAILED = "create-ingest-job", "get-failed-results-ingest-job"
STATUS, UNPROCESSED = "get-ingest-job-status", "get-unprocessed-records-ingest-job"
ROWS = "Name,NumberOfEmployees\n,1\n,2\n,3\nOne,many\nTwo,1\n"
"""Five rows: three have no name, and one has a wrong number."""


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Caller]:
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url, calling(url) as direct:
        yield direct


async def sent_again(client: Client, job: str, **data: Any) -> str:
    """The id of a new, open job with failed rows of a job."""
    rows = {"rowsOf": {"jobs": [job], "which": ["failed"]}, "set": {"Name": "Named"}, **data}
    return str((await call(client, CREATE, body=INSERT, data=rows, preflight="off"))["id"])


async def next_of(client: Client, job: str) -> str:
    """What the page of the failed rows of a job says to do next."""
    return str(steady((await call(client, FAILED, jobId=job))["next"]))


async def told_of(client: Client, job: str) -> list[str]:
    """What the status of a job, and the page of its failed rows, say of it, and the next step of the status."""
    status, page = await call(client, STATUS, jobId=job), await call(client, FAILED, jobId=job)
    return [str(steady(told)) for told in (status["summary"], page["summary"], status["next"])]


async def test_of_which_all_went_again_the_job_that_took_them_is_next(org: Caller) -> None:
    async with agent(str(org.http.base_url)) as client:
        first = await loaded(client, ROWS, preflight="off")
        second = await sent_again(client, first)
        while_open = await next_of(client, first)
        await closed(client, second)
        assert [while_open, await next_of(client, first)] == snapshot(
            [
                'get-ingest-job-status {"jobId": "JOB", "waitSeconds": 45} shows what became of these rows: all of them went again, the last into this job. What failed there goes again from there.',
                'get-ingest-job-status {"jobId": "JOB"} shows what became of these rows: all of them went again, the last into this job. What failed there goes again from there.',
            ]
        )
        tool, arguments = next_call((await call(client, FAILED, jobId=first))["next"])
        assert (await call(client, tool, **arguments))["id"] == second


async def test_of_which_some_went_again_the_others_are_next(org: Caller) -> None:
    async with agent(str(org.http.base_url)) as client:
        first = await loaded(client, ROWS, preflight="off")
        without_name = {"jobs": [first], "where": {"statusCode": ["REQUIRED_FIELD_MISSING"]}}
        await closed(client, await sent_again(client, first, rowsOf=without_name))
        assert await next_of(client, first) == snapshot(
            'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"], "which": ["failed"], "skipSent": true}, "values": {"Name": {"": "<Name for \\"\\">"}, "NumberOfEmployees": {"many": "<NumberOfEmployees for \\"many\\">"}}}} sends those of 4 rows again that were not sent yet, with the gaps filled. Ask the user for what you don\'t know; leaveOut leaves such rows out. Never load the whole file again.'
        )
        tool, arguments = next_call((await call(client, FAILED, jobId=first))["next"])
        rows_of = {"rowsOf": arguments["data"]["rowsOf"], "values": {"NumberOfEmployees": {"many": "7"}}}
        told = [await told_of(client, first)]
        assert (await call(client, tool, body=INSERT, data=rows_of))["rows"] == 1
        told.append(await told_of(client, first))
    assert told == snapshot(
        [
            [
                "Job JOB (insert Account) in embedded org is JobComplete: 5 rows processed, 4 of them failed. New records: 1. Sent again: 3 of 4 rows, the last into job JOB.",
                "4 rows of 4, from offset 0 on, in the failed results of job JOB, which is JobComplete. Sent again: 3 of 4 rows, the last into job JOB.",
                'get-failed-results-ingest-job {"jobId": "JOB"} shows why rows failed.',
            ],
            [
                "Job JOB (insert Account) in embedded org is JobComplete: 5 rows processed, 4 of them failed. New records: 1. Sent again: 4 of 4 rows, the last into job JOB.",
                "4 rows of 4, from offset 0 on, in the failed results of job JOB, which is JobComplete. Sent again: 4 of 4 rows, the last into job JOB.",
                'get-ingest-job-status {"jobId": "JOB", "waitSeconds": 45} shows what became of these rows: all of them went again, the last into this job. What failed there goes again from there.',
            ],
        ]
    )


async def test_of_an_abort_that_went_again_in_part_are_left_out_of_the_call_for_the_rest(org: Caller) -> None:
    async with agent(str(org.http.base_url)) as client:
        made = await call(client, CREATE, body=INSERT, data={"csv": "Name\nA\nB\nC\n"}, preflight="off")
        await call(client, "close-abort-ingest-job", jobId=made["id"], body={"state": "Aborted"})
        some = {"rowsOf": {"jobs": [made["id"]]}, "leaveOut": {"lines": "3-4"}}
        again = await call(client, CREATE, body=INSERT, data=some, preflight="off")
        await closed(client, again["id"])
        status = await call(client, STATUS, jobId=made["id"])
        tool, arguments = next_call(status["next"])
        rest = await call(client, tool, **arguments, preflight="off")
        whole = await call(client, STATUS, jobId=made["id"])
    told = [str(steady(status[name])) for status in (status, whole) for name in ("summary", "next")]
    assert (rest["rows"], told) == snapshot(
        (
            2,
            [
                "Job JOB (insert Account) in embedded org is Aborted: 0 rows processed. Of 3 rows sent, 0 succeeded, 0 failed, 3 not processed, 0 in no result. Sent again: 1 of 3 rows, the last into job JOB.",
                'create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"rowsOf": {"jobs": ["JOB"], "skipSent": true}}} loads those of the 3 rows left that were not sent yet, if that is still meant.',
                "Job JOB (insert Account) in embedded org is Aborted: 0 rows processed. Of 3 rows sent, 0 succeeded, 0 failed, 3 not processed, 0 in no result. Sent again: 3 of 3 rows, the last into job JOB.",
                'get-ingest-job-status {"jobId": "JOB", "waitSeconds": 45} shows what became of these rows: all of them went again, the last into this job. What failed there goes again from there.',
            ],
        )
    )


async def test_that_went_into_a_job_that_was_aborted_is_as_before(org: Caller) -> None:
    async with agent(str(org.http.base_url)) as client:
        first = await loaded(client, ROWS, preflight="off")
        before = await next_of(client, first)
        second = await sent_again(client, first)
        await call(client, "close-abort-ingest-job", jobId=second, body={"state": "Aborted"})
        assert await next_of(client, first) == before


async def test_of_a_job_whose_rows_went_again_in_its_place_all_went_again(org: Caller) -> None:
    """Its own rows are named nowhere: the job that took them took those of the first job."""
    async with agent(str(org.http.base_url)) as client:
        first = await loaded(client, ROWS, preflight="off")
        second = await sent_again(client, first)
        await call(client, "close-abort-ingest-job", jobId=second, body={"state": "Aborted"})
        third = await sent_again(client, first)
        page = await call(client, UNPROCESSED, jobId=second)
        _, arguments = next_call(page["next"])
        assert arguments["jobId"] == third


async def test_are_shown_where_the_job_that_took_them_can_not_be_read(org: Caller) -> None:
    async with agent(str(org.http.base_url)) as client:
        first = await loaded(client, ROWS, preflight="off")
        before = await next_of(client, first)
        await sent_again(client, first)
        org.go_wrong({"on": "status", "fault": "unavailable", "retryAfter": 60, "after": 1})
        assert await next_of(client, first) == before
