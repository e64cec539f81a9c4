"""What `/v1` says about itself: its OpenAPI document and the page of it, for everybody, with no word about the org."""

import json
from functools import cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_bulk_ingest.rest.docs_page import docs_page
from salesforce_bulk_ingest.rest.openapi import openapi_document
from salesforce_bulk_ingest.rest.routes import ERROR_HANDLERS

DOCUMENT_PATH = "/v1/openapi.json"
PAGE_PATH = "/v1/docs"
DOCUMENT_PATHS = (DOCUMENT_PATH, PAGE_PATH)


def build_documents(public_url: str | None = None, *, signs_in: bool = False) -> Starlette:
    """Build the application that answers at these paths.

    Args:
        public_url: the URL of this server as callers know it; None for the name that they use.
        signs_in: whether callers sign in.
    """

    async def page(request: Request) -> Response:
        origin = public_url or f"{request.url.scheme}://{request.headers['host']}"
        return docs_page(openapi_document(), f"{origin}/v1", signs_in=signs_in)

    routes = [Route(DOCUMENT_PATH, _document), Route(PAGE_PATH, page)]
    return Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)


async def _document(request: Request) -> Response:
    return Response(_document_text(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def _document_text() -> str:
    return json.dumps(openapi_document(), ensure_ascii=False, indent=1)
