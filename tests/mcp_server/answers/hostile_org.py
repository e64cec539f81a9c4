"""An org whose answers are as large as an org's may be."""

import csv
import io

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.wire import JOB_ID

ENDLESS = "E" * 200_000


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
