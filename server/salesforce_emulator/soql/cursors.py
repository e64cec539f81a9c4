"""The stored results of queries that do not fit on one page, so that later pages show what the first query found."""

import sqlite3
from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta

from salesforce_emulator.clock import rest_time
from salesforce_emulator.soql.query import Serials

LIFETIME = timedelta(days=2)
"""The time for which a query locator can be followed (documented)."""

MAX_CURSORS = 10
"""The most queries of a user whose locators can be followed (SOAP API guide, queryMore())."""

SERIAL_BYTES = 8
"""The size of a stored serial number."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the table of query results."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS query_result"
        " (id INTEGER PRIMARY KEY, soql TEXT NOT NULL, at TEXT NOT NULL, serials BLOB NOT NULL)"
    )


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The position of a page in a stored query result.

    Attributes:
        cursor: the number of the stored result.
        start: the index of the page's first record in the result.
        size: the largest number of records of the page.
    """

    cursor: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class QueryPage:
    """A page of a stored query result.

    Attributes:
        soql: the text of the query.
        total: the number of records in the whole result.
        serials: the serial numbers of the records of the page.
    """

    soql: str
    total: int
    serials: Serials


def store_result(connection: sqlite3.Connection, soql: str, serials: Serials, now: datetime) -> int:
    """Store the result of a query, and delete the results that are too old or too many.

    Returns:
        The number of the stored result, for a PagePosition.
    """
    statement = "INSERT INTO query_result (soql, at, serials) VALUES (?, ?, ?)"
    cursor = connection.execute(statement, (soql, rest_time(now), serials.tobytes())).lastrowid
    assert cursor is not None
    statement = "DELETE FROM query_result WHERE at < ? OR id <= ?"
    connection.execute(statement, (rest_time(now - LIFETIME), cursor - MAX_CURSORS))
    return cursor


def load_page(connection: sqlite3.Connection, position: PagePosition, now: datetime) -> QueryPage | None:
    """Return the page at this position; None if its result has been deleted, has expired or is shorter."""
    statement = (
        f"SELECT soql, length(serials) / {SERIAL_BYTES} AS total, substr(serials, ?, ?) AS page FROM query_result"
        " WHERE id = ? AND at >= ?"
    )
    first_byte, byte_count = position.start * SERIAL_BYTES + 1, position.size * SERIAL_BYTES
    row = connection.execute(statement, (first_byte, byte_count, position.cursor, rest_time(now - LIFETIME))).fetchone()
    if row is None or not row["page"]:
        return None
    return QueryPage(row["soql"], row["total"], array("q", row["page"]))
