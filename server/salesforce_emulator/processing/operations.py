"""The five operations of jobs: which record each row of a chunk stands for, and what it does to the record."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from salesforce_emulator import ids
from salesforce_emulator.config import USER_ID
from salesforce_emulator.errors import RowError
from salesforce_emulator.faults.active_plan import ActivePlan
from salesforce_emulator.jobs.job import Job
from salesforce_emulator.processing.headers import ID_ONLY_OPERATIONS
from salesforce_emulator.processing.record_checks import RecordChecks
from salesforce_emulator.processing.relationships import ParentLookups
from salesforce_emulator.processing.rows import Row, RowFormat
from salesforce_emulator.processing.validation_rules import ValidationRules
from salesforce_emulator.processing.values import EMPTY, CellValue
from salesforce_emulator.schema.model import CURRENT_USER, Field, Schema, StoredValue
from salesforce_emulator.storage.records import deletion_by_id, ids_by_value, next_serials, record_key


class Loader:
    """Saves the rows of one job, a chunk at a time, in transactions that the caller opens.

    Args:
        schema: the objects of the org.
        job: the job.
        row_format: the format of the job's rows.
        faults: the faults in force, which can lock records.
        started: the time in UTC from which the date literals of validation rules are computed.
    """

    def __init__(self, schema: Schema, job: Job, row_format: RowFormat, faults: ActivePlan, started: datetime) -> None:
        sobject = schema[job.object]
        self._sobject = sobject
        self._operation = OPERATIONS[job.operation]
        self._key = sobject.field(job.external_id_field) if job.external_id_field else None
        self._format = row_format
        self._faults = faults
        self._lookups = ParentLookups(row_format)
        has_rules = sobject.rules and job.operation not in ID_ONLY_OPERATIONS
        self._rules = ValidationRules(sobject, started) if has_rules else None
        self._checks = RecordChecks(schema, sobject, row_format)
        self._written = [
            (field, row_format.written[field.name]) for field in sobject.fields if field.name in row_format.written
        ]

    def save(self, connection: sqlite3.Connection, rows: Iterable[Row], now: str) -> None:
        """Do the job's operation with every row that has not failed; afterwards each row has an id or an error."""
        sound = self._lookups.resolve(connection, [row for row in rows if row.error is None])
        if self._rules is None:
            self._operation(self, connection, sound, now)
        else:
            self._save_with_rules(connection, sound, now, self._rules)

    def _save_with_rules(
        self, connection: sqlite3.Connection, rows: list[Row], now: str, rules: ValidationRules
    ) -> None:
        """Save the rows whose records break no rule.

        If a record breaks a rule, all rows are rolled back and the other rows are saved again, as Salesforce does
        (Apex developer guide, Bulk DML Exception Handling).
        """
        connection.execute("SAVEPOINT chunk")
        self._operation(self, connection, rows, now)
        if rules.fail_rows(connection, [row for row in rows if row.error is None]):
            connection.execute("ROLLBACK TO chunk")
            for row in rows:
                row.undo_creation()
            self._operation(self, connection, [row for row in rows if row.error is None], now)
        connection.execute("RELEASE chunk")

    # The operations.

    def _insert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        if self._format.index_of("Id") is not None:
            rows = [row for row in rows if row.passes(self._check_no_id)]
        self._create(connection, rows, now)

    def _update(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        self._change(connection, [row for row in rows if row.passes(self._read_id)], now)

    def _upsert(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        if self._key is None or self._key.name == "Id":
            known, new = self._split_by_id(rows)
        else:
            known, new = self._split_by_key(connection, rows, self._key)
        self._change(connection, known, now)
        self._create(connection, new, now)

    def _delete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        deleted_rows = self._existing(connection, [row for row in rows if row.passes(self._read_id)])
        settings = {"IsDeleted": 1, **_stamps(now)}
        connection.executemany(
            f'UPDATE "{self._sobject.name}" SET {_assignments(settings)} WHERE Id = ?',
            [(*settings.values(), row.id) for row in self._without_repeated(self._lock(deleted_rows))],
        )

    def _hard_delete(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        deleted_rows = self._existing(connection, [row for row in rows if row.passes(self._read_id)])
        statement = f'DELETE FROM "{self._sobject.name}" WHERE Id = ?'
        connection.executemany(statement, [(row.id,) for row in self._without_repeated(self._lock(deleted_rows))])

    # Which record a row stands for.

    def _check_no_id(self, row: Row) -> None:
        if isinstance(self._format.value(row, "Id"), str):  # assumed: code and text
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")

    def _read_id(self, row: Row) -> None:
        given = self._format.value(row, "Id")
        if not isinstance(given, str):  # assumed: code and text, for deletes as for updates
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
        record_id = ids.normal(given)
        if record_id is None:
            raise RowError("MALFORMED_ID", given)  # seen with a blank sf__Id
        row.id = record_id  # a failed row keeps the supplied id, and its result echoes it (seen)

    def _split_by_id(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        known, new = [], []
        for row in rows:
            if not isinstance(self._format.value(row, "Id"), str):  # seen: without the column every row is created
                new.append(row)
            elif row.passes(self._read_id):
                known.append(row)
        return known, new

    def _split_by_key(self, connection: sqlite3.Connection, rows: list[Row], key: Field) -> tuple[list[Row], list[Row]]:
        keys = [self._format.stored_value(row, key.name) for row in rows]
        found = ids_by_value(connection, self._sobject, key, keys)
        known, new, seen = [], [], set()
        for row, given in zip(rows, keys, strict=True):
            value = record_key(key, given)
            record_ids = found.get(value, [])
            if value is None:  # assumed: code and text, and that a file without the column fails by its rows
                row.error = RowError("MISSING_ARGUMENT", f"{key.name} not specified")
            elif value in seen:
                # assumed: within one chunk all but the first row of a key fail; across chunks the last row wins
                row.error = RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {given}", key.name)
            elif len(record_ids) > 1:  # the code and the beginning of the text are seen; assumed: the rest
                message = f"{key.name}: more than one record found for external id field: [{', '.join(record_ids)}]"
                row.error = RowError("DUPLICATE_EXTERNAL_ID", message)
            elif record_ids:
                row.id = record_ids[0]
                known.append(row)
            else:
                new.append(row)
            seen.add(value)
        return known, new

    def _existing(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Return the rows whose record exists and is not in the recycle bin; the other rows fail."""
        deleted = deletion_by_id(connection, self._sobject, (row.id for row in rows))

        def check(row: Row) -> None:
            if not row.id.startswith(self._sobject.keyPrefix) or row.id not in deleted:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if deleted[row.id]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.passes(check)]

    def _without_repeated(self, rows: list[Row]) -> list[Row]:
        """Return the first row of each record; the others fail, since the record is deleted by then (assumed)."""
        seen: set[str] = set()

        def check(row: Row) -> None:
            if row.id in seen:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")
            seen.add(row.id)

        return [row for row in rows if row.passes(check)]

    def _lock(self, rows: list[Row]) -> list[Row]:
        """Return the rows whose record can be locked; the faults in force can make the other rows fail."""
        return [row for row in rows if row.passes(self._acquire_lock)] if self._faults.has_row_locks else rows

    def _acquire_lock(self, row: Row) -> None:
        if not row.holds_lock and self._faults.locks_next_row():  # text seen
            raise RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        row.holds_lock = True

    # Writing.

    def _create(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        sobject = self._sobject
        rows = self._checks.values_for_insert(rows)
        rows = self._lock(self._checks.other_records(connection, rows))
        if not rows:
            return
        first = next_serials(connection, sobject.keyPrefix, len(rows))
        for serial, row in enumerate(rows, first):
            row.id, row.created = ids.make(sobject.keyPrefix, serial), True
        columns: dict[str, Sequence[CellValue]] = {"Id": [row.id for row in rows]}
        for field, index in self._written:
            columns[field.name] = _with_default([row.values[index] for row in rows], _default(field))
        for name, value in self._constants(now).items():
            columns[name] = [value] * len(rows)
        if sobject.custom:
            columns["Name"] = _names(columns.get("Name"), columns["Id"])
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{sobject.name}" ({names}) VALUES ({marks})'
        connection.executemany(statement, zip(*columns.values(), strict=True))

    def _constants(self, now: str) -> dict[str, StoredValue]:
        """Return the values that an insert stores in fields that no column of the upload gives."""
        stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
        defaults = {
            field.name: _default(field)
            for field in self._sobject.fields
            if field.default is not None and self._format.index_of(field.name) is None
        }
        return {**stamps, **defaults}

    def _change(self, connection: sqlite3.Connection, rows: list[Row], now: str) -> None:
        rows = self._existing(connection, self._checks.values_for_update(rows))
        rows = self._lock(self._checks.other_records(connection, rows))
        # The order of the rows stays, since several rows may change one record.
        for indexes, alike in groupby(rows, self._given):
            names = [field.name for field, index in self._written if index in indexes]
            stamps = _stamps(now)
            connection.executemany(
                f'UPDATE "{self._sobject.name}" SET {_assignments([*names, *stamps])} WHERE Id = ?',
                [(*(row.values[index] for index in indexes), *stamps.values(), row.id) for row in alike],
            )

    def _given(self, row: Row) -> tuple[int, ...]:
        """Return the indexes of the written values that the row gives."""
        return tuple(index for _, index in self._written if row.values[index] is not EMPTY)


def _stamps(now: str) -> dict[str, StoredValue]:
    """Return the values of the fields that every change to a record sets."""
    return {"LastModifiedDate": now, "LastModifiedById": USER_ID, "SystemModstamp": now}


def _assignments(names: Iterable[str]) -> str:
    """Return the assignments of an UPDATE, with a parameter for each field."""
    return ", ".join(f'"{name}" = ?' for name in names)


def _names(names: Sequence[CellValue] | None, record_ids: Sequence[CellValue]) -> Sequence[CellValue]:
    """Return the names of new records: without a name, a record is named by its id (Object reference, Custom Objects)."""
    if names is None:
        return record_ids
    return [record_id if name is None else name for name, record_id in zip(names, record_ids, strict=True)]


def _default(field: Field) -> StoredValue:
    default: StoredValue = USER_ID if field.default == CURRENT_USER else field.default
    return int(default) if isinstance(default, bool) else default


def _with_default(values: list[CellValue], default: StoredValue) -> list[CellValue]:
    """Return the values of a column with the default in place of empty and null ones."""
    if EMPTY not in values and None not in values:
        return values  # most columns of most chunks need no default
    return [default if value is None or value is EMPTY else value for value in values]


OPERATIONS: dict[str, Callable[[Loader, sqlite3.Connection, list[Row], str], None]] = {
    "insert": Loader._insert,
    "delete": Loader._delete,
    "hardDelete": Loader._hard_delete,
    "update": Loader._update,
    "upsert": Loader._upsert,
}
