"""Descriptions of objects and fields."""

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import doc, seen
from tests.salesforce_emulator.caller import DATA, Caller
from tests.salesforce_emulator.schema.schemas import OBJECTS, fields_of

GLOBAL = "REST API guide, Describe Global"
DESCRIBE = "REST API guide, sObject Describe"


@doc(GLOBAL)
def test_an_object_says_what_can_be_done_with_it(org: Caller) -> None:
    assert org.http.get(f"{OBJECTS}/account").json() == snapshot(
        {
            "objectDescribe": {
                "activateable": False,
                "associateEntityType": None,
                "associateParentEntity": None,
                "createable": True,
                "custom": False,
                "customSetting": False,
                "deepCloneable": False,
                "deletable": True,
                "deprecatedAndHidden": False,
                "feedEnabled": False,
                "hasSubtypes": False,
                "isInterface": False,
                "isSubtype": False,
                "keyPrefix": "001",
                "label": "Account",
                "labelPlural": "Accounts",
                "layoutable": True,
                "mergeable": True,
                "mruEnabled": True,
                "name": "Account",
                "queryable": True,
                "replicateable": True,
                "retrieveable": True,
                "searchable": True,
                "triggerable": True,
                "undeletable": True,
                "updateable": True,
                "urls": {
                    "describe": "/services/data/v63.0/sobjects/Account/describe",
                    "rowTemplate": "/services/data/v63.0/sobjects/Account/{ID}",
                    "sobject": "/services/data/v63.0/sobjects/Account",
                },
            },
            "recentItems": [],
        }
    )


@doc(DESCRIBE)
@seen("jsforce, types/common.ts: the names")
def test_a_field_is_described_with_all_that_salesforce_tells_of_it(org: Caller) -> None:
    assert fields_of(org, "contact")["Email"] == snapshot(
        {
            "aggregatable": True,
            "aiPredictionField": False,
            "autoNumber": False,
            "byteLength": 240,
            "calculated": False,
            "calculatedFormula": None,
            "cascadeDelete": False,
            "caseSensitive": False,
            "compoundFieldName": None,
            "controllerName": None,
            "createable": True,
            "custom": False,
            "defaultValue": None,
            "defaultValueFormula": None,
            "defaultedOnCreate": False,
            "dependentPicklist": False,
            "deprecatedAndHidden": False,
            "digits": 0,
            "displayLocationInDecimal": False,
            "encrypted": False,
            "externalId": False,
            "extraTypeInfo": None,
            "filterable": True,
            "filteredLookupInfo": None,
            "formulaTreatNullNumberAsZero": False,
            "groupable": True,
            "highScaleNumber": False,
            "htmlFormatted": False,
            "idLookup": True,
            "inlineHelpText": None,
            "label": "Email",
            "length": 80,
            "mask": None,
            "maskType": None,
            "name": "Email",
            "nameField": False,
            "namePointing": False,
            "nillable": True,
            "permissionable": True,
            "picklistValues": [],
            "polymorphicForeignKey": False,
            "precision": 0,
            "queryByDistance": False,
            "referenceTargetField": None,
            "referenceTo": [],
            "relationshipName": None,
            "relationshipOrder": None,
            "restrictedDelete": False,
            "restrictedPicklist": False,
            "scale": 0,
            "searchPrefilterable": False,
            "soapType": "xsd:string",
            "sortable": True,
            "type": "email",
            "unique": False,
            "updateable": True,
            "writeRequiresMasterRead": False,
        }
    )


@doc(DESCRIBE)
def test_an_object_is_described_with_the_lookups_that_lead_to_it(org: Caller) -> None:
    body = org.http.get(f"{OBJECTS}/Campaign/describe").json()
    assert list(body) == sorted(body)
    assert [
        (child["childSObject"], child["field"], child["relationshipName"]) for child in body["childRelationships"]
    ] == (
        snapshot(
            [
                ("Campaign", "ParentId", "ChildCampaigns"),
                ("CampaignMember", "CampaignId", "CampaignMembers"),
                ("Event", "WhatId", "Events"),
                ("Opportunity", "CampaignId", "Opportunities"),
                ("Task", "WhatId", "Tasks"),
            ]
        )
    )
    assert body["recordTypeInfos"] == snapshot(
        [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {},
            }
        ]
    )
    assert body | {"childRelationships": [], "recordTypeInfos": [], "fields": []} == snapshot(
        {
            "actionOverrides": [],
            "activateable": False,
            "associateEntityType": None,
            "associateParentEntity": None,
            "childRelationships": [],
            "compactLayoutable": True,
            "createable": True,
            "custom": False,
            "customSetting": False,
            "deepCloneable": False,
            "defaultImplementation": None,
            "deletable": True,
            "deprecatedAndHidden": False,
            "extendedBy": None,
            "extendsInterfaces": None,
            "feedEnabled": False,
            "fields": [],
            "hasSubtypes": False,
            "implementedBy": None,
            "implementsInterfaces": None,
            "isInterface": False,
            "isSubtype": False,
            "keyPrefix": "701",
            "label": "Campaign",
            "labelPlural": "Campaigns",
            "layoutable": True,
            "listviewable": None,
            "lookupLayoutable": None,
            "mergeable": False,
            "mruEnabled": True,
            "name": "Campaign",
            "namedLayoutInfos": [],
            "networkScopeFieldName": None,
            "queryable": True,
            "recordTypeInfos": [],
            "replicateable": True,
            "retrieveable": True,
            "searchLayoutable": True,
            "searchable": True,
            "sobjectDescribeOption": "FULL",
            "supportedScopes": [{"label": "All campaigns", "name": "everything"}],
            "triggerable": True,
            "undeletable": True,
            "updateable": True,
            "urls": {
                "describe": "/services/data/v63.0/sobjects/Campaign/describe",
                "rowTemplate": "/services/data/v63.0/sobjects/Campaign/{ID}",
                "sobject": "/services/data/v63.0/sobjects/Campaign",
            },
        }
    )


@doc("SOAP API guide, Field: calculated says whether a field is a custom formula field, of which the org has none")
def test_what_the_org_makes_of_other_fields_is_no_formula(org: Caller) -> None:
    described = [field for name in ("Account", "Contact") for field in fields_of(org, name).values()]
    assert {field["name"] for field in described if field["calculated"]} == set()


@seen("describes of real orgs: FirstName of Contact has it, Name itself has not")
@pytest.mark.parametrize("name", ["Contact", "Individual", "Lead", "User"])
def test_the_parts_of_a_person_s_name_say_that_they_are(org: Caller, name: str) -> None:
    described = fields_of(org, name)
    parts = [each for each, field in described.items() if field["compoundFieldName"] == "Name"]
    assert set(parts) - {"Salutation"} == {"FirstName", "LastName"} and not described["Name"]["createable"]


@doc("REST API guide, Conditional Request Headers")
@pytest.mark.parametrize("path", [OBJECTS, f"{OBJECTS}/Account/describe"])
def test_what_has_not_changed_since_is_not_sent_again(org: Caller, path: str) -> None:
    answer = org.http.get(path)
    again = org.http.get(path, headers={"If-Modified-Since": answer.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    for since in ("Wed, 01 Jan 2020 00:00:00 GMT", "some day", f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"):
        assert org.http.get(path, headers={"If-Modified-Since": since}).status_code == 200


@doc("Bulk API 2.0 guide, Errors")
@pytest.mark.parametrize("path", ["sobjects/Nope", "sobjects/Nope/describe", "sobjects/Nope/001000000000000AAA"])
def test_an_object_that_is_not_there_is_not_found(org: Caller, path: str) -> None:
    answer = org.http.get(f"{DATA}/{path}")
    assert (answer.status_code, answer.json()) == (
        404,
        [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
    )
