"""Validation rules: compiled when the org is opened, and applied to the records of each chunk after it is written."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.rows import Row
from salesforce_emulator.schema.model import Schema, SObject, StoredValue
from salesforce_emulator.schema.schema_file import SchemaError
from salesforce_emulator.soql.conditions import translate_text
from salesforce_emulator.soql.syntax import QueryError


def check_rules(schema: Schema) -> None:
    """Compile every rule of the schema, so that a mistake is reported when the org is opened.

    Raises:
        SchemaError: the condition of a rule is not SOQL, or names a field that does not exist.
    """
    for name in schema:
        for number, rule in enumerate(schema[name].rules):
            try:
                translate_text(rule.when, schema[name])
            except QueryError as error:
                reason = error.reason.partition(" If you are attempting")[0].rstrip(".")
                raise SchemaError(
                    f"{reason}, at character {error.column} of {' '.join(rule.when.split())};"
                    f" write a condition as after WHERE in SOQL, on {name}'s own fields",
                    *("objects", name, "rules", number, "when"),
                ) from None


class ValidationRules:
    """The validation rules of one object, applied with one statement; the first rule that a record breaks counts.

    Args:
        sobject: the object.
        now: the time in UTC from which TODAY and the other date literals are computed.
    """

    def __init__(self, sobject: SObject, now: datetime) -> None:
        self._sobject = sobject
        compiled = [translate_text(rule.when, sobject, now=now) for rule in sobject.rules]
        cases = " ".join(f"WHEN {condition} THEN {number}" for number, (condition, _) in enumerate(compiled))
        self._broken = f"CASE {cases} END"
        self._values: list[StoredValue] = [value for _, values in compiled for value in values]

    def fail_rows(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> bool:
        """Fail the rows whose record breaks a rule, and return whether there are any."""
        record_ids = list(dict.fromkeys(row.id for row in rows))
        marks = ", ".join("?" * len(record_ids))
        broken = dict(
            connection.execute(
                f'SELECT Id, {self._broken} AS rule FROM "{self._sobject.name}"'
                f" WHERE rule IS NOT NULL AND Id IN ({marks})",
                [*self._values, *record_ids],
            ).fetchall()
        )
        for row in rows:
            if row.id in broken:
                rule = self._sobject.rules[broken[row.id]]
                fields = [rule.field] if rule.field else []
                row.error = RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, *fields)
        return bool(broken)
