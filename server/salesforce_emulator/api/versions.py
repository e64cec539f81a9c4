"""The resources that list the API versions, the resources of a version, and the limits."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from salesforce_emulator.api.endpoint import NEWEST, OLDEST, Resource, allow_anyone, org_of, version_of
from salesforce_emulator.api.oauth import identity_url
from salesforce_emulator.org import Org
from salesforce_emulator.responses import json_response
from salesforce_emulator.storage.usage import Allocation

# These names are part of a version's label, which only people read.
RELEASES = ("Winter", "Spring", "Summer")


async def versions(request: Request) -> Response:
    """Return the API versions; needs no token (REST API guide, Versions)."""
    return json_response(request, [_version(number) for number in range(OLDEST, NEWEST + 1)])


def _version(number: int) -> dict[str, str]:
    year, season = divmod(number + 13, 3)  # Spring '25 was 63
    return {
        "label": f"{RELEASES[season]} '{year:02}",
        "url": f"/services/data/v{number}.0",
        "version": f"{number}.0",
    }


async def limits(request: Request) -> Response:
    """Return the limits that matter to data loads; the org counts the use of requests and batches only."""
    unused = {
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyBulkV2QueryJobs": 10_000,
        "DataStorageMB": 10_240,
        "FileStorageMB": 10_240,
    }
    counted = await run_in_threadpool(_counted, org_of(request))
    return json_response(request, counted | {name: {"Max": size, "Remaining": size} for name, size in unused.items()})


def _counted(org: Org) -> dict[str, dict[str, int]]:
    most = org.usage.max
    with org.database.reading() as connection:
        batches_left = org.usage.left(connection, Allocation.BATCHES)
    return {
        "DailyApiRequests": {
            "Max": most[Allocation.REQUESTS],
            "Remaining": most[Allocation.REQUESTS] - org.usage.requests(),
        },
        "DailyBulkApiBatches": {"Max": most[Allocation.BATCHES], "Remaining": batches_left},
    }


async def resources(request: Request) -> Response:
    """Return the resources of a version (REST API guide, Resources by Version)."""
    base = f"/services/data/v{version_of(request)}"
    paths = {name: f"{base}/{name}" for name in ("jobs", "limits", "query", "queryAll", "sobjects")}
    # The one resource with a whole URL, from which jsforce reads who it is.
    return json_response(request, {"identity": identity_url(request), **paths})


BASE = "/services/data/v{version}"

ROUTES = [
    Route("/services/data", Resource(check=allow_anyone, GET=versions)),
    Route(BASE, Resource(GET=resources)),
    Route(f"{BASE}/limits", Resource(GET=limits)),
]
