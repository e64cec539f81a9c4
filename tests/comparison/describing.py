"""Describes, rows and records for the tests of comparisons."""

from collections.abc import Mapping
from typing import Any

from salesforce_bulk_ingest.comparison.changes import SideBySide, side_by_side
from salesforce_bulk_ingest.comparison.compared_columns import NO_PREFIXES, RowColumns, row_columns
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, RecordsFound
from salesforce_bulk_ingest.loading.row_sample import RowSample
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.validation.columns import columns_of
from salesforce_bulk_ingest.validation.destination import LoadTarget


def field(name: str, type: str = "string", **more: Any) -> FieldDescribe:
    return FieldDescribe(name=name, label=name, type=type, **more)


PARENT = SObjectDescribe(
    name="Region__c",
    label="Region",
    fields=(field("Id", "id"), field("Code__c", external_id=True, unique=True)),
)
DESCRIBE = SObjectDescribe(
    name="Account",
    label="Account",
    key_prefix="001",
    fields=(
        field("Id", "id"),
        field("Ext__c", external_id=True, unique=True),
        field("Name"),
        field("Phone", "phone"),
        field("City__c"),
        field("Street__c"),
        field("Active__c", "boolean"),
        field("Secret__c", "encryptedstring"),
        field("Region__c", "reference", reference_to=("Region__c",), relationship_name="Region__r"),
        field("OwnerId", "reference", reference_to=("Group", "User"), relationship_name="Owner"),
    ),
)


def columns(
    header: list[str],
    operation: str = "upsert",
    hidden: set[int] | None = None,
    prefixes: Mapping[str, str] = NO_PREFIXES,
) -> RowColumns:
    target = LoadTarget.of(DESCRIBE, operation, "Ext__c" if operation == "upsert" else None)
    parents = {"Region__c": PARENT}
    return row_columns(columns_of(header, DESCRIBE, parents), target, parents, hidden or set(), prefixes)


def sample_of(rows: list[list[str]]) -> RowSample:
    return RowSample(tuple(list(column) for column in zip(*rows, strict=True)), range(len(rows)), len(rows))


def found_of(records: list[dict[str, Any]], *asked: str) -> RecordsFound:
    by_key = dict[str, list[JsonRecord]]()
    for record in records:
        by_key.setdefault(str(record["Ext__c"]).lower(), []).append(record)
    return RecordsFound(by_key, {*by_key, *asked})


def sides(header: list[str], rows: list[list[str]], records: list[dict[str, Any]], *asked: str) -> SideBySide:
    """The rows of an upsert beside records, which are found by Ext__c."""
    of_rows = columns(header)
    assert of_rows.key is not None
    return side_by_side(sample_of(rows), of_rows.key, of_rows.compared, found_of(records, *asked), makes_new=True)
