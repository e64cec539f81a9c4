"""Reads the journal of an org and the counts of its rules of faults, for tests."""

import time
from typing import Any

from tests.salesforce_emulator.caller import DEADLINE_SECONDS, FAULTS, INGEST, JOURNAL, Caller

ROWS = "Name\n" + "".join(f"Acme {number}\n" for number in range(1000))


def last(org: Caller) -> dict[str, Any]:
    """The last entry of the journal."""
    entry: dict[str, Any] = org.http.get(JOURNAL).json()["requests"][-1]
    return entry


def fired(org: Caller) -> list[tuple[int, int]]:
    """How often each rule in force has matched, and has fired."""
    rules = org.http.get(FAULTS).json()["rules"]
    return [(rule["matched"], rule["fired"]) for rule in rules]


def until_fired(org: Caller) -> None:
    """Wait until the first rule has fired."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while fired(org)[0][1] == 0:
        assert time.monotonic() < deadline


def statuses(org: Caller, count: int, path: str = INGEST) -> list[int]:
    """The HTTP statuses of this many requests to the path."""
    return [org.http.get(path).status_code for _ in range(count)]


def entries(org: Caller, after: int = 0) -> list[dict[str, Any]]:
    """The entries of the journal whose number is higher than `after`."""
    found: list[dict[str, Any]] = org.http.get(JOURNAL, params={"after": after}).json()["requests"]
    return found


def newest(org: Caller) -> int:
    """The number of the last entry."""
    return max((entry["number"] for entry in entries(org)), default=0)
