"""The clock of the org, and the format in which the REST API prints times."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time in UTC; the default clock of an org."""
    return datetime.now(UTC)


def rest_time(moment: datetime) -> str:
    """Return the time as the REST API prints it: with milliseconds, and `+0000` as its offset.

    The texts sort in the order of their times.
    """
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "+0000"


def from_rest_time(text: str) -> datetime:
    """Return the time in a text that `rest_time` has made."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
