"""The clock of this machine."""

import time

from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK


def test_the_clock_of_the_machine_tells_the_time_and_runs_on() -> None:
    assert abs(SYSTEM_CLOCK.now() - time.time()) < 60
    assert SYSTEM_CLOCK.monotonic() <= SYSTEM_CLOCK.monotonic()
