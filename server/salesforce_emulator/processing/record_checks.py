"""The checks of rows before their records are written: the fields that they may and must give, references, uniqueness."""

import sqlite3

from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.rows import Row, RowFormat
from salesforce_emulator.processing.values import EMPTY
from salesforce_emulator.schema.model import Field, Schema, SObject
from salesforce_emulator.storage.records import deletion_by_id, ids_by_value, record_key


class RecordChecks:
    """The checks of one upload's rows; each method returns the rows that pass, and fails the others.

    Args:
        schema: the objects of the org.
        sobject: the object of the records.
        row_format: the format of the rows.
    """

    def __init__(self, schema: Schema, sobject: SObject, row_format: RowFormat) -> None:
        self._schema = schema
        self._sobject = sobject
        self._format = row_format
        self._required = {field.name: row_format.index_of(field.name) for field in sobject.fields if field.required}
        written = [field for field in sobject.fields if field.name in row_format.written]
        self._not_createable = {f.name: row_format.written[f.name] for f in written if not f.createable}
        self._not_updateable = {f.name: row_format.written[f.name] for f in written if not f.updateable}

    def values_for_insert(self, rows: list[Row]) -> list[Row]:
        """Check that the rows give all required fields, and no field that the org alone may set."""
        if self._not_createable:
            rows = [row for row in rows if row.passes(self._check_createable)]
        return [row for row in rows if row.passes(self._check_required)]

    def values_for_update(self, rows: list[Row]) -> list[Row]:
        """Check that the rows give no field that can't be changed, and set no required field to null."""
        return [row for row in rows if row.passes(self._check_updateable) and row.passes(self._check_not_emptied)]

    def other_records(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Check that lookups lead to live records, and that no other record or row holds a unique value."""
        for index, column in enumerate(self._format.columns):
            # A parent that was found by a key is known to exist.
            if column.parent_key is None and column.field.type == "reference":
                rows = self._with_live_parents(connection, rows, column.field, index)
            elif column.field.unique:
                rows = self._with_unique_values(connection, rows, column.field)
        return rows

    def _check_createable(self, row: Row) -> None:
        _check_not_given(row, self._not_createable)

    def _check_updateable(self, row: Row) -> None:
        _check_not_given(row, self._not_updateable)

    def _check_required(self, row: Row) -> None:
        values = row.values
        _check_none_missing(
            [
                name
                for name, index in self._required.items()
                if index is None or values[index] is None or values[index] is EMPTY
            ]
        )

    def _check_not_emptied(self, row: Row) -> None:
        _check_none_missing([name for name in self._required if self._format.value(row, name) is None])

    def _with_live_parents(
        self, connection: sqlite3.Connection, rows: list[Row], field: Field, index: int
    ) -> list[Row]:
        parent_ids = {value for row in rows if isinstance(value := row.values[index], str)}
        found: dict[str, bool] = {}
        for name in field.referenceTo:
            found |= deletion_by_id(connection, self._schema[name], parent_ids) if parent_ids else {}

        def check(row: Row) -> None:
            value = row.values[index]
            if isinstance(value, str) and value not in found:
                raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if isinstance(value, str) and found[value]:
                raise RowError("ENTITY_IS_DELETED", "entity is deleted")

        return [row for row in rows if row.passes(check)]

    def _with_unique_values(self, connection: sqlite3.Connection, rows: list[Row], field: Field) -> list[Row]:
        values = (self._format.stored_value(row, field.name) for row in rows)
        holders = {value: found[0] for value, found in ids_by_value(connection, self._sobject, field, values).items()}

        def check(row: Row) -> None:
            value = record_key(field, self._format.stored_value(row, field.name))
            if value is None:
                return
            holder = holders.get(value, row.id)
            if holder != row.id:
                message = f"duplicate value found: {field.name} duplicates value on record with id: {holder}"
                raise RowError("DUPLICATE_VALUE", message)
            holders[value] = row.id or "<unknown>"

        return [row for row in rows if row.passes(check)]


def _check_not_given(row: Row, indexes: dict[str, int]) -> None:
    given = [name for name, index in indexes.items() if row.values[index] is not EMPTY]
    if given:  # the code and the message are the platform's; assumed: the text around them
        message = (
            f"Unable to create/update fields: {', '.join(given)}. Please check the security settings of this"
            " field and verify that it is read/write for your profile or permission set."
        )
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *given)


def _check_none_missing(names: list[str]) -> None:
    if names:
        message = f"Required fields are missing: [{', '.join(names)}]"
        raise RowError("REQUIRED_FIELD_MISSING", message, *names)
