"""A cell of the matrix: one tool, while something goes wrong, and what its caller does then."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.model_caller import ModelCaller, Stuck
from tests.faults.operations import Operation
from tests.faults.org import FaultyOrg, server
from tests.faults.rows import Rows
from tests.support.follower import Half

DIFFERENCE = "where by the counters of the job there are"
STEPS_UNTIL_ALL_IS_WELL = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One tool, and what goes wrong.

    Attributes:
        operation: the tool in its situation.
        half: the half of the answers that the caller reads.
        begin: makes the org go wrong.
        is_told_right: whether the first answer has to be right already; else the last alone.
        differs: whether results differ from the counters of their job, which is then told.
    """

    operation: Operation
    half: Half
    begin: Callable[[], None]
    is_told_right: bool = True
    differs: bool = False

    def tells_difference(self, caller: ModelCaller) -> bool:
        """Whether the caller was told how a wrong result differs from the counters of its job."""
        return self.differs and any(DIFFERENCE in told for told in caller.story)


async def run_cell(cell: Cell, org: FaultyOrg, folder: Path) -> Mapping[str, int]:
    """Make the call of a cell, follow what is told, compare with the org, and return what to count."""
    rows, operation = Rows.fresh(), cell.operation
    async with server(org.url, folder) as serving:
        data = await rows.given_as(operation.source, serving)
        caller = ModelCaller(serving.tools, cell.half, data)
        await operation.prepare(caller, org, data)
        caller.answered.clear()
        serving.patience.shorten()
        cell.begin()
        heard = await operation.call(caller, data)
        told = caller.told(heard)
        if told != "told_unclear" and cell.is_told_right and not cell.tells_difference(caller):
            assert org.accounts(rows.mark).total() == sum(caller.loaded.values()), "\n".join(caller.story)

        def at_step(step: int) -> None:
            if step == STEPS_UNTIL_ALL_IS_WELL:
                org.go_right()

        def has_reached() -> bool:
            return sum(caller.loaded.values()) == rows.size if operation.loads else bool(caller.answered)

        try:
            steps = await caller.persist(heard, has_reached, at_step)
        except Stuck:
            if not cell.tells_difference(caller):
                raise
            assert not org.accounts(rows.mark) - Counter(rows.names), "\n".join(caller.story)
            return {told: 1, "told_difference": 1}
    assert org.accounts(rows.mark) == Counter(rows.names), "\n".join(caller.story)
    return {told: 1, "steps": steps}
