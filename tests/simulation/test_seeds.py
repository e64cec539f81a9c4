"""Seeds whose plans broke an invariant once, each with what was wrong."""

import pytest

from tests.simulation.runner import simulate

SEEDS = {
    184: "a small cache removed the file in source order of the rows that were just being sent again",
    267: "a small cache removed the failed rows that were just being sent again, and each repetition did so anew",
    272: "a small cache removed both",
    370: "a job was aborted whose upload never arrived, and its unprocessed rows were asked for again and again",
    585: "unprocessed rows that came as a header alone were taken for none, where the upload had not been answered",
}


@pytest.mark.parametrize("seed", SEEDS, ids=[f"{seed}: {wrong}" for seed, wrong in SEEDS.items()])
def test_a_plan_that_broke_an_invariant_once_breaks_none_any_more(seed: int) -> None:
    assert simulate(seed).broken == ()
