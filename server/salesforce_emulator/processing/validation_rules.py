"""Validation rules: tried before there are any records to hold to them, asked of those of a chunk after it is written."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from salesforce_emulator.errors import RowError
from salesforce_emulator.processing.rows import Row
from salesforce_emulator.schema.custom import SchemaError
from salesforce_emulator.schema.model import Schema, SObject, Stored
from salesforce_emulator.soql.conditions import compile_condition
from salesforce_emulator.soql.syntax import QueryError


def check_rules(schema: Schema) -> None:
    """Compile every rule, so that one which can't be understood is told at once.

    Raises:
        SchemaError: a rule's condition can't be understood, or names what is not there.
    """
    for name in schema:
        for number, rule in enumerate(schema[name].rules):
            try:
                compile_condition(rule.when, schema[name], schema)
            except QueryError as error:
                reason = error.reason.partition(" If you are attempting")[0].rstrip(".")
                raise SchemaError(
                    f"{reason}, at character {error.column} of {' '.join(rule.when.split())};"
                    f" write a condition as after WHERE in SOQL, on {name}'s own fields",
                    *("objects", name, "rules", number, "when"),
                ) from None


class Rules:
    """Finds which records break a rule, with one question for all rules; the first rule of the object counts.

    TODAY and the other date literals are reckoned from `now`.
    """

    def __init__(self, schema: Schema, sobject: SObject, now: datetime) -> None:
        self._sobject = sobject
        compiled = [compile_condition(rule.when, sobject, schema, now=now) for rule in sobject.rules]
        cases = " ".join(f"WHEN {condition} THEN {number}" for number, (condition, _) in enumerate(compiled))
        self._broken = f"CASE {cases} END"
        self._values: list[Stored] = [value for _, values in compiled for value in values]

    def refuse(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> bool:
        """Fail the rows whose record breaks a rule; whether there are any."""
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
