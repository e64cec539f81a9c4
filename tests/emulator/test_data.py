"""Objects, records and queries around the jobs."""

import pytest
from inline_snapshot import snapshot

from tests.emulator.caller import Caller, an_org, seen

DATA = "/services/data/v63.0"


def test_versions_are_listed_for_anyone(org: Caller) -> None:
    answer = org.http.get("/services/data", headers={"Authorization": "Bearer nonsense"})
    listed = answer.json()
    assert (listed[0]["version"], listed[-1]["version"], len(listed)) == ("41.0", "67.0", 27)
    assert listed[22] == {"label": "Spring '25", "url": "/services/data/v63.0", "version": "63.0"}


def test_limits_have_a_maximum_and_what_remains(org: Caller) -> None:
    limits = org.http.get(f"{DATA}/limits").json()
    assert limits["DailyBulkApiBatches"]["Max"] == 15_000
    assert 0 < limits["DailyApiRequests"]["Remaining"] < limits["DailyApiRequests"]["Max"]


def test_all_objects_are_listed(org: Caller) -> None:
    body = org.http.get(f"{DATA}/sobjects").json()
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


def test_describe_tells_what_a_check_before_upload_needs(org: Caller) -> None:
    body = org.http.get(f"{DATA}/sobjects/contact/describe").json()
    fields = {field["name"]: field for field in body["fields"]}
    assert fields["Email"] == snapshot(
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
    assert fields["Name"]["calculated"] and not fields["Name"]["createable"]
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["External_Id__c"]["externalId"] and fields["External_Id__c"]["unique"]
    assert [value["value"] for value in fields["Salutation"]["picklistValues"]][:2] == ["Mr.", "Ms."]


@pytest.mark.parametrize(
    ("object_", "required"),
    [
        ("Account", ["Name"]),
        ("Contact", ["LastName"]),
        ("Lead", ["LastName", "Company"]),
        ("Opportunity", ["Name", "StageName", "CloseDate"]),
        ("Case", []),
        ("Task", []),
    ],
)
def test_required_fields_are_those_of_salesforce(org: Caller, object_: str, required: list[str]) -> None:
    fields = org.http.get(f"{DATA}/sobjects/{object_}/describe").json()["fields"]
    assert [
        field["name"]
        for field in fields
        if not field["nillable"]
        and field["createable"]
        and not field["defaultedOnCreate"]
        and field["type"] != "boolean"
    ] == required


def test_what_is_not_there_is_not_found(org: Caller) -> None:
    for path in ("sobjects/Nope/describe", "sobjects/Account/001000000000000AAA", "sobjects/Account/x"):
        assert org.http.get(f"{DATA}/{path}").json()[0]["errorCode"] == "NOT_FOUND"


def test_a_query_answers_with_records_in_the_order_of_its_fields(org: Caller) -> None:
    org.load("LastName,FirstName,Title,DoNotCall\nNgata,Whetu,queried 1,true\nLi,,queried 2,false\n", "Contact")
    soql = "SELECT Name, Id, DoNotCall, AccountId FROM contact WHERE Title = 'Queried 1' AND DoNotCall = true LIMIT 5"
    assert seen(org.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 1,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "Name": "Whetu Ngata",
      "Id": "<003 id>",
      "DoNotCall": true,
      "AccountId": null
    }
  ]
}\
""")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Site = 'soql' AND AnnualRevenue = 1000", 1),
        ("Site = 'soql' AND AnnualRevenue = null", 1),
        ("Site = 'soql' AND Name = 'It\\'s'", 1),
        ("Site = 'soql' AND Name = 'a\\nb'", 1),
        ("Site = 'soql' AND IsDeleted = false", 3),
        ("Site = 'soql' LIMIT 2", 2),
        ("Site = 'soql' AND Name = 'x'' OR ''1'", None),
        ("Name = 'a' OR Name = 'b'", None),
        ("Name LIKE 'a%'", None),
        ("Name = 5", None),
        ("AnnualRevenue = '5'", None),
        ("Nope = 5", None),
        ("Name = 'a' LIMIT -1", None),
        ("Name = 'a", None),
        ("Name = 'a' garbage", None),
        ("", None),
    ],
)
def test_conditions_are_equalities_joined_by_and(org: Caller, where: str, found: int | None) -> None:
    if not org.count("Site = 'soql'"):
        org.load('Name,Site,AnnualRevenue\nIt\'s,soql,1000\n"a\nb",soql,5\nx,soql,\n')
    answer = org.http.get(f"{DATA}/query", params={"q": f"SELECT COUNT() FROM Account WHERE {where}"})
    if found is None:
        assert answer.status_code == 400
        assert answer.json()[0]["errorCode"] in ("MALFORMED_QUERY", "INVALID_FIELD")
    else:
        assert (answer.status_code, answer.json()) == (200, {"totalSize": found, "done": True, "records": []})


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Id FROM Account ORDER BY Name", "MALFORMED_QUERY"),
        ("SELECT Owner.Name FROM Account", "INVALID_FIELD"),
        ("SELECT \x00 FROM Account", "MALFORMED_QUERY"),
    ],
)
def test_what_is_no_such_query_is_refused(org: Caller, soql: str, code: str) -> None:
    answer = org.http.get(f"{DATA}/query", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) in ((400, code), (400, "MALFORMED_QUERY"))


def test_long_answers_come_in_pages_of_2000(org: Caller) -> None:
    org.load("Name,Site\n" + "".join(f"{number},paged\n" for number in range(4500)))
    answer = org.query("SELECT Name FROM Account WHERE Site = 'paged'")
    pages = [answer]
    while not answer["done"]:
        answer = org.http.get(answer["nextRecordsUrl"]).json()
        pages.append(answer)
    assert [len(page["records"]) for page in pages] == [2000, 2000, 500]
    assert {page["totalSize"] for page in pages} == {4500}
    assert len({record["Name"] for page in pages for record in page["records"]}) == 4500
    assert "nextRecordsUrl" not in pages[-1]
    assert org.http.get(f"{DATA}/query/01gEm0000099999-2000").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_the_list_of_jobs_comes_in_pages_of_1000(tmp_path_factory: pytest.TempPathFactory) -> None:
    with an_org(tmp_path_factory.mktemp("many-jobs")) as org:
        made = {org.create() for _ in range(1001)}
        first = org.http.get(f"{DATA}/jobs/ingest").json()
        assert (len(first["records"]), first["done"]) == (1000, False)
        assert first["nextRecordsUrl"].startswith("/services/data/v63.0/jobs/ingest?queryLocator=01g")
        last = org.http.get(first["nextRecordsUrl"]).json()
        assert (len(last["records"]), last["done"], last["nextRecordsUrl"]) == (1, True, None)
        assert {job["id"] for job in first["records"] + last["records"]} == made
        bad = org.http.get(f"{DATA}/jobs/ingest?queryLocator=x")
        assert (bad.status_code, bad.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")
