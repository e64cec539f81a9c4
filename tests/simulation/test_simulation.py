"""The simulator itself: it repeats itself, its loop takes no time, and it sees what is wrong."""

import asyncio

import anyio
import pytest

from tests.simulation.plan import plan_of
from tests.simulation.runner import simulate
from tests.simulation.virtual_loop import StandsStill, run_virtually

SEEDS = (3, pytest.param(20, marks=pytest.mark.slow))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_makes_the_same_calls(seed: int) -> None:
    first, second = simulate(seed), simulate(seed)
    assert first.story.lines == second.story.lines
    assert first.broken == ()


def test_other_seeds_make_other_plans() -> None:
    assert len({repr(plan_of(seed).callers) for seed in range(20)}) == 20


def test_a_virtual_hour_takes_no_time() -> None:
    async def wait() -> float:
        await anyio.sleep(3_600)
        return asyncio.get_running_loop().time()

    assert run_virtually(wait()) >= 3_600


def test_a_loop_in_which_nothing_can_happen_any_more_says_so() -> None:
    async def wait() -> None:
        await anyio.Event().wait()

    with pytest.raises(StandsStill):
        run_virtually(wait())
