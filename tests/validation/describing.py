"""Describes as an org returns them, for tests of the checks that use them."""

from typing import Any

from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe

OPEN = {"createable": True, "updateable": True}


def field(name: str, type: str = "string", label: str | None = None, **properties: Any) -> FieldDescribe:
    """A field that the user may set, unless the properties say otherwise."""
    return FieldDescribe.model_validate({"name": name, "label": label or name, "type": type} | OPEN | properties)


def sobject(name: str, *fields: FieldDescribe, **properties: Any) -> SObjectDescribe:
    """An object with an id and these fields."""
    locked = {"createable": False, "updateable": False, "idLookup": True, "nillable": False, "defaultedOnCreate": True}
    record_id = field("Id", "id", f"{name} ID", **locked)
    given = {"name": name, "label": name, "fields": (record_id, *fields), "deletable": True} | OPEN | properties
    return SObjectDescribe.model_validate(given)


def picklist(name: str, *values: str, inactive: tuple[str, ...] = (), **properties: Any) -> FieldDescribe:
    """A restricted picklist."""
    listed = [{"value": value, "active": True} for value in values]
    listed += [{"value": value, "active": False} for value in inactive]
    given: dict[str, Any] = {"type": "picklist", "restrictedPicklist": True, "picklistValues": listed}
    return field(name, **given | properties)


LOCKED: dict[str, Any] = {"createable": False, "updateable": False}

ACCOUNT = sobject(
    "Account",
    field("Name", label="Account Name", nillable=False, length=255),
    field("BillingStreet", label="Billing Street", length=255),
    field("BillingCity", label="Billing City", length=40),
    field("BillingPostalCode", label="Billing Zip/Postal Code", length=20),
    field("BillingState", label="Billing State/Province", length=80),
    field("Phone", "phone", "Account Phone", length=40),
    field("NumberOfEmployees", "int", "Employees"),
    field("ParentId", "reference", "Parent Account ID", referenceTo=["Account"], relationshipName="Parent"),
    field("OwnerId", "reference", "Owner ID", referenceTo=["User"], relationshipName="Owner", defaultedOnCreate=True),
    field("CreatedDate", "datetime", "Created Date", **LOCKED),
    field("Ext__c", label="External Id", externalId=True, length=20),
    keyPrefix="001",
)

CONTACT = sobject(
    "Contact",
    field("LastName", label="Last Name", nillable=False, length=80),
    field("FirstName", label="First Name", length=40),
    field("Name", label="Full Name", nillable=False, **LOCKED),
    field("Email", "email", "Email", length=80, idLookup=True),
    field("AccountId", "reference", "Account ID", referenceTo=["Account"], relationshipName="Account"),
    field(
        "Project__c", "reference", "Project", referenceTo=["Project__c"], relationshipName="Project__r", nillable=False
    ),
    field("Score__c", "double", "Score", calculated=True, **LOCKED),
    field("Number__c", "string", "Number", autoNumber=True, externalId=True, **LOCKED),
    field("Code__c", label="Code", externalId=True, caseSensitive=True, length=10),
    field("Birthdate", "date", "Birthdate"),
    field("Seen__c", "datetime", "Seen"),
    field("Amount__c", "currency", "Amount"),
    field("Active__c", "boolean", "Active", nillable=False),
    picklist("Level__c", "Primary", "Secondary", inactive=("Tertiary",), label="Level"),
    picklist("Languages__c", "English", "German", type="multipicklist", label="Languages"),
    keyPrefix="003",
)

TASK = sobject(
    "Task",
    field("Subject", length=255),
    field("WhoId", "reference", "Name ID", referenceTo=["Contact", "Lead"], relationshipName="Who"),
)
