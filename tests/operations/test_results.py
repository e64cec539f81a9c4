"""Results through the tools: whatever form they come in, no page lacks a row or a cell."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.caller import calling
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, agent_over, call, loaded, refusal, services_over, text_of
from tests.support.result_org import OneJob
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID

BASE = "/services/data/v63.0/jobs/ingest"
TOOLS = {
    "successfulResults": "get-successful-results-ingest-job",
    "failedResults": "get-failed-results-ingest-job",
    "unprocessedrecords": "get-unprocessed-records-ingest-job",
}
RESOURCES = {
    "successfulResults": "successful-results",
    "failedResults": "failed-results",
    "unprocessedrecords": "unprocessed-records",
}
CSV_TYPE = "text/csv; charset=UTF-8"
PIECE_BYTES = 997
"""Prime, so that pieces of a result end anywhere in a row, a cell or a character."""


async def test_failed_rows_are_shown_by_cause_and_column(org: WatchedOrg) -> None:
    rows = "Name,NumberOfEmployees\n" + "A,many\n" * 3 + ",5\n" * 2 + "B,7\n"
    async with agent(org.url) as client:
        job = await loaded(client, rows, preflight="off")
        where = {"statusCode": "required_field_missing"}
        page = await call(
            client, "get-failed-results-ingest-job", jobId=job, columns=["NumberOfEmployees"], where=where
        )
        assert (page["columns"], page["rows"], page["total"]) == (["NumberOfEmployees"], [["5"], ["5"]], 2)
        assert "2 rows of 2 that were asked for" in page["summary"]
        page = await call(client, "get-failed-results-ingest-job", jobId=job, where={"field": "numberofemployees"})
        assert len(page["rows"]) == 3
        page = await call(client, "get-failed-results-ingest-job", jobId=job, where={"statusCode": "OTHER"})
        assert page["rows"] == [] and page["summary"].startswith("No such rows in the failed results")
        assert next_call(page["next"]) == ("get-failed-results-ingest-job", {"jobId": job})
        text = await refusal(client, "get-failed-results-ingest-job", jobId=job, columns=["Town"])
        assert 'columns names "Town"' in text and "NumberOfEmployees" in text
        text = await refusal(client, "get-failed-results-ingest-job", jobId=job, where={"code": "X"})
        assert "where.code: there is no such argument here" in text


def in_pieces(content: bytes) -> ASGIApp:
    """An answer that comes in small pieces, as often as it is asked for."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        pieces = (content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))
        await StreamingResponse(pieces, media_type=CSV_TYPE)(scope, receive, send)

    return answer


async def resource(client: Client, kind: str, query: str = "") -> str:
    [content] = (await client.read_resource(f"salesforce-bulk://jobs/{JOB_ID}/{RESOURCES[kind]}{query}")).contents
    assert isinstance(content, TextResourceContents)
    return content.text


# Cells and pages
HEADER = ["sf__Id", "sf__Error", "Name", "Description"]
AWKWARD = [
    "two\nlines", "two\r\nlines", "a\rreturn", "\u2028\u2029\x85\x0b\x0c\x1c", '"', '""', "", " ", "007", "#N/A", "字😀é",
    *DELIMITERS.values(), *(f'"{mark}"\n{mark}' for mark in DELIMITERS.values()), "\n", "\r\n", "sf__Id\nsf__Error",
]  # fmt: skip
ROWS = [
    ["", "", f"Row {number:03}", AWKWARD[number % len(AWKWARD)] * (1 + 300 * (number % 7 == 0))]
    for number in range(150)
]
"""Some so long that a page has no room for as many as it could show; more than an index of rows steps over at once."""


@pytest.mark.parametrize(
    ("delimiter", "line_ending", "is_kept"),
    [
        ("BACKQUOTE", "LF", True),
        ("CARET", "CRLF", True),
        ("COMMA", "LF", True),
        ("PIPE", "CRLF", True),
        ("SEMICOLON", "LF", True),
        ("TAB", "CRLF", True),
        ("COMMA", "CRLF", False),
        ("SEMICOLON", "LF", False),
    ],
)
async def test_pages_hold_every_cell_and_joined_are_the_file_byte_for_byte(
    delimiter: str, line_ending: str, is_kept: bool
) -> None:
    written = io.StringIO(newline="")
    mark, end = DELIMITERS[delimiter], LINE_ENDINGS[line_ending]
    csv.writer(written, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([HEADER, *ROWS])
    content = written.getvalue().encode()
    header = content[: content.index(b"\n") + 1]
    org = OneJob({"failedResults": [in_pieces(content)]}, {"columnDelimiter": delimiter, "lineEnding": line_ending})
    structured, in_text, joined = [], [], header
    pages = 0
    async with agent_over(org, no_spool=not is_kept) as client:
        offset: int | None = 0
        while offset is not None:
            arguments = {"jobId": JOB_ID, "offset": offset}
            answer = await client.call_tool(TOOLS["failedResults"], arguments)
            page = answer.structured_content
            assert page is not None, text_of(answer)
            structured += page["rows"]
            shown = text_of(answer).partition("sf__Id,sf__Error,Name,Description\n")[2]
            in_text += list(csv.reader(io.StringIO(shown, newline="")))
            read = (await resource(client, "failedResults", f"?offset={offset}")).encode()
            assert read.startswith(header)
            joined += read.removeprefix(header)
            offset = page["nextOffset"]
            pages += 1
    assert structured == in_text == ROWS
    assert joined == content
    assert pages > len(ROWS) / 50


# Results without rows
WITHOUT_ROWS = {
    "no content": Response(status_code=204),
    "an empty body": Response(media_type=CSV_TYPE),
    "an empty body of no type": Response(),
    "a blank line": Response("\r\n", media_type=CSV_TYPE),
    "the header": Response('"sf__Id","sf__Error",Name\n', media_type=CSV_TYPE),
    "the header without a line end": Response('"sf__Id","sf__Error",Name', media_type=CSV_TYPE),
}


@pytest.mark.parametrize("what", WITHOUT_ROWS)
async def test_a_result_without_rows_is_a_normal_answer_with_the_header_if_there_is_one(what: str) -> None:
    async with agent_over(OneJob({kind: [WITHOUT_ROWS[what]] for kind in TOOLS})) as client:
        pages = [await call(client, tool, jobId=JOB_ID) for tool in TOOLS.values()]
        texts = [await resource(client, kind) for kind in TOOLS]
    columns = ["sf__Id", "sf__Error", "Name"] if "header" in what else []
    for page, text in zip(pages, texts, strict=True):
        assert (page["columns"], page["rows"], page["causes"], page["nextOffset"]) == (columns, [], [], None)
        assert page["summary"].startswith("No rows in the ")
        assert next(csv.reader([text]), []) == columns


COUNTED = {"numberRecordsProcessed": 2, "numberRecordsFailed": 1}


@pytest.mark.parametrize("what", ["no content", "an empty body", "the header"])
async def test_a_result_without_the_rows_that_the_job_counts_is_no_sign_that_there_are_none(what: str) -> None:
    counted = ("successfulResults", "failedResults")
    async with agent_over(OneJob({kind: [WITHOUT_ROWS[what]] for kind in counted}, COUNTED)) as client:
        for kind in counted:
            page = await call(client, TOOLS[kind], jobId=JOB_ID)
            assert "where by the counters of the job there are 1" in page["summary"]
            assert "there may be more, so this is not kept" in page["summary"]
            assert next_call(page["next"]) == (TOOLS[kind], {"jobId": JOB_ID})


async def test_a_result_without_the_rows_that_the_job_counts_is_not_said_to_be_all() -> None:
    async with agent_over(OneJob({"failedResults": [Response(status_code=204)]}, COUNTED)) as client:
        page = await call(client, TOOLS["failedResults"], jobId=JOB_ID)
    assert "that is all" not in page["next"]


@pytest.mark.parametrize("what", ["no content", "an empty body"])
async def test_a_result_that_came_without_a_header_is_asked_for_again(what: str) -> None:
    rows = Response('"sf__Id","sf__Error",Name\n"","",Acme\n', media_type=CSV_TYPE)
    async with agent_over(
        OneJob({kind: [WITHOUT_ROWS[what], rows] for kind in TOOLS}, COUNTED | {"state": "Failed"})
    ) as client:
        first = [await call(client, tool, jobId=JOB_ID) for tool in TOOLS.values()]
        second = [await call(client, tool, jobId=JOB_ID) for tool in TOOLS.values()]
    assert [page["rows"] for page in first] == [[]] * 3
    assert [page["rows"] for page in second] == [[["", "", "Acme"]]] * 3


# Columns


async def test_failed_rows_with_a_column_that_came_back_blank_keep_their_other_cells_in_place(tmp_path: Path) -> None:
    config = EmulatorConfig(data_dir=tmp_path, assumptions=Assumptions(differing_header_case="blanked"))
    with running(create_app(config)) as url:
        async with agent(url) as client:
            rows = "accountnumber,Name,NumberOfEmployees,BillingCity\n007,Acme,many,Oslo\n"
            page = await call(client, TOOLS["failedResults"], jobId=await loaded(client, rows))
    [row] = page["rows"]
    assert dict(zip(page["columns"], row, strict=True)) == snapshot(
        {
            "sf__Id": "",
            "sf__Error": "INVALID_FIELD:Failed to deserialize field at col 2. Due to, 'many' is not a valid value for the type xsd:int:NumberOfEmployees --",
            "accountnumber": "",
            "Name": "Acme",
            "NumberOfEmployees": "many",
            "BillingCity": "Oslo",
        }
    )
    [cause] = page["causes"]
    assert cause["examples"][0]["values"] == {"NumberOfEmployees": "many"}


async def test_failed_rows_of_a_job_made_with_an_api_before_53_can_be_read(org: WatchedOrg) -> None:
    with calling(org.url) as caller:
        job_id = caller.fill(caller.create_in("52.0"), "Name,Site\n,a\nAcme,b\n")
        caller.until(job_id)
    async with agent(org.url) as client:
        answer = await client.call_tool(TOOLS["failedResults"], {"jobId": job_id})
    page = answer.structured_content
    assert page is not None and not answer.is_error, text_of(answer)
    assert (page["columns"][-3:], [row[-2:] for row in page["rows"]]) == (["sf__Error", "Name", "Site"], [["", "a"]])


@pytest.mark.parametrize("no_spool", [False, True])
@pytest.mark.parametrize("kind", ["failedResults", "successfulResults"])
async def test_rows_without_an_outcome_are_not_shown_as_failed_or_successful(kind: str, no_spool: bool) -> None:
    org = OneJob({kind: [Response("Name,Site\nAcme,x\n", media_type=CSV_TYPE)]}, COUNTED)
    async with agent_over(org, no_spool=no_spool) as client:
        text = await refusal(client, TOOLS[kind], jobId=JOB_ID)
    assert "The result does not begin with sf__Id or sf__Error, so it is not one of Salesforce's." in text


@pytest.mark.parametrize("wrong", [bytes(range(256)), b"Name,Site\nAcme,x\n"])
@pytest.mark.parametrize("kind", ["failedResults", "successfulResults"])
async def test_what_is_no_result_is_asked_for_again_although_it_came_twice_alike(kind: str, wrong: bytes) -> None:
    rows = Response('"sf__Id","sf__Error",Name\n"","",Acme\n', media_type=CSV_TYPE)
    answers: list[ASGIApp] = [Response(wrong, media_type=CSV_TYPE), Response(wrong, media_type=CSV_TYPE), rows]
    async with agent_over(OneJob({kind: answers}, COUNTED)) as client:
        for _ in range(2):
            text = await refusal(client, TOOLS[kind], jobId=JOB_ID)
            assert "The result does not begin with sf__Id or sf__Error, so it is not one of Salesforce's." in text
        page = await call(client, TOOLS[kind], jobId=JOB_ID)
    assert page["rows"] == [["", "", "Acme"]]


@pytest.mark.parametrize("kind", ["failedResults", "successfulResults"])
async def test_a_byte_order_mark_does_not_hide_the_outcome(kind: str) -> None:
    rows = '\ufeffsf__Id,sf__Error,Name\n"","A:b:Name --",Acme\n'
    async with agent_over(OneJob({kind: [Response(rows, media_type=CSV_TYPE)]}, COUNTED)) as client:
        page = await call(client, TOOLS[kind], jobId=JOB_ID)
    assert len(page["rows"]) == 1


async def test_unprocessed_rows_have_no_outcome() -> None:
    org = OneJob({"unprocessedrecords": [Response("Name\nAcme\n", media_type=CSV_TYPE)]}, {"state": "Aborted"})
    async with agent_over(org) as client:
        page = await call(client, TOOLS["unprocessedrecords"], jobId=JOB_ID)
    assert page["rows"] == [["Acme"]]


@pytest.fixture
def stalling_url() -> Iterator[str]:
    """An org whose result stops after its first row, without an end."""

    async def job(request: Request) -> Response:
        return JSONResponse({"id": JOB_ID, "state": "JobComplete"})

    async def stalls(request: Request) -> Response:
        async def rows() -> AsyncIterator[bytes]:
            yield b'"sf__Id","sf__Error",Name\n"","A_CODE:broken:Name --","Acme"\n'
            await anyio.sleep_forever()

        return StreamingResponse(rows(), media_type="text/csv")

    app = Starlette(routes=[Route(f"{BASE}/{JOB_ID}", job), Route(f"{BASE}/{JOB_ID}/failedResults", stalls)])
    with running(app) as url:
        yield url


async def stalled_pages(client: Client, *offsets: int) -> list[dict[str, Any]]:
    """The pages at these offsets and, at the last one, the resource, all at once: each waits until its time is up."""
    pages: dict[int, dict[str, Any]] = {}

    async def ask(offset: int) -> None:
        pages[offset] = await call(client, TOOLS["failedResults"], jobId=JOB_ID, offset=offset)

    async def read(offset: int) -> None:
        with pytest.raises(MCPError, match=f"Time ran out before the row at offset {offset} came in"):
            await resource(client, "failedResults", f"?offset={offset}")

    async with anyio.create_task_group() as tasks:
        for offset in offsets:
            tasks.start_soon(ask, offset)
        tasks.start_soon(read, offsets[-1])
    return [pages[offset] for offset in offsets]


async def test_a_result_that_stalls_gives_what_came_and_says_that_it_is_not_all(
    stalling_url: str, tmp_path: Path
) -> None:
    credentials = FixedCredentials(Credentials(stalling_url, SecretStr("A.TOKEN")))
    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        services = services_over(SalesforceClient(http, credentials, "63.0"), tmp_path, tasks, seconds_left=lambda: 1.5)
        async with Client(build_mcp(services, None)) as connected:
            first, second = await stalled_pages(connected, 0, 1)
    assert (len(first["rows"]), first["nextOffset"], first["total"]) == (1, 1, None)
    assert [(cause["statusCode"], cause["count"]) for cause in first["causes"]] == [("A_CODE", 1)]
    assert second["summary"].startswith("Time ran out before the row at offset 1") and second["nextOffset"] == 1


async def test_a_result_that_stalls_on_its_way_into_the_cache_says_how_far_it_is(
    stalling_url: str, tmp_path: Path
) -> None:
    credentials = FixedCredentials(Credentials(stalling_url, SecretStr("A.TOKEN")))
    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        files = JobFiles(tmp_path / "results", most_bytes=1_000, most_seconds=60)
        services = services_over(client, tmp_path, tasks, seconds_left=lambda: 1.5, job_files=files)
        async with Client(build_mcp(services, None)) as connected:
            [page] = await stalled_pages(connected, 0)
        tasks.cancel_scope.cancel()
    assert (page["summary"], page["next"]) == snapshot(
        (
            "The failed results of job 750000000000001AAA, which is JobComplete, are still on their way here, 60 bytes so far; that goes on by itself.",
            'get-failed-results-ingest-job {"jobId": "750000000000001AAA"} goes on: it is the same call again.',
        )
    )


async def test_a_page_tells_meanwhile_how_much_of_its_result_has_come(stalling_url: str, tmp_path: Path) -> None:
    credentials = FixedCredentials(Credentials(stalling_url, SecretStr("A.TOKEN")))
    seen: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with open_http(trust_env=False) as http, anyio.create_task_group() as tasks:
        client = SalesforceClient(http, credentials, "63.0")
        files = JobFiles(tmp_path / "results", most_bytes=1_000, most_seconds=60)
        services = services_over(
            client, tmp_path, tasks, seconds_left=lambda: 1.5, report_seconds=0.01, job_files=files
        )
        async with Client(build_mcp(services, None)) as connected:
            await connected.call_tool(TOOLS["failedResults"], {"jobId": JOB_ID}, progress_callback=on_progress)
        tasks.cancel_scope.cancel()
    assert seen == [(60, None, "60 bytes of the result fetched")]
