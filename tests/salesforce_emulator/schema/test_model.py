"""The model of a schema: names in any case, lookups, and what the type of a field implies."""

import pytest

from salesforce_emulator.schema.model import SObject
from salesforce_emulator.schema.standard_objects import make_field, standard_schema
from tests.salesforce_emulator.behaviours import doc, own


@own
def test_objects_fields_and_relationships_are_found_in_any_case() -> None:
    schema = standard_schema()
    contact = schema["CONTACT"]
    field, lookup = contact.field("lastname"), contact.relationship("ACCOUNT")
    assert (contact.name, field and field.name, lookup and lookup.name) == ("Contact", "LastName", "AccountId")
    assert (contact.field("Nope"), contact.relationship("Nope"), "nope" in schema) == (None, None, False)


@own
def test_the_lookups_to_an_object_are_those_of_all_objects() -> None:
    lookups = {(sobject.name, field.name) for sobject, field in standard_schema().lookups_to("Campaign")}
    assert {("Campaign", "ParentId"), ("Task", "WhatId"), ("Opportunity", "CampaignId")} <= lookups
    assert ("Contact", "AccountId") not in lookups


@doc("REST API guide, sObject Describe: nillable, defaultedOnCreate, createable")
@pytest.mark.parametrize(
    ("settings", "required"),
    [
        ({"nillable": False}, True),
        ({}, False),
        ({"nillable": False, "default": "x"}, False),
        ({"nillable": False, "defaulted": True}, False),
        ({"nillable": False, "createable": False}, False),
    ],
)
def test_a_field_is_required_if_nothing_else_fills_it(settings: dict[str, object], required: bool) -> None:
    assert make_field({"name": "A__c", "label": "A", "type": "string", **settings}).required is required


@doc("SOQL and SOSL reference, Text Area (Long)")
@pytest.mark.parametrize(("length", "is_long"), [(255, False), (256, True)])
def test_a_text_area_is_long_beyond_255_characters(length: int, is_long: bool) -> None:
    assert make_field({"name": "A__c", "label": "A", "type": "textarea", "length": length}).long_text is is_long


@own
@pytest.mark.parametrize(("name", "custom"), [("Account", False), ("Invoice__c", True)])
def test_an_object_is_custom_by_its_name(name: str, custom: bool) -> None:
    assert SObject(name=name, label="A", labelPlural="As", keyPrefix="a00", fields=()).custom is custom
