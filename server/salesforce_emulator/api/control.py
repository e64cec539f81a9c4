"""How a developer controls the org: faults on purpose, and the journal. No token, no limits; never part of Salesforce."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator import errors
from salesforce_emulator.api.bodies import MAX_JSON_BYTES, body_of
from salesforce_emulator.api.endpoint import Resource, anyone, org_of
from salesforce_emulator.faults.plan import BadPlan, Plan
from salesforce_emulator.responses import json_answer


async def show_faults(request: Request) -> Response:
    """The plan in force, each rule with how often it matched and fired."""
    return json_answer(request, org_of(request).faults.shown())


async def replace_faults(request: Request) -> Response:
    """Put another plan in force; its counts begin at zero."""
    org_of(request).put_in_force(await _plan_of(request))
    return await show_faults(request)


async def delete_faults(request: Request) -> Response:
    """Nothing goes wrong any more, and jobs that were stuck go on."""
    org_of(request).put_in_force(Plan())
    return Response(status_code=204)


async def _plan_of(request: Request) -> Plan:
    # Insisted on, as no page of a foreign site can send this type without being asked for leave first.
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.plan_is_not_json_type()
    text = b"".join([chunk async for chunk in body_of(request, MAX_JSON_BYTES)])
    try:
        return Plan.read(json.loads(text))
    except BadPlan as error:
        raise errors.invalid_plan(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise errors.json_parser_error(f"The plan is not JSON: {error}") from None


async def show_journal(request: Request) -> Response:
    """The last requests that have ended, newest last; those after a number if `?after=` names it."""
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit()):
        raise errors.invalid_parameter("after has to be the number of a request")
    ended = org_of(request).journal.after(int(after[:18]))
    return json_answer(request, {"requests": [exchange.shown() for exchange in ended]})


async def clear_journal(request: Request) -> Response:
    """Forget the requests so far; the numbers go on."""
    org_of(request).journal.clear()
    return Response(status_code=204)


ROUTES = [
    Route("/emulator/faults", Resource(check=anyone, GET=show_faults, POST=replace_faults, DELETE=delete_faults)),
    Route("/emulator/journal", Resource(check=anyone, GET=show_journal, DELETE=clear_journal)),
]
