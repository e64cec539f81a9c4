"""The standard objects."""

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import doc, own, seen
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.schema.schemas import OBJECTS, fields_of

GLOBAL = "REST API guide, Describe Global"
REFERENCE = "Object reference, Standard Objects"


@doc(GLOBAL)
def test_all_objects_are_listed(org: Caller) -> None:
    body = org.http.get(OBJECTS).json()
    assert [(sobject["name"], sobject["keyPrefix"]) for sobject in body["sobjects"]] == snapshot(
        [
            ("Account", "001"),
            ("Asset", "02i"),
            ("Calendar", "023"),
            ("Campaign", "701"),
            ("CampaignMember", "00v"),
            ("Case", "500"),
            ("Contact", "003"),
            ("Event", "00U"),
            ("Group", "00G"),
            ("Individual", "0PK"),
            ("Lead", "00Q"),
            ("Opportunity", "006"),
            ("Organization", "00D"),
            ("Product2", "01t"),
            ("Profile", "00e"),
            ("RecordType", "012"),
            ("Task", "00T"),
            ("User", "005"),
            ("UserPermissionAccess", "0Pu"),
        ]
    )


@seen("describes of real orgs: what may lead to several objects names all of them")
@pytest.mark.parametrize(
    ("object_", "field", "targets"),
    [
        ("Contact", "AccountId", ["Account"]),
        ("Task", "WhoId", ["Contact", "Lead"]),
        ("Event", "WhoId", ["Contact", "Lead"]),
        ("Task", "WhatId", ["Account", "Asset", "Campaign", "Case", "Opportunity", "Product2"]),
        ("Event", "WhatId", ["Account", "Asset", "Campaign", "Case", "Opportunity", "Product2"]),
        ("Account", "OwnerId", ["User"]),
        ("Lead", "OwnerId", ["Group", "User"]),
        ("Case", "OwnerId", ["Group", "User"]),
        ("Task", "OwnerId", ["Group", "User"]),
        ("Asset", "Product2Id", ["Product2"]),
        ("CampaignMember", "LeadId", ["Lead"]),
        ("User", "ProfileId", ["Profile"]),
    ],
)
def test_a_lookup_names_the_objects_that_it_leads_to(org: Caller, object_: str, field: str, targets: list[str]) -> None:
    described = fields_of(org, object_)[field]
    assert (described["referenceTo"], described["namePointing"]) == (targets, len(targets) > 1)
    assert set(targets) <= {sobject["name"] for sobject in org.http.get(OBJECTS).json()["sobjects"]}


@own
def test_every_lookup_leads_to_an_object_of_the_org(org: Caller) -> None:
    names = {sobject["name"] for sobject in org.http.get(OBJECTS).json()["sobjects"]}
    for name in names:
        lookups = [field for field in fields_of(org, name).values() if field["type"] == "reference"]
        assert all(field["referenceTo"] and set(field["referenceTo"]) <= names for field in lookups)
        assert len({field["relationshipName"] for field in lookups}) == len(lookups)


@doc(REFERENCE)
@pytest.mark.parametrize(
    ("object_", "required"),
    [
        ("Account", ["Name"]),
        ("Contact", ["LastName"]),
        ("Lead", ["LastName", "Company"]),
        ("Opportunity", ["Name", "StageName", "CloseDate"]),
        ("Case", []),
        ("Task", []),
        ("Event", []),
        ("Campaign", ["Name"]),
        ("CampaignMember", ["CampaignId"]),
        ("Product2", ["Name"]),
        ("Asset", ["Name"]),
        (
            "User",
            [
                "Username",
                "LastName",
                "Email",
                "Alias",
                "TimeZoneSidKey",
                "LocaleSidKey",
                "EmailEncodingKey",
                "LanguageLocaleKey",
                "ProfileId",
            ],
        ),
    ],
)
def test_required_fields_are_those_of_salesforce(org: Caller, object_: str, required: list[str]) -> None:
    fields = fields_of(org, object_).values()
    assert [
        field["name"]
        for field in fields
        if not field["nillable"]
        and field["createable"]
        and not field["defaultedOnCreate"]
        and field["type"] != "boolean"
    ] == required


@own
@pytest.mark.parametrize(
    ("object_", "data"),
    [
        ("Campaign", "Name,Status,StartDate,IsActive\nSpring,In Progress,2025-03-01,true\n"),
        ("Product2", "Name,ProductCode,IsActive\nDrill,D-1,true\n"),
        ("Event", "Subject,StartDateTime,DurationInMinutes\nVisit,2025-03-01T10:00:00Z,60\n"),
        ("Asset", "Name,SerialNumber,Price,Status\nDrill,1,9.5,Installed\n"),
    ],
)
def test_more_standard_objects_can_be_loaded(org: Caller, object_: str, data: str) -> None:
    job = org.load(data, object_)
    assert org.errors(job) == []
    [row] = org.succeeded(job)
    assert org.record(row["sf__Id"], object_)["CreatedById"] == job["createdById"]


@seen("the standard schema that jsforce publishes")
def test_addresses_photos_and_individuals_are_where_clients_expect_them(org: Caller) -> None:
    expected = {
        "Account": {"BillingAddress", "ShippingAddress", "PhotoUrl", "JigsawCompanyId", "IsCustomerPortal"},
        "Contact": {
            "MailingAddress",
            "OtherAddress",
            "PhotoUrl",
            "JigsawContactId",
            "IndividualId",
            "CanAllowPortalSelfReg",
        },
        "Lead": {"Address", "PhotoUrl", "JigsawContactId", "IndividualId"},
        "User": {"Address", "Latitude", "Longitude", "GeocodeAccuracy", "SenderEmail", "Signature", "IndividualId"},
        "Organization": {"Address", "Latitude", "Longitude", "GeocodeAccuracy"},
        "Opportunity": {"Fiscal"},
        "Case": {"ProductId"},
    }
    assert {name for name, fields in expected.items() if not fields <= set(fields_of(org, name))} == set()
    [person] = org.succeeded(org.load("LastName\nNgata\n", "Individual"))
    job = org.load(f"LastName,IndividualId,Jigsaw\nNgata,{person['sf__Id']},J1\n", "Contact")
    contact = org.record(org.succeeded(job)[0]["sf__Id"], "Contact")
    assert (contact["IndividualId"], contact["JigsawContactId"]) == (person["sf__Id"], "J1")
