"""Redirects the URLs of Salesforce's Setup that the official CLI prints to the pages of the org."""

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from salesforce_emulator.errors import not_found
from salesforce_emulator.ids import JOB_PREFIX


async def show_bulk_load_job(request: Request) -> Response:
    """Redirect Setup's page of a bulk job to the org's page of the job."""
    match = re.fullmatch(
        rf"/({JOB_PREFIX}[0-9A-Za-z]{{12}}(?:[0-9A-Za-z]{{3}})?)", request.query_params.get("address", "")
    )
    if match is None:
        raise not_found()
    return RedirectResponse(f"/jobs/{match[1]}", 302)
