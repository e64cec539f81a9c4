"""Objects, fields and single records."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller, Job, an_org, shown

OBJECTS = f"{DATA}/sobjects"
GLOBAL = "REST API guide, Describe Global"
DESCRIBE = "REST API guide, sObject Describe"
ROWS = "REST API guide, sObject Rows"
REFERENCE = "Object reference, Standard Objects"


def fields_of(org: Caller, object_: str) -> dict[str, Job]:
    body = org.http.get(f"{OBJECTS}/{object_}/describe").json()
    return {field["name"]: field for field in body["fields"]}


def account(org: Caller, **values: str) -> str:
    job = org.load(f"{','.join(values)}\n{','.join(values.values())}\n")
    [row] = org.succeeded(job)
    return row["sf__Id"]


# Objects.


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
            ("Lead", "00Q"),
            ("Opportunity", "006"),
            ("Organization", "00D"),
            ("Product2", "01t"),
            ("Profile", "00e"),
            ("RecordType", "012"),
            ("Task", "00T"),
            ("User", "005"),
        ]
    )


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


@own
def test_what_every_org_has_can_be_read_and_not_loaded(org: Caller) -> None:
    objects = org.http.get(OBJECTS).json()["sobjects"]
    fixed = {sobject["name"] for sobject in objects if not sobject["createable"]}
    assert fixed == {"Calendar", "Group", "Organization", "Profile", "RecordType"}
    answer = org.http.post(f"{DATA}/jobs/ingest", json={"object": "Profile", "operation": "insert"})
    assert answer.json()[0]["errorCode"] == "INVALIDENTITY"


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


@doc("REST API guide, Conditional Request Headers")
@pytest.mark.parametrize("path", [OBJECTS, f"{OBJECTS}/Account/describe"])
def test_what_has_not_changed_since_is_not_sent_again(org: Caller, path: str) -> None:
    answer = org.http.get(path)
    again = org.http.get(path, headers={"If-Modified-Since": answer.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")
    for since in ("Wed, 01 Jan 2020 00:00:00 GMT", "some day", f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"):
        assert org.http.get(path, headers={"If-Modified-Since": since}).status_code == 200


@pytest.fixture
def schema_file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "schema.yaml"
    file.write_text("objects: {Account: {fields: {Erp_Id__c: {type: string}}}}")
    yield file


@own
def test_a_changed_schema_is_sent_again(tmp_path: Path, schema_file: Path) -> None:
    now = datetime(2025, 1, 31, 12, tzinfo=UTC)
    path = f"{OBJECTS}/Account/describe"
    with an_org(tmp_path / "org", clock=lambda: now) as org:
        first = org.http.get(path).headers["Last-Modified"]
    now += timedelta(days=1)
    with an_org(tmp_path / "org", clock=lambda: now) as org:
        assert org.http.get(path).headers["Last-Modified"] == first == "Fri, 31 Jan 2025 12:00:00 GMT"
    with an_org(tmp_path / "org", clock=lambda: now, schema_file=schema_file) as org:
        answer = org.http.get(path, headers={"If-Modified-Since": first})
        assert (answer.status_code, answer.headers["Last-Modified"]) == (200, "Sat, 01 Feb 2025 12:00:00 GMT")


@doc("Bulk API 2.0 guide, Errors")
@pytest.mark.parametrize("path", ["sobjects/Nope", "sobjects/Nope/describe", "sobjects/Nope/001000000000000AAA"])
def test_an_object_that_is_not_there_is_not_found(org: Caller, path: str) -> None:
    answer = org.http.get(f"{DATA}/{path}")
    assert (answer.status_code, answer.json()) == (
        404,
        [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
    )


# The records that are there from the start.


@seen("traces of the official command line at login")
def test_the_organization_and_its_user_can_be_asked_for(org: Caller) -> None:
    soql = (
        "SELECT Id, Name, InstanceName, IsSandbox, TrialExpirationDate, OrganizationType, NamespacePrefix"
        " FROM Organization"
    )
    [record] = org.query(soql)["records"]
    del record["attributes"]
    assert record == snapshot(
        {
            "Id": "00D000000000001EAA",
            "Name": "Embedded org",
            "InstanceName": "EMU1",
            "IsSandbox": False,
            "TrialExpirationDate": None,
            "OrganizationType": "Developer Edition",
            "NamespacePrefix": None,
        }
    )
    user = org.record("005000000000001AAA", "User")
    assert (user["Username"], user["IsActive"], user["ProfileId"]) == (
        "admin@emulator.example",
        True,
        org.query("SELECT Id FROM Profile WHERE Name = 'System Administrator'")["records"][0]["Id"],
    )


@doc(REFERENCE)
def test_users_can_be_loaded(org: Caller) -> None:
    profile = org.query("SELECT Id FROM Profile")["records"][0]["Id"]
    name = f"{uuid4().hex}@example.com"
    header = "Username,LastName,Email,Alias,TimeZoneSidKey,LocaleSidKey,EmailEncodingKey,LanguageLocaleKey,ProfileId\n"
    row = f"{name},Ngata,w@example.com,wngata,Pacific/Auckland,en_NZ,UTF-8,en_US,{profile}\n"
    job = org.load(header + row + row, "User")
    assert (len(org.succeeded(job)), len(org.errors(job))) == (1, 1)
    assert org.query(f"SELECT Name, Profile.Name FROM User WHERE Username = '{name}'")["records"][0]["Name"] == "Ngata"
    assert org.load(f"Name,OwnerId\nOwned,{org.succeeded(job)[0]['sf__Id']}\n")["numberRecordsFailed"] == 0


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


# Single records.


@doc(ROWS)
def test_a_record_is_shown_whole_or_by_some_fields(org: Caller) -> None:
    record_id = account(org, Name="Acme", AnnualRevenue="5")
    record = org.record(record_id)
    assert (record["Name"], record["AnnualRevenue"], record["IsDeleted"], record["Phone"]) == ("Acme", 5.0, False, None)
    answer = org.http.get(f"{OBJECTS}/account/{record_id[:15]}", params={"fields": "name, AnnualRevenue"})
    assert shown(answer) == snapshot("""\
{
  "attributes": {
    "type": "Account",
    "url": "/services/data/v63.0/sobjects/Account/<001 id>"
  },
  "Name": "Acme",
  "AnnualRevenue": 5.0,
  "Id": "<001 id>"
}\
""")


@doc(ROWS)
@seen("threads that quote the API's text")
def test_a_field_that_is_not_there_can_not_be_shown(org: Caller) -> None:
    answer = org.http.get(f"{OBJECTS}/User/005000000000001AAA", params={"fields": "Nope"})
    assert (answer.status_code, answer.json()) == snapshot(
        (
            400,
            [
                {
                    "message": "No such column 'Nope' on entity 'User'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
                    "errorCode": "INVALID_FIELD",
                }
            ],
        )
    )


@assumed("the texts and the codes, which the platform uses for the same in other calls")
def test_a_record_that_is_not_there_is_told_apart_from_a_deleted_one(org: Caller) -> None:
    def refused(record_id: str) -> tuple[int, str, str]:
        answer = org.http.get(f"{OBJECTS}/Account/{record_id}")
        return answer.status_code, answer.json()[0]["errorCode"], answer.json()[0]["message"]

    assert refused("001000000000000AAA") == (404, "NOT_FOUND", "The requested resource does not exist")
    no_id = "Provided external ID field does not exist or is not accessible"
    assert refused("x") == (404, "NOT_FOUND", f"{no_id}: x")
    assert refused("003000000000000AAA") == (404, "NOT_FOUND", f"{no_id}: 003000000000000AAA")
    record_id = account(org, Name="Acme")
    org.load(f"Id\n{record_id}\n", operation="delete")
    assert refused(record_id) == (404, "ENTITY_IS_DELETED", "entity is deleted")


@doc("REST API guide, sObject Rows by External ID")
@assumed("the text for a field that is no external id")
def test_a_record_is_found_by_its_external_id(org: Caller) -> None:
    key = f"{uuid4().hex}/ä"
    record_id = account(org, Name="Acme", External_Id__c=key)
    answer = org.http.get(f"{OBJECTS}/Account/external_id__c/{quote(key, safe='')}", params={"fields": "Name"})
    assert (answer.json()["Name"], answer.json()["Id"]) == ("Acme", record_id)
    assert org.http.get(f"{OBJECTS}/Account/External_Id__c/nothing").status_code == 404
    answer = org.http.get(f"{OBJECTS}/Account/Name/Acme")
    assert (answer.status_code, answer.json()[0]["message"]) == (
        404,
        "Provided external ID field does not exist or is not accessible: Name",
    )


@doc("REST API guide, sObject Rows by External ID")
def test_several_records_of_a_key_are_listed(org: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    org.load(f"LastName,Email\nA,{email}\nB,{email}\n", "Contact")
    answer = org.http.get(f"{OBJECTS}/Contact/Email/{email}")
    assert (answer.status_code, len(answer.json())) == (300, 2)
    assert answer.json()[0].startswith(f"{OBJECTS}/Contact/003")
