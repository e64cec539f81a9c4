"""Validation rules, tried before there are any records to hold to them."""

from ..schema.custom import SchemaError
from ..schema.model import Schema
from .conditions import compile_condition
from .syntax import QueryError


def check_rules(schema: Schema) -> None:
    """Compile every rule, so that one which can't be understood is told at once.

    Raises:
        SchemaError: a rule's condition can't be understood, or names what is not there.
    """
    for name in schema:
        for rule in schema[name].rules:
            try:
                compile_condition(rule.when, schema[name], schema)
            except QueryError as error:
                when, reason = " ".join(rule.when.split()), error.reason.rstrip(".")
                raise SchemaError(
                    f"The rule {rule.name} of {name} can't be understood: {reason}, at character {error.column} of when:"
                    f" {when}. Write it as after WHERE in SOQL"
                ) from None
