"""The records of the org: one table per object, and the questions that are asked of it."""

import random
import sqlite3
from collections.abc import Iterable

from .. import ids
from ..config import USER_ID, USERNAME
from ..schema.model import Field, Schema, SObject, Stored

ME = "$me"  # the default of fields that hold the user's own id
AFFINITIES = {"boolean": "INTEGER", "int": "INTEGER", "double": "REAL", "currency": "REAL", "percent": "REAL"}

SEQUENCES = "CREATE TABLE IF NOT EXISTS sequence (prefix TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID"


def create_tables(connection: sqlite3.Connection, schema: Schema, seed: int | None, now: str) -> None:
    """Make what is missing: tables, columns that the schema has gained, id sequences and the org's user."""
    connection.execute(SEQUENCES)
    start = random.Random(seed)
    for prefix in ("750", *(schema[name].keyPrefix for name in schema)):
        connection.execute("INSERT OR IGNORE INTO sequence VALUES (?, ?)", (prefix, start.randrange(ids.FIRST_SERIALS)))
    for name in schema:
        _create_table(connection, schema[name])
    connection.execute(
        'INSERT OR IGNORE INTO "User" (Id, Username, LastName, Email, Alias, IsActive, IsDeleted, CreatedDate,'
        " CreatedById, LastModifiedDate, LastModifiedById, SystemModstamp)"
        " VALUES (:id, :name, 'Administrator', :name, 'admin', 1, 0, :now, :id, :now, :id, :now)",
        {"id": USER_ID, "name": USERNAME, "now": now},
    )


def _create_table(connection: sqlite3.Connection, sobject: SObject) -> None:
    table = sobject.name
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" (_serial INTEGER PRIMARY KEY)')
    present = {row["name"] for row in connection.execute(f'PRAGMA table_xinfo("{table}")')}
    stored_first = sorted(sobject.fields, key=lambda field: field.formula is not None)
    for field in stored_first:
        if field.name not in present:
            connection.execute(f'ALTER TABLE "{table}" ADD COLUMN {_column(field)}')
        if field.idLookup and not field.formula:
            unique = "UNIQUE" if field.type == "id" else ""
            index = f'CREATE {unique} INDEX IF NOT EXISTS "{table}.{field.name}" ON "{table}" ("{field.name}")'
            connection.execute(index)
    # Costs an insert nothing, and spares a count of the live records the reading of all of them.
    deleted = f'CREATE INDEX IF NOT EXISTS "{table}.deleted" ON "{table}" (IsDeleted) WHERE IsDeleted'
    connection.execute(deleted)


def _column(field: Field) -> str:
    # Salesforce compares text without regard to case, ids with it.
    collation = "" if field.type in ("id", "reference") else " COLLATE NOCASE"
    formula = f" GENERATED ALWAYS AS ({field.formula}) VIRTUAL" if field.formula else ""
    return f'"{field.name}" {AFFINITIES.get(field.type, "TEXT" + collation)}{formula}'


def next_serials(connection: sqlite3.Connection, prefix: str, count: int) -> int:
    """Reserve running numbers for ids and return the first; the caller holds the write lock."""
    statement = "UPDATE sequence SET next = next + ? WHERE prefix = ? RETURNING next"
    after: int = connection.execute(statement, (count, prefix)).fetchone()["next"]
    return after - count


def deletion_of(connection: sqlite3.Connection, sobject: SObject, record_ids: Iterable[str]) -> dict[str, bool]:
    """Which of these records exist, each with whether it is in the recycle bin."""
    wanted = list(dict.fromkeys(record_ids))
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f'SELECT Id, IsDeleted FROM "{sobject.name}" WHERE Id IN ({marks})', wanted)
    return {row["Id"]: bool(row["IsDeleted"]) for row in rows}


def matches(
    connection: sqlite3.Connection, sobject: SObject, field: Field, values: Iterable[Stored]
) -> dict[Stored, list[str]]:
    """The ids of the live records that hold each of these values, keyed as `fold` keys them."""
    wanted = list(dict.fromkeys(values))
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(
        f'SELECT "{field.name}" AS value, Id FROM "{sobject.name}"'
        f' WHERE "{field.name}" IN ({marks}) AND NOT IsDeleted ORDER BY _serial',
        wanted,
    )
    found: dict[Stored, list[str]] = {}
    for row in rows:
        found.setdefault(fold(row["value"]), []).append(row["Id"])
    return found


def fold(value: Stored) -> Stored:
    """Make values equal that the database takes for equal: its NOCASE folds the letters of ASCII only."""
    if not isinstance(value, str):
        return value
    return value.lower() if value.isascii() else value.encode().lower().decode()  # bytes, too, fold only ASCII


def json_value(field: Field, value: Stored) -> object:
    """A stored value as the REST API prints it in JSON."""
    return bool(value) if field.type == "boolean" and value is not None else value
