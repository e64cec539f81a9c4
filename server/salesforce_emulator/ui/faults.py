"""The data of the page about faults and requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anyio import from_thread
from starlette.requests import Request

from salesforce_emulator.api.endpoint import org_of
from salesforce_emulator.faults.journal import Journal, JournalEntry
from salesforce_emulator.org import Org
from salesforce_emulator.ui.page import number_in_query

PAGE_REQUESTS = 40


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule of the plan, as a row of the page's table.

    Attributes:
        fault: name of the fault.
        on: operation of the requests that match, or `processing`.
        when: which of the matches are hit, in words.
        settings: the other settings of the rule.
        matched: number of matches so far.
        fired: number of times that the fault has happened.
    """

    fault: str
    on: str
    when: str
    settings: dict[str, Any]
    matched: int
    fired: int


def show_faults(request: Request) -> Mapping[str, Any]:
    """Return the plan in force, and a page of the journal."""
    org = org_of(request)
    before = number_in_query(request, "before")
    entries, older = from_thread.run_sync(_page_before, org.journal, before)
    return {"rules": rules_of(org), "entries": entries, "older": older, "from_start": before is None}


def rules_of(org: Org) -> list[RuleRow]:
    """Return the rules of the plan in force."""
    return [_rule_row(rule) for rule in org.faults.as_json()["rules"]]


def _rule_row(rule: dict[str, Any]) -> RuleRow:
    settings = dict(rule)
    named = {name: settings.pop(name) for name in ("fault", "on", "matched", "fired")}
    return RuleRow(**named, when=_when(settings), settings=settings)


def _when(settings: dict[str, Any]) -> str:
    """Remove the settings about matches from the settings, and return them in words."""
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


def _page_before(journal: Journal, number: int | None) -> tuple[list[JournalEntry], int | None]:
    """Return a page of requests, newest first, and the number before which the next page starts, if there is one.

    Has to run on the event loop, where the journal is written: the journal can't be read from another thread.
    """
    earlier = [entry for entry in journal.after(0) if number is None or entry.number < number]
    page = earlier[: -PAGE_REQUESTS - 1 : -1]
    return page, page[-1].number if len(earlier) > len(page) else None
