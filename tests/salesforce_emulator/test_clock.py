"""Times, as the REST API prints them."""

from datetime import UTC, datetime, timedelta

from salesforce_emulator.clock import from_rest_time, rest_time, utc_now
from tests.salesforce_emulator.behaviours import own, seen

MOMENT = datetime(2026, 3, 4, 9, 15, 27, 123_456, tzinfo=UTC)


@seen("captured bodies: milliseconds, and an offset without a colon")
def test_a_time_is_printed_with_milliseconds_and_an_offset_without_a_colon() -> None:
    assert rest_time(MOMENT) == "2026-03-04T09:15:27.123+0000"
    assert rest_time(MOMENT.replace(microsecond=0)) == "2026-03-04T09:15:27.000+0000"


@own
def test_a_printed_time_is_read_as_the_same_moment_to_the_millisecond() -> None:
    assert from_rest_time(rest_time(MOMENT)) == MOMENT.replace(microsecond=123_000)


@own
def test_printed_times_sort_as_the_moments_do() -> None:
    moments = [MOMENT + timedelta(days=days, milliseconds=days) for days in (-400, -1, 0, 1, 400)]
    assert sorted(map(rest_time, moments)) == [rest_time(moment) for moment in moments]


@own
def test_the_clock_of_an_org_that_is_given_none_is_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)
