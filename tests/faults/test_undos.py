"""Every fault and wrong answer of what a close and its undo read: nothing is closed without its way back, and all comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.faults.alterations import SKEWED, WRONG
from tests.faults.conftest import Count
from tests.faults.org import FaultyOrg, Server, server
from tests.faults.rows import Rows
from tests.faults.rules import name_of, rules_of_requests
from tests.support.orgs import call, closed, text_of, undo_call

While = Literal["close", "undo"]
REQUESTS: tuple[tuple[While, str], ...] = (
    ("close", "query"),
    ("close", "status"),
    ("close", "close"),
    ("undo", "query"),
    ("undo", "successfulResults"),
)
REPETITIONS = (1, 5)
MOST_CALLS = 12
CALLS_UNTIL_ALL_IS_WELL = 3

Begin = Callable[[FaultyOrg], None]


def _rule(rule: dict[str, Any]) -> Begin:
    return lambda org: org.go_wrong(rule)


def _wrong(request: str, alter: Any, times: int) -> Begin:
    def begin(org: FaultyOrg) -> None:
        org.upstream.operation, org.upstream.alter, org.upstream.times = request, alter, times

    return begin


def cells() -> Iterator[Any]:
    for situation, request in REQUESTS:
        for times in REPETITIONS:
            for rule in rules_of_requests(request):
                name = f"{situation}-{request}-{name_of(rule)}-{times}"
                yield pytest.param(situation, _rule({**rule, "times": times}), id=name)
            for wrong in WRONG[request]:
                # A job that was made at another time is another job, of which nothing is kept; the close says so.
                if not wrong.lies and wrong is not SKEWED:
                    name = f"{situation}-{request}-{wrong.name}-{times}"
                    yield pytest.param(situation, _wrong(request, wrong.alter, times), id=name)


async def insist(org: FaultyOrg, serving: Server, tool: str, **arguments: Any) -> tuple[dict[str, Any], list[str]]:
    """Make a call until it is answered without an error; return that answer, and the errors."""
    errors = list[str]()
    for number in range(MOST_CALLS):
        if number == CALLS_UNTIL_ALL_IS_WELL:
            org.go_right()
        result = await serving.tools.call_tool(tool, arguments)
        if not result.is_error:
            assert result.structured_content is not None
            return result.structured_content, errors
        errors.append(text_of(result))
    raise AssertionError("\n".join(errors))


@pytest.mark.parametrize(("situation", "begin"), list(cells()))
async def test_an_update_whose_reads_go_wrong_is_undone(
    situation: While, begin: Begin, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    rows = Rows.fresh()
    before = org.insert_with_phones(rows.names)
    csv = "Id,Phone\n" + "".join(f"{record_id},new {phone}\n" for record_id, phone in before.items())
    async with server(org.url, tmp_path) as serving:
        update = {"object": "Account", "operation": "update"}
        job = (await call(serving.tools, "create-ingest-job", body=update, data={"csv": csv}))["id"]
        closing = {"jobId": job, "body": {"state": "UploadComplete"}}
        if situation == "close":
            serving.patience.shorten()
            begin(org)
        answer, errors = await insist(org, serving, "close-abort-ingest-job", **closing)
        assert "It can be undone." in answer["summary"] or not answer["changed"], answer
        org.go_right()
        org.caller.until(job)
        assert all(phone.startswith("new ") for phone in org.phones(rows.mark).values())
        tool, arguments = await undo_call(serving.tools, job)
        if situation == "undo":
            serving.patience.shorten()
            begin(org)
        undo, more = await insist(org, serving, tool, **arguments)
        org.go_right()
        assert (await closed(serving.tools, undo["id"]))["numberRecordsProcessed"] == rows.size
    assert org.phones(rows.mark) == before
    count(refused=len(errors) + len(more))
