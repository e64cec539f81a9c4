"""The control resources for developers: the plan of faults, and the journal; callers need no token."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors
from salesforce_emulator.api.endpoint import Resource, allow_anyone, org_of
from salesforce_emulator.api.request_body import MAX_JSON_BYTES, body_chunks
from salesforce_emulator.faults.plan import BadPlan, Plan
from salesforce_emulator.responses import json_response


async def show_faults(request: Request) -> Response:
    """Return the plan in force, with the number of times that each rule has matched and fired."""
    return json_response(request, org_of(request).faults.as_json())


async def replace_faults(request: Request) -> Response:
    """Replace the plan in force; the counts of the new plan begin at zero."""
    org_of(request).activate_plan(await _plan_of(request))
    return await show_faults(request)


async def delete_faults(request: Request) -> Response:
    """Remove the plan in force; no more faults happen, and stuck jobs go on."""
    org_of(request).activate_plan(Plan())
    return Response(status_code=204)


async def _plan_of(request: Request) -> Plan:
    # This type is required because a browser does not let pages of other sites send it without a CORS preflight.
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.plan_is_not_json_type()
    text = b"".join([chunk async for chunk in body_chunks(request, MAX_JSON_BYTES)])
    try:
        return Plan.read(json.loads(text))
    except BadPlan as error:
        raise errors.invalid_plan(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise errors.json_parser_error(f"The plan is not JSON: {error}") from None


async def show_journal(request: Request) -> Response:
    """Return the journal, newest request last; with `?after=`, only the requests after that number."""
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit()):
        raise errors.invalid_parameter("after has to be the number of a request")
    ended = org_of(request).journal.after(int(after[:18]))
    return json_response(request, {"requests": [entry.as_json() for entry in ended]})


async def clear_journal(request: Request) -> Response:
    """Empty the journal; the numbers of the next requests go on."""
    org_of(request).journal.clear()
    return Response(status_code=204)


ROUTES = [
    Route("/emulator/faults", Resource(check=allow_anyone, GET=show_faults, POST=replace_faults, DELETE=delete_faults)),
    Route("/emulator/journal", Resource(check=allow_anyone, GET=show_journal, DELETE=clear_journal)),
]
