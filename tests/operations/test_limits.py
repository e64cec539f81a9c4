"""How long a call may last."""

import anyio
import anyio.lowlevel

from salesforce_bulk_ingest.operations.limits import CALL_SECONDS, MARGIN_SECONDS, seconds_left


async def test_a_call_without_a_limit_of_its_own_may_wait_for_45_seconds_less_the_margin() -> None:
    assert seconds_left() == CALL_SECONDS - MARGIN_SECONDS == 43.0


async def test_a_call_that_ends_sooner_keeps_the_margin_for_its_answer() -> None:
    with anyio.CancelScope(deadline=anyio.current_time() + MARGIN_SECONDS + 10):
        await anyio.lowlevel.checkpoint()
        assert 0 < seconds_left() <= 10


async def test_a_call_with_no_more_than_the_margin_left_does_not_wait() -> None:
    with anyio.CancelScope(deadline=anyio.current_time() + MARGIN_SECONDS / 2):
        await anyio.lowlevel.checkpoint()
        assert seconds_left() == 0
