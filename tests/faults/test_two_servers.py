"""Two servers at once on what one of them keeps, with the same calls: no row is lost or doubled."""

from collections import Counter
from pathlib import Path

import anyio
import pytest

from tests.faults.conftest import Count
from tests.faults.model_caller import ModelCaller
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.org import FaultyOrg, server
from tests.faults.rows import Rows
from tests.support.follower import HALVES

PATIENCE = 200
"""More equal answers than a caller gets while another server sends the rows: it is told to wait for some minutes."""

TOGETHER = [operation for operation in OPERATIONS if operation.loads]


@pytest.mark.parametrize("operation", TOGETHER, ids=[operation.name for operation in TOGETHER])
async def test_two_servers_with_the_same_calls_load_each_row_once(
    operation: Operation, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    rows = Rows.fresh()
    async with server(org.url, tmp_path) as one, server(org.url, tmp_path) as other:
        data = await rows.given_as(operation.source, one)
        first, second = [
            ModelCaller(serving.tools, half, data, patience=PATIENCE)
            for serving, half in zip((one, other), HALVES, strict=True)
        ]
        await operation.prepare(first, org, data)
        second.learn_from(first)

        async def load(caller: ModelCaller) -> None:
            heard = await operation.call(caller, data)
            await caller.persist(heard, lambda: sum(caller.loaded.values()) == rows.size)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load, first)
            tasks.start_soon(load, second)
    assert org.accounts(rows.mark) == Counter(rows.names), "\n".join([*first.story, "", *second.story])
    count(steps=len(first.story) + len(second.story))
