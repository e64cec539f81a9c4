"""Schema files that tests start orgs with, and the descriptions and errors that result."""

from pathlib import Path

import pytest

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.org import Org
from salesforce_emulator.schema.schema_file import SchemaError
from tests.salesforce_emulator.caller import DATA, Caller, Job

OBJECTS = f"{DATA}/sobjects"

SCHEMA = """\
objects:
  Account:
    fields:
      Erp_Id__c: {label: ERP id, type: string, length: 40, externalId: true, unique: true}
      Tier__c: {type: picklist, picklist: [Gold, Silver], restricted: true, default: Silver}
  Invoice__c:
    label: Invoice
    fields:
      Number__c: {type: double, precision: 8, externalId: true}
      Account__c: {type: reference, referenceTo: account, required: true, childRelationshipName: Invoices}
      Credit_For__c: {type: reference, referenceTo: [Invoice__c], relationshipName: Credited__r}
      Amount__c: {type: currency, required: true}
      Due__c: {type: date, default: 2025-01-31}
      Paid__c: {type: boolean, default: true}
      Tags__c: {type: multipicklist, picklist: [a, b]}
  Note_2__c: {}
"""


def fields_of(org: Caller, object_: str) -> dict[str, Job]:
    """The descriptions of the object's fields, by name."""
    body = org.http.get(f"{OBJECTS}/{object_}/describe").json()
    return {field["name"]: field for field in body["fields"]}


def refused(folder: Path, schema: str) -> str:
    """The error of an org that is started with this schema file."""
    file = folder / "schema.yaml"
    file.write_text(schema)
    with pytest.raises(SchemaError) as error:
        Org(EmulatorConfig(data_dir=folder / "org", schema_file=file)).close()
    message = str(error.value)
    assert "\n" not in message
    return message.replace(str(folder), "<folder>")
