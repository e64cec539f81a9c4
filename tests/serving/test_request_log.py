"""The log of requests: a line for each, and nothing of what is in it."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from salesforce_bulk_ingest.serving.request_log import RequestLog
from tests.support.asgi_server import running
from tests.support.canary import TOKEN
from tests.support.plain_http import plain_http


async def _answer(request: Request) -> PlainTextResponse:
    await request.body()
    return PlainTextResponse("told", 201)


APP = Starlette(routes=[Route("/{path:path}", _answer, methods=["GET", "POST"])])


async def test_a_request_is_a_line_without_query_headers_body_and_what_may_be_a_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seconds = iter([1.0, 1.25, 2.0, 2.0, 3.0, 3.0])
    caplog.set_level(logging.INFO, "salesforce_bulk_ingest.serving.request_log")
    with running(RequestLog(APP, "REST", lambda: next(seconds))) as url:
        async with plain_http() as http:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            await http.post(f"{url}/v1/jobs/ingest?token={TOKEN}", headers=headers, content=TOKEN)
            await http.get(f"{url}/v1/{TOKEN}/x%20y")
            await http.get(f"{url}/{'a' * 41}/750000000000001AAA")
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("request_log")]
    assert lines == [
        "REST POST /v1/jobs/ingest?...: 201, 250 ms",
        "REST GET /v1/***/***: 201, 0 ms",
        "REST GET /***/750000000000001AAA: 201, 0 ms",
    ]


async def test_a_request_without_an_answer_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    caplog.set_level(logging.INFO, "salesforce_bulk_ingest.serving.request_log")
    scope = {"type": "http", "method": "GET", "path": "/v1", "query_string": b""}
    with pytest.raises(ConnectionError):
        await RequestLog(fail, "REST", lambda: 0.0)(scope, fail, fail)  # type: ignore[arg-type] # none is called
    assert [record.getMessage() for record in caplog.records] == ["REST GET /v1: no answer, 0 ms"]
