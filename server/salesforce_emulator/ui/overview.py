"""What the first page shows: the org and how to reach it, its jobs and its objects."""

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
from salesforce_emulator.ui.page import position

PAGE_JOBS = 15


@dataclass(frozen=True, slots=True)
class Holding:
    """An object and how many records it has."""

    sobject: SObject
    records: int


def show_overview(request: Request) -> Mapping[str, Any]:
    """The org at a glance."""
    org = org_of(request)
    before = position(request, "before")
    jobs, older = org.jobs.newest(before, PAGE_JOBS)
    by_state = org.jobs.by_state()
    return {
        "address": str(request.base_url).rstrip("/"),
        "versions": (OLDEST, NEWEST),
        "token": _published(org.config),
        "jobs": [progress_of(job, org.jobs.files) for job in jobs],
        "by_state": [(state, by_state[state]) for state in State if state in by_state],
        "working": any(state in UNFINISHED for state in by_state),
        "total": sum(by_state.values()),
        "older": older,
        "from_start": before is None,
        "holdings": _holdings(org),
        "requests": org.usage.requests(),
        "most_requests": org.usage.max[Allocation.REQUESTS],
        "faults": rules_of(org),
    }


def _published(chosen: EmulatorConfig) -> str | None:
    """The token, if it is the one that everybody knows; one that was chosen may be a secret."""
    return chosen.access_token if chosen.access_token == config.ACCESS_TOKEN else None


def _holdings(org: Org) -> list[Holding]:
    with org.database.reading() as connection:
        return [Holding(org.schema[name], count_live(connection, org.schema[name])) for name in org.schema]
