"""The tables of the org's objects: one table per object, which follows the schema that the org is opened with."""

import hashlib
import random
import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from salesforce_emulator import ids
from salesforce_emulator.config import USER_ID
from salesforce_emulator.schema.model import Field, Schema, SObject, StoredValue
from salesforce_emulator.schema.schema_file import SchemaError
from salesforce_emulator.storage.database import BEYOND_ASCII
from salesforce_emulator.storage.organization import organization_id
from salesforce_emulator.storage.standard_records import standard_records

FOLDED = ".folded"
"""The end of the name of an index of keys in lower case."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables that describe the org's object tables; `apply_schema` creates the object tables."""
    for table in (
        "sequence (prefix TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
        "custom_object (name TEXT PRIMARY KEY COLLATE NOCASE, prefix TEXT NOT NULL UNIQUE)",
        "custom_field (object TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, holds TEXT NOT NULL,"
        " PRIMARY KEY (object, name)) WITHOUT ROWID",
        "schema_change (digest TEXT PRIMARY KEY, at TEXT NOT NULL)",
    ):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")


def apply_schema(
    connection: sqlite3.Connection, schema: Schema, seed: int | None, now: str, *, sandbox: bool
) -> Schema:
    """Create what the org lacks of this schema: tables, columns, id sequences and the records of a new org.

    Args:
        connection: a connection with an open write transaction.
        schema: the schema that the org is opened with.
        seed: makes the first ids repeat; None draws them at random.
        now: the current time, as the REST API prints it.
        sandbox: whether a new org is a sandbox.

    Returns:
        The schema with the key prefixes that custom objects have in this org.

    Raises:
        SchemaError: a custom field would have to hold values of another type than those that the org has stored.
    """
    schema = Schema([_with_prefix(connection, schema[name]) for name in schema])
    for prefix in (ids.JOB_PREFIX, *(schema[name].keyPrefix for name in schema)):
        start = random.Random(None if seed is None else f"{seed} {prefix}").randrange(ids.FIRST_SERIALS)
        connection.execute("INSERT OR IGNORE INTO sequence VALUES (?, ?)", (prefix, start))
    for name in schema:
        _check_field_types(connection, schema[name])
        _create_object_table(connection, schema[name])
    for name, records in standard_records(organization_id(connection), sandbox=sandbox).items():
        for record in records:
            _create_standard_record(connection, schema[name], record, now)
    _note_change(connection, schema, now)
    return schema


def count_unnamed(connection: sqlite3.Connection, schema: Schema) -> tuple[int, int]:
    """Count the custom objects and fields that the org has and the schema does not name.

    Returns:
        The number of custom objects, and the number of custom fields of the objects that the schema does name.
    """
    objects = connection.execute("SELECT name FROM custom_object").fetchall()
    fields = connection.execute("SELECT object, name FROM custom_field").fetchall()
    return (
        sum(row["name"] not in schema for row in objects),
        sum(row["object"] in schema and schema[row["object"]].field(row["name"]) is None for row in fields),
    )


def schema_changed_at(connection: sqlite3.Connection) -> str:
    """Return when the org's schema last changed, as the REST API prints times."""
    at: str = connection.execute("SELECT at FROM schema_change").fetchone()["at"]
    return at


def _with_prefix(connection: sqlite3.Connection, sobject: SObject) -> SObject:
    """Return the object with its key prefix: custom objects get a00, a01 and so on in the order of their creation."""
    if not sobject.custom:
        return sobject
    known = connection.execute("SELECT prefix FROM custom_object WHERE name = ?", (sobject.name,)).fetchone()
    if known is None:
        count: int = connection.execute("SELECT COUNT(*) FROM custom_object").fetchone()[0]
        high, low = divmod(count, len(ids.DIGITS))
        known = {"prefix": f"a{ids.DIGITS[high]}{ids.DIGITS[low]}"}
        connection.execute("INSERT INTO custom_object VALUES (?, ?)", (sobject.name, known["prefix"]))
    return replace(sobject, keyPrefix=known["prefix"])


def _check_field_types(connection: sqlite3.Connection, sobject: SObject) -> None:
    """Refuse a custom field that would hold values of another type than those that the org has stored in it."""
    for field in sobject.fields:
        if not field.custom:
            continue
        holds = _held_by(field)
        key = (sobject.name, field.name)
        connection.execute("INSERT OR IGNORE INTO custom_field VALUES (?, ?, ?)", (*key, holds))
        statement = "SELECT holds FROM custom_field WHERE object = ? AND name = ?"
        held = connection.execute(statement, key).fetchone()["holds"]
        if held != holds:
            raise SchemaError(
                f"{sobject.name}.{field.name} holds {held} in this org and can't become {holds};"
                " give the new field another name, or start a new org in another folder",
                *("objects", sobject.name, "fields", field.name),
            )


def _held_by(field: Field) -> str:
    """Return what a custom field holds, which it can't change once it is there."""
    if field.referenceTo:
        return f"reference to {', '.join(field.referenceTo)}"
    return "auto-number" if field.autoNumber else field.field_type.holds


def _create_object_table(connection: sqlite3.Connection, sobject: SObject) -> None:
    table = sobject.name
    stored_first = sorted(sobject.fields, key=lambda field: field.formula is not None)
    # All columns at once: each column that is added later costs a millisecond, and a new org has hundreds.
    columns = ", ".join(["_serial INTEGER PRIMARY KEY", *map(_column_declaration, stored_first)])
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" ({columns})')
    _drop_changed_formulas(connection, sobject)
    present = _columns(connection, table)
    for field in stored_first:
        if field.name.lower() not in present:
            connection.execute(f'ALTER TABLE "{table}" ADD COLUMN {_column_declaration(field)}')
        if field.idLookup or field.unique:
            _create_indexes(connection, table, field)
    # This index costs an insert nothing, and a count of the live records need not read every record.
    deleted = f'CREATE INDEX IF NOT EXISTS "{table}.deleted" ON "{table}" (IsDeleted) WHERE IsDeleted'
    connection.execute(deleted)


def _drop_changed_formulas(connection: sqlite3.Connection, sobject: SObject) -> None:
    """Drop the columns whose formula is not the one of the schema, which holds for records that are there, too."""
    statement = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE"
    created: str = connection.execute(statement, (sobject.name,)).fetchone()["sql"]
    unknown = [field for field in sobject.fields if field.formula and _column_declaration(field) not in created]
    if not unknown:
        return  # as at nearly every start
    present = _columns(connection, sobject.name)
    for field in unknown:
        if field.name.lower() in present:
            for suffix in ("", FOLDED):
                connection.execute(f'DROP INDEX IF EXISTS "{sobject.name}.{field.name}{suffix}"')
            connection.execute(f'ALTER TABLE "{sobject.name}" DROP COLUMN "{field.name}"')


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns, in lower case."""
    return {row["name"].lower() for row in connection.execute(f'PRAGMA table_xinfo("{table}")')}


def _create_indexes(connection: sqlite3.Connection, table: str, field: Field) -> None:
    """Create the indexes by which records are found by their key, as `ids_by_value` looks for it."""
    unique, column = "UNIQUE" if field.type == "id" else "", f'"{field.name}"'
    connection.execute(f'CREATE {unique} INDEX IF NOT EXISTS "{table}.{field.name}" ON "{table}" ({column})')
    if field.field_type.holds == "text" and not field.keys_differ_in_case:
        # The index of the column finds letters beyond ASCII in their own case alone.
        index = f'CREATE INDEX IF NOT EXISTS "{table}.{field.name}{FOLDED}" ON "{table}" (folded({column}))'
        connection.execute(f"{index} WHERE {column} GLOB '{BEYOND_ASCII}'")


def _create_standard_record(
    connection: sqlite3.Connection, sobject: SObject, record: Mapping[str, StoredValue], now: str
) -> None:
    """Create a record that every org has, or fill in the fields that it lacks since an older version created it."""
    stamps = {"IsDeleted": 0, "CreatedById": USER_ID, "LastModifiedById": USER_ID}
    stamps |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
    values = {**stamps, **record}
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    kept = ", ".join(f'"{name}" = coalesce("{name}", :{name})' for name in record)
    statement = f'INSERT INTO "{sobject.name}" ({names}) VALUES ({marks}) ON CONFLICT (Id) DO UPDATE SET {kept}'
    connection.execute(statement, values)


def _note_change(connection: sqlite3.Connection, schema: Schema, now: str) -> None:
    digest = hashlib.sha256(repr([schema[name] for name in schema]).encode()).hexdigest()
    connection.execute("DELETE FROM schema_change WHERE digest <> ?", (digest,))
    connection.execute("INSERT OR IGNORE INTO schema_change VALUES (?, ?)", (digest, now))


def _column_declaration(field: Field) -> str:
    declared = f'"{field.name}" {field.field_type.column}'
    if field.formula:
        return f"{declared} GENERATED ALWAYS AS ({field.formula}) VIRTUAL"
    # A boolean is never null, not even in records that are older than the field.
    return f"{declared} DEFAULT {int(bool(field.default))}" if field.type == "boolean" else declared
