"""How long a call may last."""

import anyio

CALL_SECONDS = 45
"""No call lasts longer: hosts give up at 60 s, and a call that a host gave up on tells nobody anything."""

MARGIN_SECONDS = 2.0
"""The part of a call's time that is kept to put its answer together and send it."""


def seconds_left() -> float:
    """Return how many seconds the current call may still wait, less the margin for its answer."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return max(min(left, CALL_SECONDS) - MARGIN_SECONDS, 0)
