"""What pages show of the faults in force and of the requests that came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyio import from_thread
from starlette.requests import Request

from salesforce_emulator.api.endpoint import org_of
from salesforce_emulator.faults.journal import Exchange, Journal
from salesforce_emulator.org import Org
from salesforce_emulator.ui.page import position

PAGE_REQUESTS = 40


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule of the plan in words.

    Attributes:
        fault: what happens.
        on: to what.
        when: to which of its matches.
        settings: what else the rule says.
        matched, fired: how often it could have acted so far, and how often it has.
    """

    fault: str
    on: str
    when: str
    settings: dict[str, Any]
    matched: int
    fired: int


def show_faults(request: Request) -> Mapping[str, Any]:
    """The plan in force, and a page of the journal."""
    org = org_of(request)
    before = position(request, "before")
    exchanges, older = from_thread.run_sync(_ended_before, org.journal, before)
    return {"rules": rules_of(org), "exchanges": exchanges, "older": older, "from_start": before is None}


def rules_of(org: Org) -> list[ShownRule]:
    """The rules of the plan in force."""
    return [_shown(rule) for rule in org.faults.shown()["rules"]]


def _shown(rule: dict[str, Any]) -> ShownRule:
    settings = dict(rule)
    named = {name: settings.pop(name) for name in ("fault", "on", "matched", "fired")}
    return ShownRule(**named, when=_when(settings), settings=settings)


def _when(settings: dict[str, Any]) -> str:
    """Take what says when out of the settings, and put it in words."""
    after, every = settings.pop("after"), settings.pop("every")
    times, probability = settings.pop("times", None), settings.pop("probability")
    words = ["each" if every == 1 else f"1 in {every}"]
    if after:
        words.append(f"after the first {after}")
    if probability < 1:
        words.append(f"with a chance of {probability:.0%}")
    if times is not None:
        words.append("once" if times == 1 else f"{times} times")
    return ", ".join(words)


def _ended_before(journal: Journal, number: int | None) -> tuple[list[Exchange], int | None]:
    """A page of requests, newest first, and the number that the next page ends above; runs on the event loop.

    The journal is written there, and can't be read from another thread meanwhile.
    """
    earlier = [exchange for exchange in journal.after(0) if number is None or exchange.number < number]
    page = earlier[: -PAGE_REQUESTS - 1 : -1]
    return page, page[-1].number if len(earlier) > len(page) else None
