"""The SQLite file of the org: connections, and transactions that two processes can run side by side."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 30.0  # how long a writer waits for the writer before it
IDLE = 8  # connections that are kept when not in use; each holds on to its cache
STEPS = 100_000  # of SQLite's machine, some milliseconds, between two looks at whether a statement is still wanted


class Database:
    """A pool of connections to one file; each is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []  # append and pop of a list are atomic

    @contextmanager
    def reading(self, given_up: Callable[[], bool] | None = None) -> Iterator[sqlite3.Connection]:
        """A connection for single statements, each its own transaction.

        Args:
            given_up: whether the result is not wanted any more; the statement then ends with an OperationalError.
        """
        connection = self._idle.pop() if self._idle else self._open()
        connection.set_progress_handler(given_up, STEPS)
        try:
            yield connection
        finally:
            connection.set_progress_handler(None, STEPS)
            if len(self._idle) < IDLE:
                self._idle.append(connection)
            else:
                connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its start, so that what it reads stays true until it ends."""
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
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # survives the death of the process, which is what we promise
        return connection


def create_table(connection: sqlite3.Connection, name: str, columns: Mapping[str, str]) -> None:
    """Make a table of these columns with their declarations, or add what an older version of it lacks."""
    declarations = ", ".join(f"{column} {declaration}" for column, declaration in columns.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({declarations})")
    present = {row["name"] for row in connection.execute(f"PRAGMA table_info({name})")}
    for column, declaration in columns.items():
        if column not in present:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} {declaration}")
