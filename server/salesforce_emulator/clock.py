"""The time of day, as the org reads and prints it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time of day in UTC; the default of every clock here."""
    return datetime.now(UTC)


def rest_time(moment: datetime) -> str:
    """The time as the REST API prints it: milliseconds, and an offset without a colon. Texts sort as their times do."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "+0000"


def from_rest_time(text: str) -> datetime:
    """The moment that `rest_time` printed."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
