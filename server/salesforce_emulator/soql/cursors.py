"""What a query found that does not fit on one page, kept so that its pages stay what they are."""

import sqlite3
from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_emulator.clock import rest_time
from salesforce_emulator.soql.query import Serials

LIFETIME = timedelta(days=2)  # documented: how long a query locator can be followed
OPEN = 10  # documented: how many queries of a user can be followed (SOAP API guide, queryMore())
_BYTES = 8  # of a running number


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the table of queries that are kept."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS query_result"
        " (id INTEGER PRIMARY KEY, soql TEXT NOT NULL, at TEXT NOT NULL, serials BLOB NOT NULL)"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: the number of the kept query, and of the page's first record; and how many it may hold."""

    cursor: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Rest:
    """A page of an earlier query: its text, how many records it found, and those of this page."""

    soql: str
    total: int
    serials: Serials


def keep(connection: sqlite3.Connection, soql: str, serials: Serials, now: datetime) -> int:
    """Keep what a query found, and return the number to recall it by; what is too old or too much is forgotten."""
    statement = "INSERT INTO query_result (soql, at, serials) VALUES (?, ?, ?)"
    cursor = connection.execute(statement, (soql, rest_time(now), serials.tobytes())).lastrowid
    assert cursor is not None
    connection.execute("DELETE FROM query_result WHERE at < ? OR id <= ?", (rest_time(now - LIFETIME), cursor - OPEN))
    return cursor


def recall(connection: sqlite3.Connection, place: Place, now: datetime) -> Rest | None:
    """The page that begins there; None if there is no such query any more, or no such page."""
    statement = (
        f"SELECT soql, length(serials) / {_BYTES} AS total, substr(serials, ?, ?) AS page FROM query_result"
        " WHERE id = ? AND at >= ?"
    )
    values = (place.start * _BYTES + 1, place.size * _BYTES, place.cursor, rest_time(now - LIFETIME))
    row = connection.execute(statement, values).fetchone()
    if row is None or not row["page"]:
        return None
    return Rest(row["soql"], row["total"], array("q", row["page"]))
