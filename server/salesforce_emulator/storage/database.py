"""The SQLite file of the org: a pool of connections, and transactions that two processes can run side by side."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 30.0
"""The longest time that a writer waits for the write lock."""

BEYOND_ASCII = "*[^\x01-\x7f]*"
"""The pattern, for GLOB, of texts with other characters than those of ASCII."""

MAX_IDLE_CONNECTIONS = 8
"""The number of unused connections that stay open; each of them holds on to its page cache."""

PROGRESS_STEPS = 100_000
"""The number of SQLite virtual machine instructions, some milliseconds of work, between two calls of `given_up`."""


class Database:
    """A pool of connections to one SQLite file; each connection is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []  # needs no lock: append and pop of a list are atomic

    @contextmanager
    def reading(self, given_up: Callable[[], bool] | None = None) -> Iterator[sqlite3.Connection]:
        """Lend a connection for single statements, each of which is a transaction of its own.

        Args:
            given_up: returns whether the result is no longer wanted; a statement that is running then ends with an
                OperationalError.
        """
        connection = self._idle.pop() if self._idle else self._open()
        connection.set_progress_handler(given_up, PROGRESS_STEPS)
        try:
            yield connection
        finally:
            connection.set_progress_handler(None, PROGRESS_STEPS)
            if len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction, which commits at its end and rolls back if it raises.

        The transaction holds the write lock from its start, so that what it reads stays true until it ends.
        """
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        # SQLite's own lower() and NOCASE know the letters of ASCII alone.
        connection.create_function("folded", 1, _folded, deterministic=True)
        connection.execute("PRAGMA journal_mode = WAL")
        # A commit has to survive the death of the process, and no more.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def create_table(connection: sqlite3.Connection, name: str, columns: Mapping[str, str]) -> None:
    """Create a table, or add the columns that the table of an older version lacks.

    Args:
        connection: a connection with an open write transaction.
        name: the name of the table.
        columns: the SQL declaration of each column by the column's name.
    """
    declarations = ", ".join(f"{column} {declaration}" for column, declaration in columns.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({declarations})")
    present = {row["name"] for row in connection.execute(f"PRAGMA table_info({name})")}
    for column, declaration in columns.items():
        if column not in present:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} {declaration}")


def _folded(text: str | None) -> str | None:
    return text and text.lower()
