"""The five operations on a chunk of rows: what each row must bring, and what it does to the records."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from salesforce_emulator import ids
from salesforce_emulator.config import USER_ID
from salesforce_emulator.errors import RowError
from salesforce_emulator.faults.active import Faults
from salesforce_emulator.processing.headers import ID_ONLY
from salesforce_emulator.processing.relationships import Lookups
from salesforce_emulator.processing.rows import Columns, Row
from salesforce_emulator.processing.validation_rules import Rules
from salesforce_emulator.processing.values import Cell, Value
from salesforce_emulator.schema.model import ME, Field, Schema, SObject, Stored
from salesforce_emulator.storage.records import deletion_of, fold, matches, next_serials


class Loader:
    """Saves the rows of one job, a chunk at a time, in transactions that the caller opens."""

    def __init__(
        self,
        schema: Schema,
        sobject: SObject,
        operation: str,
        key_name: str | None,
        columns: Columns,
        faults: Faults,
        started: datetime,
    ) -> None:
        self._schema = schema
        self._sobject = sobject
        self._operation = OPERATIONS[operation]
        self._key = sobject.field(key_name) if key_name else None
        self._columns = columns
        self._faults = faults
        self._lookups = Lookups(columns)
        self._rules = Rules(schema, sobject, started) if sobject.rules and operation not in ID_ONLY else None
        self._written = [
            (field, columns.written[field.name]) for field in sobject.fields if field.name in columns.written
        ]
        self._required = {field.name: columns.place(field.name) for field in sobject.fields if field.required}
        self._locked = {
            flag: [(field.name, place) for field, place in self._written if not getattr(field, flag)]
            for flag in ("createable", "updateable")
        }

    def save(self, connection: sqlite3.Connection, rows: Iterable[Row], now: str) -> None:
        """Do the job's operation with every row that has not failed; afterwards each has an id or an error."""
        sound = self._lookups.resolve(connection, [row for row in rows if row.error is None])
        if self._rules is None:
            self._operation(self, connection, sound, now)
        else:
            self._save_by_rules(connection, sound, now, self._rules)

    def _save_by_rules(self, connection: sqlite3.Connection, rows: list[Row], now: str, rules: Rules) -> None:
        """Save what the rules let pass: if they refuse a row, all are taken back and the others saved again.

        So does Salesforce (Apex developer guide, Bulk DML Exception Handling).
        """
        connection.execute("SAVEPOINT chunk")
        self._operation(self, connection, rows, now)
        if rules.refuse(connection, [row for row in rows if row.error is None]):
            connection.execute("ROLLBACK TO chunk")
            for row in rows:
                row.take_back()
            self._operation(self, connection, [row for row in rows if row.error is None], now)
        connection.execute("RELEASE chunk")

    # The operations.

    def _insert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        if self._columns.place("Id") is not None:
            rows = [row for row in rows if row.require(self._check_no_id)]
        self._create(connection, rows, now)

    def _update(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        self._change(connection, [row for row in rows if row.require(self._take_id)], now)

    def _upsert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        if self._key is None or self._key.name == "Id":
            known, new = self._split_by_id(rows)
        else:
            known, new = self._split_by_key(connection, rows, self._key)
        self._change(connection, known, now)
        self._create(connection, new, now)

    def _delete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        doomed = self._existing(connection, [row for row in rows if row.require(self._take_id)])
        settings = {"IsDeleted": 1, **_stamps(now)}
        connection.executemany(
            f'UPDATE "{self._sobject.name}" SET {_assigned(settings)} WHERE Id = ?',
            [(*settings.values(), row.id) for row in self._once(self._lock(doomed))],
        )

    def _hard_delete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        doomed = self._existing(connection, [row for row in rows if row.require(self._take_id)])
        statement = f'DELETE FROM "{self._sobject.name}" WHERE Id = ?'
        connection.executemany(statement, [(row.id,) for row in self._once(self._lock(doomed))])

    # Which record a row means.

    def _check_no_id(self, row: Row) -> None:
        if isinstance(self._columns.value(row, "Id"), str):  # assumed: code and text
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")

    def _take_id(self, row: Row) -> None:
        given = self._columns.value(row, "Id")
        if not isinstance(given, str):  # assumed: code and text, for deletes as for updates
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
        record_id = ids.normal(given)
        if record_id is None:
            raise RowError("MALFORMED_ID", given)  # seen with a blank sf__Id
        row.id = record_id  # a failed row keeps it: the supplied id is echoed (seen)

    def _split_by_id(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        known, new = [], []
        for row in rows:
            if not isinstance(self._columns.value(row, "Id"), str):  # seen: without the column every row is created
                new.append(row)
            elif row.require(self._take_id):
                known.append(row)
        return known, new

    def _split_by_key(self, connection: sqlite3.Connection, rows: list[Row], key: Field) -> tuple[list[Row], list[Row]]:
        keys = [self._columns.stored(row, key.name) for row in rows]
        found = matches(connection, self._sobject, key, keys)
        known, new, seen = [], [], set()
        for row, given in zip(rows, keys, strict=True):
            value = fold(given)
            hits = found.get(value, [])
            if value is None:  # assumed: code and text, and that a file without the column fails by its rows
                row.error = RowError("MISSING_ARGUMENT", f"{key.name} not specified")
            elif value in seen:
                # assumed: within one chunk all but the first row of a key fail; across chunks the last one wins
                row.error = RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {given}", key.name)
            elif len(hits) > 1:  # the code and the beginning of the text are seen; assumed: the rest
                message = f"{key.name}: more than one record found for external id field: [{', '.join(hits)}]"
                row.error = RowError("DUPLICATE_EXTERNAL_ID", message)
            elif hits:
                row.id = hits[0]
                known.append(row)
            else:
                new.append(row)
            seen.add(value)
        return known, new

    def _existing(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """The rows whose record is there to be changed; the others fail."""
        deleted = deletion_of(connection, self._sobject, (row.id for row in rows))

        def check(row: Row) -> None:
            if not row.id.startswith(self._sobject.keyPrefix) or row.id not in deleted:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if deleted[row.id]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.require(check)]

    def _once(self, rows: list[Row]) -> list[Row]:
        """The rows without those that name a record for the second time, which find it deleted (assumed)."""
        seen: set[str] = set()

        def check(row: Row) -> None:
            if row.id in seen:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")
            seen.add(row.id)

        return [row for row in rows if row.require(check)]

    def _lock(self, rows: list[Row]) -> list[Row]:
        """The rows that nobody is said to be in the way of; the others fail."""
        return [row for row in rows if row.require(self._take_lock)] if self._faults.lock_rows else rows

    def _take_lock(self, row: Row) -> None:
        if not row.holds_lock and self._faults.locks_a_row():  # text seen
            raise RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        row.holds_lock = True

    # Writing, and what must hold before.

    def _create(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        sobject = self._sobject
        if self._locked["createable"]:
            rows = [row for row in rows if row.require(self._check_createable)]
        rows = [row for row in rows if row.require(self._check_required)]
        rows = self._lock(self._check_others(connection, rows))
        if not rows:
            return
        first = next_serials(connection, sobject.keyPrefix, len(rows))
        for serial, row in enumerate(rows, first):
            row.id, row.created = ids.make(sobject.keyPrefix, serial), True
        columns: dict[str, Sequence[Value]] = {"Id": [row.id for row in rows]}
        for field, place in self._written:
            columns[field.name] = _filled([row.values[place] for row in rows], _default(field))
        for name, value in self._constants(now).items():
            columns[name] = [value] * len(rows)
        if sobject.custom:
            columns["Name"] = _named(columns.get("Name"), columns["Id"])
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{sobject.name}" ({names}) VALUES ({marks})'
        connection.executemany(statement, zip(*columns.values(), strict=True))

    def _constants(self, now: str) -> dict[str, Stored]:
        """What an insert stores in the fields that the upload does not name."""
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        defaults = {
            field.name: _default(field)
            for field in self._sobject.fields
            if field.default is not None and self._columns.place(field.name) is None
        }
        return {**stamps, **defaults}

    def _change(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        rows = [row for row in rows if row.require(self._check_updateable) and row.require(self._check_not_emptied)]
        rows = self._lock(self._check_others(connection, self._existing(connection, rows)))
        for places, alike in groupby(rows, self._given):  # in order: a record may be named by several rows
            names = [field.name for field, place in self._written if place in places]
            stamps = _stamps(now)
            connection.executemany(
                f'UPDATE "{self._sobject.name}" SET {_assigned([*names, *stamps])} WHERE Id = ?',
                [(*(row.values[place] for place in places), *stamps.values(), row.id) for row in alike],
            )

    def _given(self, row: Row) -> tuple[int, ...]:
        """The places of the values that the row brings."""
        return tuple(place for _, place in self._written if row.values[place] is not Cell.EMPTY)

    def _check_createable(self, row: Row) -> None:
        self._check_unlocked(row, "createable")

    def _check_updateable(self, row: Row) -> None:
        self._check_unlocked(row, "updateable")

    def _check_unlocked(self, row: Row, flag: str) -> None:
        refused = [name for name, place in self._locked[flag] if row.values[place] is not Cell.EMPTY]
        if refused:  # assumed: the framing; the code and the message are the platform's
            message = (
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this"
                " field and verify that it is read/write for your profile or permission set."
            )
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *refused)

    def _check_required(self, row: Row) -> None:
        values = row.values
        _refuse_missing(
            [
                name
                for name, place in self._required.items()
                if place is None or values[place] is None or values[place] is Cell.EMPTY
            ]
        )

    def _check_not_emptied(self, row: Row) -> None:
        _refuse_missing([name for name in self._required if self._columns.value(row, name) is None])

    def _check_others(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """The rows whose lookups lead somewhere and whose unique values nobody else has; the others fail."""
        for place, column in enumerate(self._columns.columns):
            if column.key is None and column.field.type == "reference":  # what a key has led to is there
                rows = self._check_references(connection, rows, column.field, place)
            elif column.field.unique:
                rows = self._check_unique(connection, rows, column.field)
        return rows

    def _check_references(self, connection: sqlite3.Connection, rows: list[Row], field: Field, place: int) -> list[Row]:
        targets = {value for row in rows if isinstance(value := row.values[place], str)}
        found: dict[str, bool] = {}
        for name in field.referenceTo:
            found |= deletion_of(connection, self._schema[name], targets) if targets else {}

        def check(row: Row) -> None:
            value = row.values[place]
            if isinstance(value, str) and value not in found:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if isinstance(value, str) and found[value]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.require(check)]

    def _check_unique(self, connection: sqlite3.Connection, rows: list[Row], column: Field) -> list[Row]:
        holders = matches(connection, self._sobject, column, (self._columns.stored(row, column.name) for row in rows))
        taken = {value: record_ids[0] for value, record_ids in holders.items()}

        def check(row: Row) -> None:
            value = fold(self._columns.stored(row, column.name))
            if value is None:
                return
            holder = taken.get(value, row.id)
            if holder != row.id:
                message = f"duplicate value found: {column.name} duplicates value on record with id: {holder}"
                raise RowError("DUPLICATE_VALUE", message)
            taken[value] = row.id or "<unknown>"

        return [row for row in rows if row.require(check)]


def _stamps(now: str) -> dict[str, Stored]:
    """What every change to a record sets."""
    return {"LastModifiedDate": now, "LastModifiedById": USER_ID, "SystemModstamp": now}


def _assigned(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}" = ?' for name in names)


def _named(names: Sequence[Value] | None, record_ids: Sequence[Value]) -> Sequence[Value]:
    """A record that is given no name is named by its id (Object reference, Custom Objects)."""
    if names is None:
        return record_ids
    return [record_id if name is None else name for name, record_id in zip(names, record_ids, strict=True)]


def _refuse_missing(names: list[str]) -> None:
    if names:
        message = f"Required fields are missing: [{', '.join(names)}]"
        raise RowError("REQUIRED_FIELD_MISSING", message, *names)


def _default(field: Field) -> Stored:
    default: Stored = USER_ID if field.default == ME else field.default
    return int(default) if isinstance(default, bool) else default


def _filled(values: list[Value], default: Stored) -> list[Value]:
    """Values of a column with the default where there is none; most columns of most chunks are full."""
    if Cell.EMPTY not in values and None not in values:
        return values
    return [default if value is None or value is Cell.EMPTY else value for value in values]


OPERATIONS: dict[str, Callable[[Loader, sqlite3.Connection, list[Row], str], None]] = {
    "insert": Loader._insert,
    "delete": Loader._delete,
    "hardDelete": Loader._hard_delete,
    "update": Loader._update,
    "upsert": Loader._upsert,
}
