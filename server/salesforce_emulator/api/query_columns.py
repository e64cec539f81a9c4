"""Describes the columns that a query selects, for `columns=true`; the official CLI shows them above its tables.

The REST API guide does not describe this; the form is seen in clients (salesforcecli/plugin-data, jetstream).
"""

from typing import Any

from salesforce_emulator.schema.model import Field
from salesforce_emulator.soql.query import Query, SelectedField, SelectedRecord

Body = dict[str, Any]


def column_metadata(query: Query) -> Body:
    """Return the columns of a query, and the object that it selects from."""
    if query.counts is None:
        columns = [_member(name, member) for name, member in query.selected.members.items()]
    elif query.counts.name is None:
        columns = []  # assumed: COUNT() without a field has no column
    else:
        columns = [_count_column(query.counts.alias, query.counts.name)]
    return {
        "columnMetadata": columns,
        "entityName": query.sobject.name,
        "groupBy": False,
        "idSelected": "Id" in query.selected.members,
        "keyPrefix": query.sobject.keyPrefix,
    }


def _member(name: str, member: SelectedField | SelectedRecord) -> Body:
    if isinstance(member, SelectedField):
        return _field(member.field)
    parent_columns = [_member(*child) for child in member.members.items()]
    return _column(name, name, None) | {"joinColumns": parent_columns}


def _field(field: Field) -> Body:
    apex_type = field.field_type.apex
    return _column(field.name, field.name, apex_type) | {
        "booleanType": apex_type == "Boolean",
        "custom": field.custom,
        "insertable": field.createable,
        "numberType": apex_type in ("Decimal", "Integer"),
        "textType": apex_type == "String",
        "updatable": field.updateable,
    }


def _count_column(alias: str, field: str) -> Body:
    column = _column(alias, f"COUNT({field})", "Integer")  # assumed: the spelling of the function
    return column | {"aggregate": True, "numberType": True}


def _column(name: str, display_name: str, apex_type: str | None) -> Body:
    return {
        "aggregate": False,
        "apexType": apex_type,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": display_name,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
