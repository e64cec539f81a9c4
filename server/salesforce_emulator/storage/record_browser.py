"""The queries of the org's web pages and of single records: cheap however many records an object has."""

import sqlite3
from contextlib import closing

from salesforce_emulator.schema.model import SObject

MAX_RECORDS_READ = 5_000
"""The largest number of records, deleted ones among them, that are read for one page."""


def count_live(connection: sqlite3.Connection, sobject: SObject) -> int:
    """Return the number of records that are not in the recycle bin.

    The statement scans two indexes: that of the ids, and the small index of the deleted records. A count with a
    condition would read every record.
    """
    table = f'"{sobject.name}"'
    statement = f"SELECT (SELECT COUNT(*) FROM {table}) - (SELECT COUNT(*) FROM {table} WHERE IsDeleted)"
    live: int = connection.execute(statement).fetchone()[0]
    return live


def newest(
    connection: sqlite3.Connection, sobject: SObject, before: int | None, size: int
) -> tuple[list[sqlite3.Row], int | None]:
    """Return a page of live records, newest first.

    The page is shorter than `size` where many records are deleted, since at most MAX_RECORDS_READ records are read.

    Args:
        connection: a connection to the org.
        sobject: the object whose records are listed.
        before: the serial number that the page begins below, as an earlier call returned it; None for the first page.
        size: the largest number of records of the page.

    Returns:
        The page, and the `before` of the next page if there may be one.
    """
    statement = f'SELECT * FROM "{sobject.name}" WHERE _serial < ? ORDER BY _serial DESC LIMIT ?'
    page: list[sqlite3.Row] = []
    last_read = before
    parameters = (before if before is not None else 2**62, MAX_RECORDS_READ + 1)
    with closing(connection.execute(statement, parameters)) as rows:
        for number, row in enumerate(rows):
            if len(page) == size or number == MAX_RECORDS_READ:
                return page, last_read
            last_read = row["_serial"]
            if not row["IsDeleted"]:
                page.append(row)
    return page, None


def find(connection: sqlite3.Connection, sobject: SObject, record_id: str | None) -> sqlite3.Row | None:
    """Return the record with this id, even if it is in the recycle bin; None if there is none."""
    statement = f'SELECT * FROM "{sobject.name}" WHERE Id = ?'
    row: sqlite3.Row | None = connection.execute(statement, (record_id,)).fetchone()
    return row
