"""A result is held to the counters of its job, and every row sent is accounted for, though the upstream is wrong."""

import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents

from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Limits
from tests.salesforce_emulator.caller import Caller, calling
from tests.salesforce_emulator.clocks import Clock
from tests.support.altered_results import (
    AlteredResults,
    cut_in_a_cell,
    cut_in_a_row,
    first_rows,
    last_row_twice,
    unaltered,
)
from tests.support.asgi_server import running
from tests.support.next_call import next_call, next_line
from tests.support.orgs import ERAS, Era, agent, call, closed, loaded, refusal, text_of

INSERT = {"object": "Account", "operation": "insert"}
FAILED = "get-failed-results-ingest-job"
SUCCESSFUL = "get-successful-results-ingest-job"
UNPROCESSED = "get-unprocessed-records-ingest-job"
TEN_FAIL = "Name,BillingCity\n" + "".join(f",City {number}\n" for number in range(10)) + "Good,Oslo\n"


@contextmanager
def altered_org(folder: Path, **config: Any) -> Iterator[tuple[str, AlteredResults, Caller]]:
    org = AlteredResults(create_app(EmulatorConfig(data_dir=folder / "org", **config)))
    with running(org) as url, calling(url) as caller:
        yield url, org, caller


def retry_of(job: str, *which: str) -> dict[str, Any]:
    chosen = {"jobs": [job]} | ({"which": list(which)} if which else {})
    return {"body": INSERT, "data": {"rowsOf": chosen}, "preflight": "off"}


async def resource(client: Client, uri: str) -> str:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


# Results that are short


SHORT = {
    "in good order": (first_rows(3), "3 rows, where by the counters of the job there are 10"),
    "cut in a row": (cut_in_a_row, "10 rows; the last row is cut off"),
    "cut in a cell": (cut_in_a_cell, "10 rows; the last row is cut off"),
    "with the header alone": (first_rows(0), "0 rows, where by the counters of the job there are 10"),
    "with nothing": (lambda content: b"", "nothing, not even a header, where by the counters of the job there are 10"),
}


@pytest.mark.parametrize("how", SHORT)
@pytest.mark.parametrize("no_spool", [False, True])
async def test_a_short_result_is_told_with_both_numbers_and_fetched_again(
    how: str, no_spool: bool, tmp_path: Path
) -> None:
    alter, told = SHORT[how]
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [alter, unaltered]
        async with agent(url, no_spool=no_spool) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            first = await client.call_tool(FAILED, {"jobId": job})
            assert first.structured_content is not None
            for half in (first.structured_content["summary"], text_of(first)):
                assert f"Salesforce gave {told}, for the failed results" in half
            assert (first.structured_content["total"], first.structured_content.get("file")) == (None, None)
            assert next_call(first.structured_content["next"]) == (FAILED, {"jobId": job})
            second = await call(client, FAILED, jobId=job)
            assert (len(second["rows"]), second["total"]) == (10, 10)
            assert "Salesforce gave" not in second["summary"]


@pytest.mark.parametrize("how", SHORT)
async def test_no_rows_of_a_short_result_are_sent_again(how: str, tmp_path: Path) -> None:
    alter, told = SHORT[how]
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [alter, unaltered]
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            text = await refusal(client, "create-ingest-job", **retry_of(job, "failed"))
            assert told in text and "none of its rows are sent again yet" in text
            assert next_call(next_line(text)) == ("create-ingest-job", retry_of(job, "failed"))
            again = await call(client, "create-ingest-job", **retry_of(job, "failed"))
            assert again["rows"] == 10


async def test_a_page_of_a_short_resource_does_not_pass_for_the_end(tmp_path: Path) -> None:
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [first_rows(3), unaltered]
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            uri = f"salesforce-bulk://jobs/{job}/failed-results"
            with pytest.raises(MCPError, match="3 rows, where by the counters of the job there are 10"):
                await resource(client, uri)
            assert len(list(csv.reader(io.StringIO(await resource(client, uri))))) == 11


@pytest.mark.parametrize("alter", [first_rows(3), cut_in_a_row, cut_in_a_cell])
async def test_what_comes_short_twice_alike_is_kept_with_the_difference_told_and_its_rows_go(
    alter: Any, tmp_path: Path
) -> None:
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [alter]
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            await call(client, FAILED, jobId=job)
            for _ in range(2):
                page = await call(client, FAILED, jobId=job)
                assert "Salesforce gave twice, with the same bytes, " in page["summary"]
                assert page["total"] == len(page["rows"])
            assert org.downloads == {"failedResults": 2}
            if alter is not cut_in_a_cell:
                sent = await call(client, "create-ingest-job", **retry_of(job, "failed"))
                assert sent["rows"] == len(page["rows"])


@pytest.mark.parametrize("which", [("failed",), ()])
async def test_failed_rows_that_do_not_come_twice_are_not_said_to_be_none(
    which: tuple[str, ...], tmp_path: Path
) -> None:
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [first_rows(0)]
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            for _ in range(2):
                text = await refusal(client, "create-ingest-job", **retry_of(job, *which))
                assert "0 rows, where by the counters of the job there are 10" in text
    assert text.splitlines()[0] == (
        "INVALID_ARGUMENT: No row is left to send again. Salesforce gave 0 rows, where by the counters of the job there are "
        f"10, in the failedResults of job {job}. Find out from the source which rows are meant."
    )


async def test_a_successful_result_that_is_short_twice_is_no_reason_to_load_its_rows_again(tmp_path: Path) -> None:
    with altered_org(tmp_path, limits=Limits(daily_batches=2, batch_records=10)) as (url, org, _):
        org.alterations["successfulResults"] = [first_rows(3)]
        async with agent(url) as client:
            job = await fifty_rows(client)
            for _ in range(2):
                await call(client, SUCCESSFUL, jobId=job)
            text = await refusal(client, "create-ingest-job", **retry_of(job, "missing"))
    assert "a row that is in no result may be in the org, so none of them go" in text


async def test_a_result_with_more_rows_than_counted_is_told_and_kept(tmp_path: Path) -> None:
    with altered_org(tmp_path) as (url, org, _):
        org.alterations["failedResults"] = [last_row_twice]
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            for _ in range(2):
                page = await call(client, FAILED, jobId=job)
                assert page["total"] == 11
                assert "Salesforce gave 11 rows, where by the counters of the job there are 10." in page["summary"]
            assert org.downloads == {"failedResults": 1}


# Rows that are in no result


FIFTY = "Name,Site\n" + "".join(f"Row {number},{number % 3}\n" for number in range(50))


async def fifty_rows(client: Client) -> str:
    """The id of a job of 50 rows that ran into the batches of the day."""
    job = await call(client, "create-ingest-job", body=INSERT, data={"csv": FIFTY})
    await closed(client, job["id"])
    return str(job["id"])


@asynccontextmanager
async def four_heaps(folder: Path, era: Era) -> AsyncIterator[tuple[Client, str, Caller, Clock]]:
    """A job of 50 rows: of 40 some are locked, 4 come back as not processed, and the others are in no result."""
    clock = Clock()
    limits = Limits(daily_batches=4, batch_records=10, open_hours=10_000)
    with altered_org(folder, clock=clock, limits=limits) as (url, org, caller):
        caller.go_wrong({"fault": "locked-rows", "every": 4})
        given_back = b"".join(b"Row %d,%d\n" % (number, number % 3) for number in range(46, 50))
        # Twice, since fewer rows come than are not counted as processed; the results of later jobs are as they are.
        org.alterations["unprocessedrecords"] = [*[lambda content: b"Name,Site\n" + given_back] * 2, unaltered]
        async with agent(url, era=era) as client:
            job = await fifty_rows(client)
            caller.go_right()
            yield client, job, caller, clock


@pytest.mark.parametrize("era", ERAS)
async def test_every_surface_tells_the_same_four_numbers_and_two_calls_bring_the_rest_in(
    era: Era, tmp_path: Path
) -> None:
    counts = {"sent": 50, "successful": 30, "failed": 10, "unprocessed": 4, "inNoResult": 6}
    sentence = "Of 50 rows sent, 30 succeeded, 10 failed, 4 not processed, 6 in no result."
    async with four_heaps(tmp_path, era) as (client, job, caller, clock):
        for tool in ("get-ingest-job-status", FAILED, SUCCESSFUL, UNPROCESSED):
            result = await client.call_tool(tool, {"jobId": job})
            assert result.structured_content is not None
            created = {"created": 30} if tool == "get-ingest-job-status" else {}
            assert result.structured_content["rowCounts"] == counts | created
            assert sentence in result.structured_content["summary"] and sentence in text_of(result)
        assert json.loads(await resource(client, f"salesforce-bulk://jobs/{job}"))["rowCounts"] == counts

        following = next_call((await call(client, "get-ingest-job-status", jobId=job))["next"])
        assert following == ("create-ingest-job", {"body": INSERT, "data": {"rowsOf": {"jobs": [job]}}})
        clock.forward(hours=24)
        rest = await call(client, following[0], **following[1])
        assert rest["rows"] == 20
        tool, arguments = next_call(rest["next"])
        assert (await call(client, tool, **arguments))["state"] == "JobComplete"
        again = await refusal(client, "create-ingest-job", **retry_of(job))
        assert [f"{count} of job {job}" in again for count in (10, 4, 6)] == [True] * 3
        names = [record["Name"] for record in caller.query("SELECT Name FROM Account")["records"]]
    assert Counter(names) == Counter(f"Row {number}" for number in range(50))


async def test_rows_in_no_result_are_brought_by_their_name_alone_and_once(tmp_path: Path) -> None:
    async with four_heaps(tmp_path, "auto") as (client, job, _, _):
        assert (await call(client, "create-ingest-job", **retry_of(job, "missing")))["rows"] == 6
        assert "6 of job" in await refusal(client, "create-ingest-job", **retry_of(job, "missing", "failed"))


async def test_rows_of_each_heap_but_the_successful_may_come_in_as_a_file(tmp_path: Path) -> None:
    async with four_heaps(tmp_path, "auto") as (client, _, caller, clock):
        clock.forward(hours=24)
        assert "30 of 50 rows went into job" in await refusal(
            client, "create-ingest-job", body=INSERT, data={"csv": FIFTY}, preflight="off"
        )
        there = {record["Name"] for record in caller.query("SELECT Name FROM Account")["records"]}
        header, *rows = FIFTY.splitlines(keepends=True)
        rest = [row for row in rows if row.split(",")[0] not in there]
        assert len(rest) == 20
        await loaded(client, header + "".join(rest), preflight="off")
        names = [record["Name"] for record in caller.query("SELECT Name FROM Account")["records"]]
    assert Counter(names) == Counter(f"Row {number}" for number in range(50))


async def test_a_job_that_accounts_for_every_row_has_none_in_no_result(tmp_path: Path) -> None:
    with altered_org(tmp_path) as (url, _, _):
        async with agent(url) as client:
            job = await loaded(client, TEN_FAIL, preflight="off")
            status = await call(client, "get-ingest-job-status", jobId=job)
            text = await refusal(client, "create-ingest-job", **retry_of(job, "missing"))
    assert status["rowCounts"] == {
        "sent": 11, "successful": 1, "failed": 10, "unprocessed": 0, "inNoResult": 0, "created": 1,
    }  # fmt: skip
    assert "no result" not in status["summary"]
    assert "These jobs have no missing rows" in text


async def test_rows_in_no_result_that_are_not_kept_are_told_and_not_brought(tmp_path: Path) -> None:
    with altered_org(tmp_path, limits=Limits(daily_batches=2, batch_records=10)) as (url, _, _):
        async with agent(url) as client:
            job = await fifty_rows(client)
        async with agent(url) as other:  # which has not sent the rows
            status = await call(other, "get-ingest-job-status", jobId=job)
            text = await refusal(other, "create-ingest-job", **retry_of(job))
    assert "rowCounts" not in status and "Rows beyond them are in no result: compare the source" in status["next"]
    assert "are in no result, and what was sent is not kept here, so these rows don't go" in text
