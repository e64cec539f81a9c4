"""Every fault of the embedded org, in every tool: each row is where the caller was told, by either half of the answers."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from salesforce_emulator.faults.plan import RULE_CLASSES
from tests.faults.cell import Cell, run_cell
from tests.faults.conftest import Count
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.org import FaultyOrg
from tests.faults.rules import PARAMETERS, Rule, name_of, rules_of_loads, rules_of_requests
from tests.support.follower import HALVES, Half

REPETITIONS = (1, 5)
"""How often a fault of a request happens: less often, and more often, than the server tries again by itself."""


def cells() -> Iterator[Any]:
    """Each operation with each fault of its requests and of its job, by both halves, which take turns in the first place."""
    faults = [
        (operation, rule, f"{operation.name}-{request}")
        for operation in OPERATIONS
        for request in operation.requests
        for rule in rules_of_requests(request)
    ]
    for number, (operation, rule, name) in enumerate(faults):
        for place, times in enumerate(REPETITIONS):
            half = HALVES[(number + place) % 2]
            yield pytest.param(operation, {**rule, "times": times}, half, id=f"{name}-{name_of(rule)}-{times}-{half}")
    for operation, rule, half in itertools.product(OPERATIONS, rules_of_loads(), HALVES):
        if operation.loads:
            yield pytest.param(operation, rule, half, id=f"{operation.name}-{name_of(rule)}-{half}")


def test_every_fault_of_the_org_is_in_the_matrix() -> None:
    assert PARAMETERS.keys() == RULE_CLASSES.keys()


@pytest.mark.parametrize(("operation", "rule", "half"), list(cells()))
async def test_every_row_is_where_the_caller_was_told(
    operation: Operation, rule: Rule, half: Half, org: FaultyOrg, tmp_path: Path, count: Count
) -> None:
    count(**await run_cell(Cell(operation, half, lambda: org.go_wrong(rule)), org, tmp_path))
