"""What `/v1` says about itself: its OpenAPI document and the page of it, for everybody, with no word about the org."""

import json
from functools import cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from salesforce_bulk_ingest.rest.docs_page import docs_page
from salesforce_bulk_ingest.rest.endpoints import DOCUMENT_PATH, PAGE_PATH
from salesforce_bulk_ingest.rest.openapi import openapi_document
from salesforce_bulk_ingest.rest.routes import ERROR_HANDLERS
from salesforce_bulk_ingest.serving.endpoints import origin_of


def build_documents(public_url: str | None = None, *, signs_in: bool = False) -> dict[str, ASGIApp]:
    """Return the paths of the documents, each with the application that answers there.

    Args:
        public_url: the URL of this server as callers know it; None for the name that they use.
        signs_in: whether callers sign in.
    """

    async def page(request: Request) -> Response:
        return docs_page(openapi_document(), f"{origin_of(request, public_url)}/v1", signs_in=signs_in)

    routes = [Route(DOCUMENT_PATH, _document), Route(PAGE_PATH, page)]
    app = Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)
    return {route.path: app for route in routes}


async def _document(request: Request) -> Response:
    return Response(_document_text(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def _document_text() -> str:
    return json.dumps(openapi_document(), ensure_ascii=False, indent=1)
