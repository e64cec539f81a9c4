"""What someone asks who looks at the records: questions that stay cheap however many there are."""

import sqlite3
from contextlib import closing

from salesforce_emulator.schema.model import SObject

MOST_READ = 5_000  # records that one page reads at most, deleted ones among them


def count_live(connection: sqlite3.Connection, sobject: SObject) -> int:
    """How many records there are, those in the recycle bin left out.

    Two scans of indexes: the small one of ids, and the one that holds only what is deleted. A count with a condition
    would read every record.
    """
    table = f'"{sobject.name}"'
    statement = f"SELECT (SELECT COUNT(*) FROM {table}) - (SELECT COUNT(*) FROM {table} WHERE IsDeleted)"
    live: int = connection.execute(statement).fetchone()[0]
    return live


def newest(
    connection: sqlite3.Connection, sobject: SObject, before: int | None, size: int
) -> tuple[list[sqlite3.Row], int | None]:
    """A page of live records, newest first; a short one where many are deleted, since it reads at most MOST_READ.

    Args:
        connection: to the org.
        sobject: whose records.
        before: the running number that the page ends above, as an earlier page handed it out.
        size: how many records a page holds.

    Returns:
        The page, and the `before` of the next one if there may be more.
    """
    statement = f'SELECT * FROM "{sobject.name}" WHERE _serial < ? ORDER BY _serial DESC LIMIT ?'
    page: list[sqlite3.Row] = []
    last_read = before
    parameters = (before if before is not None else 2**62, MOST_READ + 1)
    with closing(connection.execute(statement, parameters)) as rows:
        for number, row in enumerate(rows):
            if len(page) == size or number == MOST_READ:
                return page, last_read
            last_read = row["_serial"]
            if not row["IsDeleted"]:
                page.append(row)
    return page, None


def find(connection: sqlite3.Connection, sobject: SObject, record_id: str | None) -> sqlite3.Row | None:
    """The record of this id, even if it is in the recycle bin."""
    statement = f'SELECT * FROM "{sobject.name}" WHERE Id = ?'
    row: sqlite3.Row | None = connection.execute(statement, (record_id,)).fetchone()
    return row
