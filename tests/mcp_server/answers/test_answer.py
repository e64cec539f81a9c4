"""No answer costs a model more than it can bear, whatever texts an org holds, and each can be sent, whatever a file holds."""

import os
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.mcp_server.answers.halves import TOKEN_BUDGET, sized_halves
from tests.support.orgs import ERAS, Era, agent_over, refusal, text_of
from tests.support.result_org import OneJob
from tests.support.watched_org import WatchedOrg, agent_keeping
from tests.support.wire import JOB_ID


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
    async with agent_over(Starlette(routes=routes)) as client:
        for tool, arguments in (("list-all-ingest-jobs", {}), ("get-ingest-job-status", {"jobId": JOB_ID})):
            for half in await sized_halves(client, tool, **arguments):
                assert len(half) / 4 <= TOKEN_BUDGET
        result = await client.call_tool("get-failed-results-ingest-job", {"jobId": JOB_ID})
        assert result.is_error and len(text_of(result)) / 4 <= TOKEN_BUDGET
        [content] = (await client.read_resource(f"salesforce-bulk://jobs/{JOB_ID}")).contents
        assert len(content.model_dump_json()) / 4 <= TOKEN_BUDGET


NOT_UTF_8 = {
    "a name that is a field in part": b"N\xe4me,X\nA,B\n",
    "a name that means a field": b"St\xe4dte,Bill\xefngCity\nx,Oslo\n",
    "names that differ in one byte": b"Name,n\xe4me,n\xf6me,NAME\nA,a,b,c\n",
    "cells that are examples": b"Name,NumberOfEmployees\nM\xfcller,f\xfcnf\n",
}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("file", NOT_UTF_8.values(), ids=NOT_UTF_8)
async def test_a_file_that_is_not_utf_8_is_told_as_such(file: bytes, era: Era, org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(file)
    named = {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "a.csv"}}
    async with agent_keeping(org, tmp_path, era=era) as client:
        checked = await client.call_tool("create-ingest-job", {**named, "dryRun": True})
        refused = await refusal(client, "create-ingest-job", **named)
    for text in (text_of(checked), str(checked.structured_content), refused):
        assert "not UTF-8" in text and "save the file in UTF-8" in text
    assert org.changes == []


@pytest.mark.parametrize("no_spool", [False, True], ids=["kept", "streamed"])
@pytest.mark.parametrize("kind", ["failedResults", "successfulResults", "unprocessedrecords"])
async def test_rows_and_causes_that_are_not_utf_8_are_shown_with_replacement_characters(
    kind: str, no_spool: bool
) -> None:
    rows = b"sf__Id,sf__Error,N\xe4me\n,INVALID_FIELD:b\xe4d:N\xe4me --,M\xfcller\n"
    tool = {
        "failedResults": "get-failed-results-ingest-job",
        "successfulResults": "get-successful-results-ingest-job",
        "unprocessedrecords": "get-unprocessed-records-ingest-job",
    }[kind]
    one_job = OneJob(
        {kind: [Response(rows, media_type="text/csv")]},
        {"state": "Failed", "numberRecordsProcessed": 2, "numberRecordsFailed": 1},
    )
    async with agent_over(one_job, no_spool=no_spool) as client:
        page = await client.call_tool(tool, {"jobId": JOB_ID})
    assert page.structured_content is not None
    assert page.structured_content["rows"] == [["", "INVALID_FIELD:b\ufffdd:N\ufffdme --", "M\ufffdller"]]
    assert "M\ufffdller" in text_of(page)


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are any bytes")
async def test_a_folder_whose_name_is_not_utf_8_can_be_named(org: WatchedOrg, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"export\xe9")
    folder.mkdir()
    rows = {"body": {"object": "Account", "operation": "insert"}, "data": {"file": "/elsewhere/a.csv"}}
    async with agent_keeping(org, folder) as client:
        result = await client.call_tool("create-ingest-job", rows)
    assert "This server reads files under" in text_of(result) and "export\ufffd" in result.model_dump_json()
