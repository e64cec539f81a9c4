"""No answer costs a model more than it can bear, whatever the org holds."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.asgi_server import running
from tests.support.orgs import agent, text_of

JOB_ID = "750000000000001AAA"
ENDLESS = "E" * 200_000
TOKEN_BUDGET = 8_000
MESSAGE_BYTES = 512 * 1024


def hostile_org(columns: list[str], rows: list[list[str]], *, jobs: int = 1) -> Starlette:
    """An org whose answers are as large as an org's may be."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["sf__Id", "sf__Error", *columns], *rows])

    def job(number: int) -> dict[str, object]:
        return {
            "id": f"750{number:012}",
            "state": "JobComplete",
            "object": "X" * 80,
            "operation": "insert",
            "errorMessage": ENDLESS,
            "numberRecordsProcessed": len(rows),
            "numberRecordsFailed": len(rows),
            "createdDate": "2026-01-01T00:00:00.000+0000",
        }

    async def one(request: Request) -> Response:
        return JSONResponse({**job(1), "id": JOB_ID})

    async def every(request: Request) -> Response:
        page = {
            # The list has no errorMessage (Bulk API 2.0 guide, Get Information About All Ingest Jobs).
            "records": [{**job(number), "errorMessage": None} for number in range(jobs)],
            "done": False,
            "nextRecordsUrl": "/x?queryLocator=L",
        }
        return JSONResponse(page)

    async def result(request: Request) -> Response:
        return Response(text.getvalue(), media_type="text/csv")

    base = "/services/data/v63.0/jobs/ingest"
    return Starlette(
        routes=[Route(base, every), Route(f"{base}/{{id}}", one), Route(f"{base}/{{id}}/{{kind}}", result)]
    )


@asynccontextmanager
async def agent_of(org: Starlette) -> AsyncIterator[Client]:
    with running(org) as url:
        async with agent(url, rest_url="http://127.0.0.1:8080/v1") as client:
            yield client


async def halves(client: Client, tool: str, **arguments: Any) -> tuple[str, str]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    whole = json.dumps(result.model_dump(by_alias=True, mode="json"))
    assert len(whole) <= MESSAGE_BYTES
    return json.dumps(result.structured_content, ensure_ascii=False), text_of(result)


ERROR = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
CONTROLS = [chr(1) * 70 + str(number) for number in range(9)]
HOSTILE = {
    "long cells": (["Name"], [["", ERROR, "long " * 20_000]] * 60),
    "wide rows": ([f"Field_{n}__c" for n in range(2_000)], [["", ERROR, *["x" * 50] * 2_000]] * 5),
    "many columns with short names": ([f"c{n}" for n in range(5_000)], [["", ERROR, *[""] * 5_000]] * 60),
    "wide script": (["名前"], [["", ERROR, "東京都千代田区" * 40]] * 60),
    "quotes": (["Name"], [["", ERROR, '"' * 400]] * 60),
    "many causes": (
        ["Name"],
        [["", f"CODE_{'X' * 400}_{n}:{'m' * 5_000}:{','.join(['Field__c'] * 300)} --", ""] for n in range(200)],
    ),
    "control characters": (["Name"], [["", ERROR, "\x01\x02" * 200]] * 60),
    "causes in control characters": (
        ["Name"],
        [["", f"CODE_{n}:{chr(1) * 300}:{','.join([chr(1) * 90] * 9)} --", ""] for n in range(60)],
    ),
    "examples in control characters": (
        CONTROLS,
        [["", f"CODE_{n % 5}:{chr(1) * 999}{n}:{','.join(CONTROLS)} --", *[chr(1) * 900] * 9] for n in range(60)],
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_page_stays_within_8_000_tokens_in_either_half(kind: str) -> None:
    async with agent_of(hostile_org(*HOSTILE[kind])) as client:
        for half in await halves(client, "get-failed-results-ingest-job", jobId=JOB_ID):
            assert len(half) / 4 <= TOKEN_BUDGET


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_page_of_1_000_rows_stays_within_one_message(kind: str) -> None:
    async with agent_of(hostile_org(*HOSTILE[kind])) as client:
        await halves(client, "get-failed-results-ingest-job", jobId=JOB_ID, limit=1_000)


@pytest.mark.parametrize("kind", HOSTILE)
async def test_pages_by_next_offset_show_every_row_once(kind: str) -> None:
    expected = len(HOSTILE[kind][1])
    async with agent_of(hostile_org(*HOSTILE[kind])) as client:
        seen, offset = 0, 0
        while True:
            arguments = {"jobId": JOB_ID, "offset": offset, "limit": 1_000}
            page = (await client.call_tool("get-failed-results-ingest-job", arguments)).structured_content
            assert page is not None and page["rows"] and page["offset"] == offset
            seen += len(page["rows"])
            if page["nextOffset"] is None:
                break
            offset = page["nextOffset"]
        assert seen == expected


async def test_a_list_of_1_000_jobs_shows_25_with_counts_and_the_locator() -> None:
    async with agent_of(hostile_org([], [], jobs=1_000)) as client:
        structure, text = await halves(client, "list-all-ingest-jobs")
        assert max(len(structure), len(text)) / 4 <= TOKEN_BUDGET
        listing = json.loads(structure)
        assert (len(listing["jobs"]), listing["states"], listing["queryLocator"]) == (25, {"JobComplete": 1_000}, "L")


async def test_a_job_with_an_endless_error_message_is_cut() -> None:
    async with agent_of(hostile_org([], [])) as client:
        for half in await halves(client, "get-ingest-job-status", jobId=JOB_ID):
            assert len(half) / 4 <= TOKEN_BUDGET and "…[+199000]" in half


async def test_texts_that_an_org_makes_endless_are_cut_everywhere() -> None:
    async def every(request: Request) -> Response:
        records = [
            {"id": JOB_ID, "state": f"{n}" + "S" * 500, "object": "O" * 4_000, "operation": "P" * 4_000}
            for n in range(1_000)
        ]
        return JSONResponse(
            {"records": records, "done": False, "nextRecordsUrl": f"http://[?queryLocator={'L' * 50_000}"}
        )

    async def one(request: Request) -> Response:
        return JSONResponse({"id": JOB_ID, "state": "S" * 40_000, "object": "O" * 40_000, "operation": "P" * 40_000})

    async def refused(request: Request) -> Response:
        return JSONResponse([{"errorCode": "C" * 1_000, "message": "M" * 50_000}], 400)

    base = "/services/data/v63.0/jobs/ingest"
    routes = [Route(base, every), Route(f"{base}/{{id}}", one), Route(f"{base}/{{id}}/{{kind}}", refused)]
    async with agent_of(Starlette(routes=routes)) as client:
        for tool, arguments in (("list-all-ingest-jobs", {}), ("get-ingest-job-status", {"jobId": JOB_ID})):
            for half in await halves(client, tool, **arguments):
                assert len(half) / 4 <= TOKEN_BUDGET
        result = await client.call_tool("get-failed-results-ingest-job", {"jobId": JOB_ID})
        assert result.is_error and len(text_of(result)) / 4 <= TOKEN_BUDGET
        [content] = (await client.read_resource(f"salesforce-bulk://jobs/{JOB_ID}")).contents
        assert len(content.model_dump_json()) / 4 <= TOKEN_BUDGET
