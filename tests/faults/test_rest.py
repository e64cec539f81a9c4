"""Every fault of the embedded org, in every route of `/v1`: each row is where the caller was told."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Count
from tests.faults.http_caller import HttpCaller
from tests.faults.org import FaultyOrg, rest_of, server
from tests.faults.rows import Rows
from tests.faults.rules import Rule, name_of, rules_of_loads, rules_of_requests

REQUESTS = (
    "list",
    "create",
    "upload",
    "close",
    "abort",
    "status",
    "delete",
    "successfulResults",
    "failedResults",
    "unprocessedrecords",
)
REPETITIONS = (1, 3)


def cells() -> Iterator[Any]:
    for request in REQUESTS:
        for rule in rules_of_requests(request):
            for times in REPETITIONS:
                yield pytest.param({**rule, "times": times}, id=f"{request}-{name_of(rule)}-{times}")
    for rule in rules_of_loads():
        yield pytest.param(rule, id=name_of(rule))


@pytest.mark.parametrize("rule", list(cells()))
async def test_every_row_is_where_a_careful_client_was_told(
    rule: Rule, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    rows = Rows.fresh()
    async with server(org.url, tmp_path) as serving, rest_of(serving) as rest:
        # The check's own look at a state would use up a fault of status.
        caller = HttpCaller(rest, org, checks_states=rule.get("on") != "status")
        serving.patience.shorten()
        org.go_wrong(rule)
        dropped = await caller.filled_job(rows.names)
        await caller.change(dropped, "Aborted")
        assert not org.accounts(rows.mark)
        last = await caller.load(await caller.rows(dropped, "unprocessedrecords"))
        assert last in await caller.listed()
        await caller.delete(last)
        org.go_right()
        assert caller.loaded == org.accounts(rows.mark) == Counter(rows.names)
        count(steps=caller.tries, **{name.replace(" ", "_"): number for name, number in caller.told.items()})
