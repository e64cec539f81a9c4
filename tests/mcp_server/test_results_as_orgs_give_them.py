"""Results come in many forms, and none of them costs a row, a cell, or an answer: faults that were found in other clients."""

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp_types import TextResourceContents
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.caller import calling
from tests.support.asgi_server import running
from tests.support.orgs import agent, call, loaded, text_of
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID, pass_lifespan

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


@dataclass
class OneJob:
    """An org with one job, whose results are these answers, one after the other and the last one for good."""

    answers: Mapping[str, list[ASGIApp]]
    job: Mapping[str, object] = field(default_factory=dict)
    listing: Mapping[str, object] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        name = scope["path"].rpartition("/")[2]
        if name in self.answers:
            answers = self.answers[name]
            answer: ASGIApp = answers[min(self.asked[name], len(answers) - 1)]
            self.asked[name] += 1
        elif name == "ingest":
            answer = JSONResponse(dict(self.listing))
        else:
            answer = JSONResponse({"id": JOB_ID, "state": "JobComplete", "numberRecordsProcessed": 0, **self.job})
        await answer(scope, receive, send)


@asynccontextmanager
async def agent_of(org: OneJob, **settings: Any) -> AsyncIterator[Client]:
    with running(org) as url:
        async with agent(url, **settings) as client:
            yield client


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
    async with agent_of(org, no_spool=not is_kept) as client:
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
    async with agent_of(OneJob({kind: [WITHOUT_ROWS[what]] for kind in TOOLS})) as client:
        pages = [await call(client, tool, jobId=JOB_ID) for tool in TOOLS.values()]
        texts = [await resource(client, kind) for kind in TOOLS]
    columns = ["sf__Id", "sf__Error", "Name"] if "header" in what else []
    for page, text in zip(pages, texts, strict=True):
        assert (page["columns"], page["rows"], page["causes"], page["nextOffset"]) == (columns, [], [], None)
        assert page["summary"].startswith("No rows in the ")
        assert next(csv.reader([text]), []) == columns


async def test_a_failed_result_with_no_content_says_that_there_are_no_rows() -> None:
    async with agent_of(OneJob({"failedResults": [Response(status_code=204)]})) as client:
        answer = await client.call_tool(TOOLS["failedResults"], {"jobId": JOB_ID})
    page = answer.structured_content
    assert page is not None
    assert {name: page[name] for name in page if name != "file"} == snapshot(
        {
            "summary": "No rows in the failed results of job 750000000000001AAA, which is JobComplete.",
            "next": "That is all. get-ingest-job-status with jobId 750000000000001AAA has the counters.",
            "jobId": "750000000000001AAA",
            "state": "JobComplete",
            "columns": [],
            "rows": [],
            "offset": 0,
            "nextOffset": None,
            "total": 0,
            "causes": [],
            "resourceUri": "salesforce-bulk://jobs/750000000000001AAA/failed-results",
        }
    )
    assert text_of(answer).replace(str(page.get("file")), "FILE").splitlines() == snapshot(
        [
            "No rows in the failed results of job 750000000000001AAA, which is JobComplete.",
            "Next: That is all. get-ingest-job-status with jobId 750000000000001AAA has the counters.",
            "All rows: salesforce-bulk://jobs/750000000000001AAA/failed-results in pages",
        ]
    )


COUNTED = {"numberRecordsProcessed": 2, "numberRecordsFailed": 1}


@pytest.mark.parametrize("what", ["no content", "an empty body", "the header"])
async def test_a_result_without_the_rows_that_the_job_counts_is_no_sign_that_there_are_none(what: str) -> None:
    counted = ("successfulResults", "failedResults")
    async with agent_of(OneJob({kind: [WITHOUT_ROWS[what]] for kind in counted}, COUNTED)) as client:
        for kind in counted:
            page = await call(client, TOOLS[kind], jobId=JOB_ID)
            assert "it counts 1 of them. Call again later; this is no sign that there are none." in page["summary"]


async def test_a_result_without_the_rows_that_the_job_counts_is_not_said_to_be_all() -> None:
    async with agent_of(OneJob({"failedResults": [Response(status_code=204)]}, COUNTED)) as client:
        page = await call(client, TOOLS["failedResults"], jobId=JOB_ID)
    assert "That is all." not in page["next"]


@pytest.mark.parametrize("what", ["no content", "an empty body"])
async def test_a_result_that_came_without_a_header_is_asked_for_again(what: str) -> None:
    rows = Response('"sf__Id","sf__Error",Name\n"","",Acme\n', media_type=CSV_TYPE)
    async with agent_of(
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
            "sf__Error": "INVALID_TYPE_ON_FIELD_IN_RECORD:Employees: value not of required type: many:NumberOfEmployees --",
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
    assert (page["columns"], [row[1:] for row in page["rows"]]) == (["sf__Error", "Name", "Site"], [["", "a"]])


# The list of jobs


@pytest.mark.parametrize("url", ["null", "NULL", None])
async def test_a_next_page_of_jobs_that_is_null_ends_the_list(url: str | None) -> None:
    listing = {"records": [{"id": JOB_ID, "state": "Open"}], "done": False, "nextRecordsUrl": url}
    async with agent_of(OneJob({}, listing=listing)) as client:
        answer = await call(client, "list-all-ingest-jobs")
    assert answer["queryLocator"] is None and "Next page" not in answer["summary"]
