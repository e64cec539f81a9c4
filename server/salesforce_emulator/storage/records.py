"""The records of the org, in the table of their object: serial numbers for new ones, and lookups by id and by value."""

import json
import sqlite3
from collections.abc import Iterable

from salesforce_emulator.schema.model import Field, SObject, StoredValue


def next_serials(connection: sqlite3.Connection, prefix: str, count: int) -> int:
    """Reserve serial numbers for new ids.

    Args:
        connection: a connection with an open write transaction.
        prefix: the key prefix of the ids.
        count: the number of serial numbers to reserve.

    Returns:
        The first of the reserved numbers.
    """
    statement = "UPDATE sequence SET next = next + ? WHERE prefix = ? RETURNING next"
    after: int = connection.execute(statement, (count, prefix)).fetchone()["next"]
    return after - count


def deletion_by_id(connection: sqlite3.Connection, sobject: SObject, record_ids: Iterable[str]) -> dict[str, bool]:
    """Return the ids of the records that exist, each with whether its record is in the recycle bin."""
    wanted = list(dict.fromkeys(record_ids))
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f'SELECT Id, IsDeleted FROM "{sobject.name}" WHERE Id IN ({marks})', wanted)
    return {row["Id"]: bool(row["IsDeleted"]) for row in rows}


def ids_by_value(
    connection: sqlite3.Connection, sobject: SObject, field: Field, values: Iterable[StoredValue]
) -> dict[StoredValue, list[str]]:
    """Return the ids of the live records that hold each of these values in the field, keyed by the folded value."""
    wanted = list(dict.fromkeys(values))
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(
        f'SELECT "{field.name}" AS value, Id FROM "{sobject.name}"'
        f' WHERE "{field.name}" IN ({marks}) AND NOT IsDeleted ORDER BY _serial',
        wanted,
    )
    found: dict[StoredValue, list[str]] = {}
    for row in rows:
        found.setdefault(fold(row["value"]), []).append(row["Id"])
    return found


def fold(value: StoredValue) -> StoredValue:
    """Return the same key for all values that the database compares as equal.

    The database compares text by the collation NOCASE, which folds the letters of ASCII only.
    """
    if not isinstance(value, str):
        return value
    return value.lower() if value.isascii() else value.encode().lower().decode()  # bytes.lower() folds only ASCII, too


def json_value(field: Field, value: StoredValue) -> object:
    """Return a stored value as the REST API shows it in JSON."""
    if value is None:
        return None
    if field.field_type.holds == "compound":
        return json.loads(str(value))
    return bool(value) if field.type == "boolean" else value
