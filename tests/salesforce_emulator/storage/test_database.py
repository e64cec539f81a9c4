"""The database of an org: transactions, and tables of older versions."""

import sqlite3
from pathlib import Path

import pytest

from salesforce_emulator.storage.database import Database, create_table
from tests.salesforce_emulator.behaviours import own


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
def test_a_statement_whose_result_is_not_wanted_any_more_ends(tmp_path: Path) -> None:
    database = Database(tmp_path / "org.sqlite")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(sqlite3.OperationalError), database.reading(given_up=lambda: True) as connection:
        connection.execute(endless).fetchone()
    with database.reading() as connection:
        assert connection.execute("SELECT 1").fetchone()[0] == 1
    database.close()
