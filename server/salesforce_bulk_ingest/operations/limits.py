"""How long a call may last."""

import anyio

CALL_SECONDS = 45
"""The longest time of a call: hosts give up at 60 s, and then nobody reads the answer."""

MARGIN_SECONDS = 2.0
"""The part of a call's time that is reserved for making and sending its answer."""

RECORDS_SECONDS = 25.0
"""How long the org is asked for what records hold: less than a call may take, so that there is time to close the job, or to
make one and wait for its rows, and what was seen by then is told."""


def seconds_left() -> float:
    """Return how many seconds the current call may still wait, less the margin for its answer."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return max(min(left, CALL_SECONDS) - MARGIN_SECONDS, 0)
