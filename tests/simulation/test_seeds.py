"""Seeds whose plans broke an invariant once, each with what was wrong."""

import pytest

from tests.simulation.runner import simulate

SEEDS: dict[int, str] = {}


@pytest.mark.parametrize("seed", SEEDS, ids=[f"{seed}: {wrong}" for seed, wrong in SEEDS.items()])
def test_a_plan_that_broke_an_invariant_once_breaks_none_any_more(seed: int) -> None:
    assert simulate(seed).broken == ()
