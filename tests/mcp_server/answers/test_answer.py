"""No answer costs a model more than it can bear, whatever texts an org holds."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.mcp_server.answers.halves import TOKEN_BUDGET, sized_halves
from tests.support.orgs import agent_over, text_of
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
