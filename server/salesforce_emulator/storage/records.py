"""The records of the org: one table per object, and the questions that are asked of it."""

import hashlib
import random
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace

from salesforce_emulator import ids
from salesforce_emulator.config import USER_ID
from salesforce_emulator.schema.custom import SchemaError
from salesforce_emulator.schema.model import Field, Schema, SObject, Stored
from salesforce_emulator.storage.standard_records import STANDING


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of what the org knows of its records; those of the records themselves are the schema's."""
    for table in (
        "sequence (prefix TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
        "custom_object (name TEXT PRIMARY KEY COLLATE NOCASE, prefix TEXT NOT NULL UNIQUE)",
        "custom_field (object TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL COLLATE NOCASE, holds TEXT NOT NULL,"
        " PRIMARY KEY (object, name)) WITHOUT ROWID",
        "schema_change (digest TEXT PRIMARY KEY, at TEXT NOT NULL)",
    ):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")


def settle(connection: sqlite3.Connection, schema: Schema, seed: int | None, now: str) -> Schema:
    """Make what the org lacks of this schema: tables, columns, id sequences and the records of a new org.

    Returns:
        The schema with the key prefixes that custom objects have in this org.

    Raises:
        SchemaError: a custom field of this org would have to hold what it can't.
    """
    schema = Schema([_with_prefix(connection, schema[name]) for name in schema])
    for prefix in (ids.JOB_PREFIX, *(schema[name].keyPrefix for name in schema)):
        start = random.Random(None if seed is None else f"{seed} {prefix}").randrange(ids.FIRST_SERIALS)
        connection.execute("INSERT OR IGNORE INTO sequence VALUES (?, ?)", (prefix, start))
    for name in schema:
        _keep_types(connection, schema[name])
        _create_table(connection, schema[name])
    for name, records in STANDING.items():
        for record in records:
            _keep_standing(connection, schema[name], record, now)
    _note_change(connection, schema, now)
    return schema


def hidden(connection: sqlite3.Connection, schema: Schema) -> tuple[int, int]:
    """How many custom objects, and custom fields of other objects, the org holds that the schema does not name."""
    objects = connection.execute("SELECT name FROM custom_object").fetchall()
    fields = connection.execute("SELECT object, name FROM custom_field").fetchall()
    return (
        sum(row["name"] not in schema for row in objects),
        sum(row["object"] in schema and schema[row["object"]].field(row["name"]) is None for row in fields),
    )


def changed_at(connection: sqlite3.Connection) -> str:
    """When the org's schema became what it is."""
    at: str = connection.execute("SELECT at FROM schema_change").fetchone()["at"]
    return at


def _with_prefix(connection: sqlite3.Connection, sobject: SObject) -> SObject:
    """Custom objects get a00, a01 and so on in the order in which the org came to know them, and keep them."""
    if not sobject.custom:
        return sobject
    known = connection.execute("SELECT prefix FROM custom_object WHERE name = ?", (sobject.name,)).fetchone()
    if known is None:
        count: int = connection.execute("SELECT COUNT(*) FROM custom_object").fetchone()[0]
        high, low = divmod(count, len(ids.DIGITS))
        known = {"prefix": f"a{ids.DIGITS[high]}{ids.DIGITS[low]}"}
        connection.execute("INSERT INTO custom_object VALUES (?, ?)", (sobject.name, known["prefix"]))
    return replace(sobject, keyPrefix=known["prefix"])


def _keep_types(connection: sqlite3.Connection, sobject: SObject) -> None:
    """Refuse a custom field that would hold other values than those which the org has stored in it."""
    for field in sobject.fields:
        if not field.custom:
            continue
        holds = f"reference to {', '.join(field.referenceTo)}" if field.referenceTo else field.kind.holds
        key = (sobject.name, field.name)
        connection.execute("INSERT OR IGNORE INTO custom_field VALUES (?, ?, ?)", (*key, holds))
        held = connection.execute("SELECT holds FROM custom_field WHERE object = ? AND name = ?", key).fetchone()[
            "holds"
        ]
        if held != holds:
            raise SchemaError(
                f"{sobject.name}.{field.name} holds {held} in this org and can't become {holds};"
                " give the new field another name, or start a new org in another folder",
                *("objects", sobject.name, "fields", field.name),
            )


def _create_table(connection: sqlite3.Connection, sobject: SObject) -> None:
    table = sobject.name
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{table}" (_serial INTEGER PRIMARY KEY)')
    present = {row["name"].lower() for row in connection.execute(f'PRAGMA table_xinfo("{table}")')}
    stored_first = sorted(sobject.fields, key=lambda field: field.formula is not None)
    for field in stored_first:
        if field.name.lower() not in present:
            connection.execute(f'ALTER TABLE "{table}" ADD COLUMN {_column(field)}')
        if (field.idLookup or field.unique) and not field.formula:
            unique = "UNIQUE" if field.type == "id" else ""
            index = f'CREATE {unique} INDEX IF NOT EXISTS "{table}.{field.name}" ON "{table}" ("{field.name}")'
            connection.execute(index)
    # Costs an insert nothing, and spares a count of the live records the reading of all of them.
    deleted = f'CREATE INDEX IF NOT EXISTS "{table}.deleted" ON "{table}" (IsDeleted) WHERE IsDeleted'
    connection.execute(deleted)


def _keep_standing(connection: sqlite3.Connection, sobject: SObject, record: Mapping[str, Stored], now: str) -> None:
    """Make a record that every org has, or fill in what it lacks since an older version made it."""
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


def _column(field: Field) -> str:
    declared = f'"{field.name}" {field.kind.column}'
    if field.formula:
        return f"{declared} GENERATED ALWAYS AS ({field.formula}) VIRTUAL"
    # A boolean is never null, not even in records that are older than the field.
    return f"{declared} DEFAULT {int(bool(field.default))}" if field.type == "boolean" else declared


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
