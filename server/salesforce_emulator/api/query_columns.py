"""What a query selects, told without its records: the official CLI asks for it to head its tables.

Not in the REST API guide; the form is seen in clients that read it (salesforcecli/plugin-data, jetstream).
"""

from typing import Any

from salesforce_emulator.schema.model import Field
from salesforce_emulator.soql.query import Query, SelectedField, SelectedRecord

Body = dict[str, Any]


def column_metadata(query: Query) -> Body:
    """The columns of a query's answer, and the object that it asks for."""
    if query.counts is None:
        columns = [_member(name, member) for name, member in query.selected.members.items()]
    elif query.counts.name is None:
        columns = []  # assumed: nothing is selected
    else:
        columns = [_counted(query.counts.alias, query.counts.name)]
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
    joined = [_member(*below) for below in member.members.items()]
    return _column(name, name, None) | {"joinColumns": joined}


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


def _counted(alias: str, field: str) -> Body:
    counted = _column(alias, f"COUNT({field})", "Integer")  # assumed: how the function is written
    return counted | {"aggregate": True, "numberType": True}


def _column(name: str, shown: str, apex_type: str | None) -> Body:
    return {
        "aggregate": False,
        "apexType": apex_type,
        "booleanType": False,
        "columnName": name,
        "custom": False,
        "displayName": shown,
        "foreignKeyName": None,
        "insertable": False,
        "joinColumns": [],
        "numberType": False,
        "textType": False,
        "updatable": False,
    }
