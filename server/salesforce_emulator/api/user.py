"""The one user of the org, as its record is at the moment."""

import sqlite3
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from salesforce_emulator.config import USER_ID
from salesforce_emulator.org import Org
from salesforce_emulator.storage.record_browser import find


def running_user(org: Org) -> sqlite3.Row:
    """The record of the user that all callers are; it can't be deleted."""
    with org.database.reading() as connection:
        user = find(connection, org.schema["User"], USER_ID)
    assert user is not None
    return user


def utc_offset(time_zone: str, now: datetime) -> int:
    """Milliseconds between the standard time of a zone and UTC; 0 for a name that this machine doesn't know (assumed).

    Salesforce Help, Identity URLs: its sample tells Los Angeles' winter time in summer.
    """
    try:
        local = now.astimezone(ZoneInfo(time_zone))
    except (KeyError, ValueError, OSError):
        return 0
    return ((local.utcoffset() or timedelta()) - (local.dst() or timedelta())) // timedelta(milliseconds=1)
