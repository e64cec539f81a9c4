"""The records of the org, in the table of their object: serial numbers for new ones, and lookups by id and by value."""

import json
import sqlite3
from collections.abc import Collection, Iterable

from salesforce_emulator.schema.model import Field, SObject, StoredValue
from salesforce_emulator.storage.database import BEYOND_ASCII


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
    """Return the ids of the live records that hold each of these values in the field, keyed by `record_key`."""
    wanted = set(values)
    rows = _live_records(connection, sobject, field, f'"{field.name}"', wanted)
    if field.keys_differ_in_case:
        rows = {row for row in rows if row[2] in wanted}  # the database compares the letters of ASCII in any case
    elif beyond_ascii := {value.lower() for value in wanted if isinstance(value, str) and not value.isascii()}:
        folded = f'"{field.name}" GLOB \'{BEYOND_ASCII}\' AND folded("{field.name}")'
        rows |= _live_records(connection, sobject, field, folded, beyond_ascii)
    found: dict[StoredValue, list[str]] = {}
    for _, record_id, value in sorted(rows):
        found.setdefault(record_key(field, value), []).append(record_id)
    return found


def _live_records(
    connection: sqlite3.Connection, sobject: SObject, field: Field, key: str, wanted: Collection[StoredValue]
) -> set[tuple[int, str, StoredValue]]:
    """Return the serial number, the id and the value of the live records whose key, an SQL expression, is a wanted one."""
    marks = ", ".join("?" * len(wanted))
    return {
        tuple(row)
        for row in connection.execute(
            f'SELECT _serial, Id, "{field.name}" FROM "{sobject.name}" WHERE {key} IN ({marks}) AND NOT IsDeleted',
            tuple(wanted),
        )
    }


def record_key(field: Field, value: StoredValue) -> StoredValue:
    """Return the same key for all values of a field that name one record; assumed: the case of any letter is ignored."""
    return value if field.keys_differ_in_case or not isinstance(value, str) else value.lower()


def json_value(field: Field, value: StoredValue) -> object:
    """Return a stored value as the REST API shows it in JSON."""
    if value is None:
        return None
    if field.field_type.holds == "compound":
        return json.loads(str(value))
    return bool(value) if field.type == "boolean" else value
