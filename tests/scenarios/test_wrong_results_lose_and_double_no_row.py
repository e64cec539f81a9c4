"""A wrong upstream: what is cut, late, doubled or counted late is told, and no row of it is lost, spoilt or doubled."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents
from starlette.responses import Response

from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Limits
from tests.salesforce_emulator.caller import calling
from tests.support.altered_results import AlteredResults, last_row_twice
from tests.support.asgi_server import running
from tests.support.orgs import ERAS, Era, agent, agent_over, call, closed, loaded, refusal
from tests.support.result_org import OneJob
from tests.support.wire import JOB_ID

TOOL = "get-failed-results-ingest-job"
INSERT = {"object": "Account", "operation": "insert"}
FAILED: dict[str, object] = {**INSERT, "numberRecordsProcessed": 12, "numberRecordsFailed": 10}
HEADER = '"sf__Id","sf__Error","Name","Site"\n'
ROWS = [f'"","REQUIRED_FIELD_MISSING:x:Name --","","Site {number}"\n' for number in range(10)]
COUNTED = "where by the counters of the job there are 10"
RETRY: dict[str, Any] = {
    "body": INSERT,
    "data": {"rowsOf": {"jobs": [JOB_ID], "which": ["failed"]}},
    "dryRun": True,
    "preflight": "off",
}


def rows(*chosen: str) -> Response:
    return Response("".join([HEADER, *chosen]), media_type="text/csv")


def org(*answers: Response, **job: object) -> OneJob:
    return OneJob({"failedResults": list(answers)}, FAILED | job)


WHOLE = rows(*ROWS)
SHORTS = {
    "short": (rows(*ROWS[:3]), 3),
    "cut in a quote": (rows(*ROWS[:3], ROWS[3][:-4]), 3),
    "cut in a row": (rows(*ROWS[:3], '"","REQUIRED_FIELD_MISSING:x:Name --"'), 3),
    "cut in the last row": (rows(*ROWS[:9], ROWS[9][:-4]), 9),
}
"""Short results, and their whole rows."""


async def resource(client: Client) -> str:
    [content] = (await client.read_resource(f"salesforce-bulk://jobs/{JOB_ID}/failed-results")).contents
    assert isinstance(content, TextResourceContents)
    return content.text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("what", SHORTS)
async def test_a_short_page_is_never_the_last_and_the_next_call_gets_the_whole_result(what: str, era: Era) -> None:
    for no_spool in (False, True):
        async with agent_over(org(SHORTS[what][0], WHOLE), era=era, no_spool=no_spool) as client:
            first = await call(client, TOOL, jobId=JOB_ID)
            second = await call(client, TOOL, jobId=JOB_ID)
        assert "Salesforce gave" in first["summary"]
        assert (first["nextOffset"], first["total"]) == (len(first["rows"]), None)
        assert (len(second["rows"]), second["nextOffset"], second["total"]) == (10, None, 10)


@pytest.mark.parametrize("no_spool", [False, True])
@pytest.mark.parametrize("what", SHORTS)
async def test_a_resource_never_passes_a_short_result_for_its_end(what: str, no_spool: bool) -> None:
    async with agent_over(org(SHORTS[what][0], WHOLE), no_spool=no_spool) as client:
        with pytest.raises(MCPError, match="Salesforce gave"):
            await resource(client)
        assert (await resource(client)).count("\n") == 11


@pytest.mark.parametrize("what", SHORTS)
async def test_whole_rows_of_a_result_that_came_short_twice_go_again_with_a_warning(what: str) -> None:
    answer, whole_rows = SHORTS[what]
    upstream = org(answer)
    async with agent_over(upstream) as client:
        assert "none of its rows are sent again yet" in await refusal(client, "create-ingest-job", **RETRY)
        tried = await call(client, "create-ingest-job", **RETRY)
        page = await call(client, TOOL, jobId=JOB_ID)
    assert tried["rows"] == whole_rows == page["total"] == page["causes"][0]["count"]
    assert f"The causes stand for these {whole_rows} rows alone." in page["summary"]
    told = f"{whole_rows} rows, {COUNTED}"
    assert told in page["summary"]
    assert [finding["level"] for finding in tried["findings"] if told in finding["what"]] == ["warning"]
    assert upstream.asked["failedResults"] == 2


async def test_other_bytes_that_are_short_too_are_not_the_same_a_second_time() -> None:
    short, other = rows(*ROWS[:3]), rows(*ROWS[3:6])
    async with agent_over(org(short, other, short, WHOLE)) as client:
        for _ in range(3):
            assert COUNTED in await refusal(client, "create-ingest-job", **RETRY)
        assert (await call(client, "create-ingest-job", **RETRY))["rows"] == 10


async def test_a_streamed_page_of_the_same_bytes_a_second_time_is_the_last() -> None:
    async with agent_over(org(rows(*ROWS[:3])), no_spool=True) as client:
        await call(client, TOOL, jobId=JOB_ID)
        page = await call(client, TOOL, jobId=JOB_ID)
    assert f"Salesforce gave twice, with the same bytes, 3 rows, {COUNTED}." in page["summary"]
    assert (len(page["rows"]), page["total"], page["nextOffset"]) == (3, 3, None)


async def test_counters_that_lag_make_a_kept_result_short_when_they_have_caught_up() -> None:
    upstream = org(rows(*ROWS[:3]), WHOLE, numberRecordsFailed=3)
    async with agent_over(upstream) as client:
        assert (await call(client, TOOL, jobId=JOB_ID))["total"] == 3
        assert (await call(client, "create-ingest-job", **RETRY))["rows"] == 3
        upstream.job = FAILED
        assert (await call(client, "create-ingest-job", **RETRY))["rows"] == 10
        assert (await call(client, TOOL, jobId=JOB_ID))["total"] == 10


async def test_more_rows_than_counted_go_again_with_a_warning() -> None:
    async with agent_over(org(WHOLE, numberRecordsFailed=4)) as client:
        tried = await call(client, "create-ingest-job", **RETRY)
    assert tried["rows"] == 10
    assert any("10 rows, where by the counters of the job there are 4" in found["what"] for found in tried["findings"])


async def test_a_failed_row_that_came_twice_goes_once(tmp_path: Path) -> None:
    altered = AlteredResults(create_app(EmulatorConfig(data_dir=tmp_path)), {"failedResults": [last_row_twice]})
    with running(altered) as url:
        async with agent(url) as client:
            job = await loaded(client, "Name,Site\n,a\n,b\n,c\n", preflight="off")
            data = {"rowsOf": {"jobs": [job]}, "values": {"Name": {"": "Named"}}}
            retry = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
            await closed(client, retry["id"])
        with calling(url) as caller:
            sites = [record["Site"] for record in caller.query("SELECT Site FROM Account")["records"]]
    assert (retry["rows"], sorted(sites)) == (3, ["a", "b", "c"])
    assert any("Left out of job" in finding["what"] for finding in retry["findings"])


async def test_rows_in_no_result_go_although_all_failed_rows_lack_the_cell_that_tells_the_others_apart(
    tmp_path: Path,
) -> None:
    config = EmulatorConfig(data_dir=tmp_path, limits=Limits(daily_batches=1, batch_records=10))
    lines = [f"{f'Row {number}' if number % 5 else ''},same\n" for number in range(30)]
    with running(create_app(config)) as url:
        async with agent(url) as client:
            job = await loaded(client, "Name,Site\n" + "".join(lines), preflight="off")
            which = {"jobs": [job], "which": ["missing"]}
            tried = await call(
                client, "create-ingest-job", body=INSERT, data={"rowsOf": which}, dryRun=True, preflight="off"
            )
    assert tried["rows"] == 20
    told = "of 30 rows sent, 8 succeeded, 2 failed, 0 not processed, 20 in no result."
    assert any(told in finding["what"] for finding in tried["findings"])
