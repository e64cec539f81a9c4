"""The database of an org: transactions, connections, and tables of older versions."""

import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from salesforce_emulator.storage.database import MAX_IDLE_CONNECTIONS, Database, create_table
from tests.salesforce_emulator.behaviours import own

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
LONG = ENDLESS.replace("FROM n)", "FROM n WHERE i < 200000)")


@own
def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with database.writing() as connection:
        create_table(connection, "note", {"text": "TEXT"})
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute("INSERT INTO note VALUES ('half')")
        _ = 1 // 0
    with database.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM note").fetchone()[0] == 0
    database.close()


@own
def test_a_table_of_an_older_version_gains_columns_and_keeps_its_rows(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with database.writing() as connection:
        create_table(connection, "note", {"text": "TEXT"})
        connection.execute("INSERT INTO note VALUES ('old')")
        create_table(connection, "note", {"text": "TEXT", "size": "INTEGER NOT NULL DEFAULT 3"})
        assert tuple(connection.execute("SELECT text, size FROM note").fetchone()) == ("old", 3)
    database.close()


@own
def test_a_connection_that_gave_up_a_query_answers_the_next_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with pytest.raises(sqlite3.OperationalError, match="interrupted"), database.reading(given_up=lambda: True) as first:
        first.execute(ENDLESS)
    with database.reading() as second:
        assert second is first
        assert second.execute(LONG).fetchone()[0] == 200_000
    database.close()


@own
def test_an_org_keeps_only_some_connections_to_its_database_when_many_were_needed(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    with ExitStack() as many:
        used = [many.enter_context(database.reading()) for _ in range(3 * MAX_IDLE_CONNECTIONS)]
    still_open = 0
    for connection in used:
        with suppress(sqlite3.ProgrammingError):
            still_open += connection.execute("SELECT 1").fetchone()[0]
    assert still_open == MAX_IDLE_CONNECTIONS
    database.close()
