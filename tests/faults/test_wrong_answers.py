"""An org that answers wrongly, in every tool: each row is where the caller was told, by either half of the answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.alterations import WRONG, Wrong
from tests.faults.cell import Cell, run_cell
from tests.faults.conftest import Count
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.org import FaultyOrg
from tests.support.follower import HALVES, Half

REPETITIONS = (1, 5)


def cells() -> Iterator[Any]:
    answers = [
        (operation, request, wrong)
        for operation in OPERATIONS
        if operation.source in ("csv", "rowsOf")
        for request in operation.answers
        for wrong in WRONG[request]
    ]
    for number, (operation, request, wrong) in enumerate(answers):
        for place, times in enumerate(REPETITIONS):
            half = HALVES[(number + place) % 2]
            name = f"{operation.name}-{request}-{wrong.name}-{times}-{half}"
            yield pytest.param(operation, request, wrong, times, half, id=name)


@pytest.mark.parametrize(("operation", "request_", "wrong", "times", "half"), list(cells()))
async def test_every_row_is_where_the_caller_was_told_by_an_org_that_answers_wrongly(
    operation: Operation,
    request_: str,
    wrong: Wrong,
    times: int,
    half: Half,
    org: FaultyOrg,
    tmp_path: Path,
    count: Count,
) -> None:
    def begin() -> None:
        org.upstream.operation, org.upstream.alter, org.upstream.times = request_, wrong.alter, times

    cell = Cell(operation, half, begin, is_told_right=not wrong.lies, differs=wrong.differs)
    count(**await run_cell(cell, org, tmp_path))
