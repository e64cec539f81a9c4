"""Salesforce's APIs that the org does not have: each answers in its own envelope that it is not here, and what to do.

Without these answers a client of such an API would read that its resource does not exist, and look for a mistake of its own.
"""

from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors
from salesforce_emulator.api.endpoint import NEWEST, CallerCheck, Handler, Resource, allow_anyone, check_caller
from salesforce_emulator.responses import json_response

INGEST = f"/services/data/v{NEWEST}.0/jobs/ingest"
QUERY = f"/services/data/v{NEWEST}.0/query"

LOAD = f"load records with ingest jobs of Bulk API 2.0 (POST {INGEST})"
FIND = f"query with SOQL (GET {QUERY}?q=...)"
LOAD_AND_FIND = f"{LOAD}, and {FIND}"
ADD = "add objects, fields and validation rules with --schema"

REST = {
    "jobs/query": ("query jobs of Bulk API 2.0", FIND),
    "composite": ("composite requests and sObject Collections", LOAD_AND_FIND),
    "search": ("SOSL searches", FIND),
    "parameterizedSearch": ("SOSL searches", FIND),
    "graphql": ("GraphQL", FIND),
    "ui-api": ("the UI API", f"read objects with GET /services/data/v{NEWEST}.0/sobjects/NAME/describe"),
    "tooling": ("the Tooling API", ADD),
    "metadata": ("the Metadata API", ADD),
}
"""The paths below a version of the API, with what is not here and what to do instead."""

BULK_1_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


async def bulk_1(request: Request) -> Response:
    """Refuse a request of Bulk API 1.0, in JSON if it speaks JSON and else in XML (Bulk API guide, Errors).

    Its code is documented for an org in which Bulk API is not enabled.
    """
    code, message = "FeatureNotEnabled", errors.not_in_this_org("Bulk API 1.0", LOAD)
    types = request.headers.get("Content-Type", "") + request.headers.get("Accept", "")
    if "json" in types:
        return json_response(request, {"exceptionCode": code, "exceptionMessage": message}, 400)
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><error xmlns="{BULK_1_NAMESPACE}"><exceptionCode>{code}</exceptionCode>'
        f"<exceptionMessage>{escape(message)}</exceptionMessage></error>"
    )
    return Response(body, 400, {"Content-Type": "application/xml"})


def _refusing(what: str, instead: str) -> Handler:
    async def refuse(request: Request) -> Response:
        raise errors.not_here(what, instead)

    return refuse


def _routes(base: str, refuse: Handler, check: CallerCheck = check_caller) -> list[Route]:
    resource = Resource(check=check, GET=refuse, POST=refuse, PUT=refuse, PATCH=refuse, DELETE=refuse)
    return [Route(path, resource) for path in (base, f"{base}/{{rest:path}}")]


ROUTES = [
    *(
        route
        for path, (what, instead) in REST.items()
        for route in _routes(f"/services/data/v{{version}}/{path}", _refusing(what, instead))
    ),
    *_routes("/services/async", bulk_1, allow_anyone),
]
