"""The user that every caller of the org is, and the offset of its time zone."""

import sqlite3
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from salesforce_emulator.config import USER_ID
from salesforce_emulator.org import Org
from salesforce_emulator.storage.record_browser import find


def running_user(org: Org) -> sqlite3.Row:
    """Return the record of the org's only user, which can't be deleted."""
    with org.database.reading() as connection:
        user = find(connection, org.schema["User"], USER_ID)
    assert user is not None
    return user


def utc_offset(time_zone: str, now: datetime) -> int:
    """Return the offset of a zone's standard time from UTC in milliseconds; assumed: 0 for an unknown zone.

    The offset ignores daylight saving time: the sample in Salesforce Help, Identity URLs, has the winter offset of Los
    Angeles in summer.
    """
    try:
        local = now.astimezone(ZoneInfo(time_zone))
    except (KeyError, ValueError, OSError):
        return 0
    return ((local.utcoffset() or timedelta()) - (local.dst() or timedelta())) // timedelta(milliseconds=1)
