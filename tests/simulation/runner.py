"""One simulation: a plan, its world and its callers, and what was found wrong afterwards."""

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

import anyio
import stamina

from salesforce_bulk_ingest.salesforce.retries import ATTEMPTS
from tests.simulation.caller import Caller, Record
from tests.simulation.check import broken_invariants
from tests.simulation.plan import plan_of
from tests.simulation.virtual_loop import run_virtually
from tests.simulation.world import Story, world_of

MEMORY = Path("/dev/shm")
"""A folder in memory, where there is one: most of a simulation's time would go into commits to a disk."""


@dataclass(frozen=True)
class Outcome:
    """What came of a simulation.

    Attributes:
        seed: its seed.
        story: what happened.
        broken: the invariants that do not hold, each with what contradicts it.
    """

    seed: int
    story: Story
    broken: tuple[str, ...]


def simulate(seed: int) -> Outcome:
    """Run the simulation of a seed, without the pauses between tries, whose lengths are drawn at random."""
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        story = Story(Path(folder))
        try:
            with stamina.set_testing(True, attempts=ATTEMPTS):
                broken = run_virtually(_simulate(seed, Path(folder), story))
        except Exception as error:
            story.tell("".join(traceback.format_exception(error)))
            broken = (f"the simulation ends: {error!r}",)
    return Outcome(seed, story, broken)


async def _simulate(seed: int, folder: Path, story: Story) -> tuple[str, ...]:
    plan = plan_of(seed)
    async with world_of(plan, folder, story) as world:
        record = Record()
        callers = [Caller(f"caller {number}", one, world, record) for number, one in enumerate(plan.callers, 1)]
        async with anyio.create_task_group() as tasks:
            for caller in callers:
                tasks.start_soon(caller.misbehave)
        world.calm()
        for caller in callers:
            await caller.persist()
        return tuple(await broken_invariants(world, callers, record))
