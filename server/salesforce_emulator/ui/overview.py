"""The data of the first page: the address of the org, its jobs and its objects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from salesforce_emulator import config
from salesforce_emulator.api.endpoint import NEWEST, OLDEST, org_of
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.states import UNFINISHED, State
from salesforce_emulator.org import Org
from salesforce_emulator.schema.model import SObject
from salesforce_emulator.storage.record_browser import count_live
from salesforce_emulator.storage.usage import Allocation
from salesforce_emulator.ui.faults import rules_of
from salesforce_emulator.ui.jobs import progress_of
from salesforce_emulator.ui.page import number_in_query

PAGE_JOBS = 15


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """An object and its number of records."""

    sobject: SObject
    records: int


def show_overview(request: Request) -> Mapping[str, Any]:
    """Return the address and id of the org, a page of its jobs, and its objects with their numbers of records."""
    org = org_of(request)
    before = number_in_query(request, "before")
    jobs, older = org.jobs.newest(before, PAGE_JOBS)
    by_state = org.jobs.by_state()
    return {
        "address": str(request.base_url).rstrip("/"),
        "organization": org.organization,
        "versions": (OLDEST, NEWEST),
        "token": _public_token(org.config),
        "jobs": [progress_of(job, org.jobs.files) for job in jobs],
        "by_state": [(state, by_state[state]) for state in State if state in by_state],
        "is_working": any(state in UNFINISHED for state in by_state),
        "total": sum(by_state.values()),
        "older": older,
        "from_start": before is None,
        "object_counts": _object_counts(org),
        "requests": org.usage.requests(),
        "most_requests": org.usage.max[Allocation.REQUESTS],
        "faults": rules_of(org),
    }


def _public_token(settings: EmulatorConfig) -> str | None:
    """Return the token if it is the default, which is public; any other token may be a secret."""
    return settings.access_token if settings.access_token == config.ACCESS_TOKEN else None


def _object_counts(org: Org) -> list[ObjectCount]:
    with org.database.reading() as connection:
        return [ObjectCount(org.schema[name], count_live(connection, org.schema[name])) for name in org.schema]
