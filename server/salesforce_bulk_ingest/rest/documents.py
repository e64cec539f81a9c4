"""What `/v1` says about itself: its OpenAPI document, for everybody, with no word about this server's org or callers."""

import json
from functools import cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_bulk_ingest.rest.openapi import openapi_document
from salesforce_bulk_ingest.rest.routes import ERROR_HANDLERS

DOCUMENT_PATH = "/v1/openapi.json"
DOCUMENT_PATHS = (DOCUMENT_PATH,)


def build_documents() -> Starlette:
    """Build the application that answers at these paths."""
    return Starlette(routes=[Route(DOCUMENT_PATH, _document)], exception_handlers=ERROR_HANDLERS)


async def _document(request: Request) -> Response:
    return Response(_document_text(), media_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def _document_text() -> str:
    return json.dumps(openapi_document(), ensure_ascii=False, indent=1)
