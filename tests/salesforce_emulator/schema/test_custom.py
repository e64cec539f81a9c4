"""Custom objects and fields."""

from importlib import resources
from pathlib import Path

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import DATA, an_org_with
from tests.salesforce_emulator.schema.schemas import OBJECTS, SCHEMA, fields_of

TYPES = """
objects:
  acme__Order__c:
    fields:
      acme__Lines__c: {type: int, required: true}
      acme__Opens__c: {type: time}
      acme__Number__c: {type: autonumber, format: "O-{000}", externalId: true}
      acme__Secret__c: {type: encryptedstring, length: 20}
      acme__Place__c: {type: location}
      acme__Account__c: {type: reference, referenceTo: Account}
  Account:
    fields:
      Birthday__pc: {type: date}
      acme__Mentor__pc: {type: reference, referenceTo: Contact}
"""


@doc("Object reference, Custom Objects: names with a namespace, and __pc for fields of person accounts; Field Types")
@assumed("the form of a time of day in a query")
def test_names_of_packages_and_person_accounts_and_more_types_are_loaded_described_and_queried(tmp_path: Path) -> None:
    with an_org_with(TYPES, tmp_path) as org:
        account = org.succeeded(org.load("Name,Birthday__pc\nAcme,1990-02-03\n"))[0]["sf__Id"]
        job = org.load(
            "acme__Lines__c,acme__Opens__c,acme__Secret__c,acme__Place__Latitude__s,acme__Place__Longitude__s,acme__Account__r.Id\n"
            f"3,08:30:00Z,secret,48.1,11.5,{account}\n"
            f"4,23:59:59.5Z,,,,{account}\n"
            f"5,25:00,,,,{account}\n"
            f"x,,,,,{account}\n",
            "acme__Order__c",
        )
        assert sorted(org.errors(job)) == snapshot(
            [
                "INVALID_FIELD:Failed to deserialize field at col 0. Due to, 'x' is not a valid value for the type xsd:int:acme__Lines__c --",
                "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '25:00' is not a valid value for the type xsd:time:acme__Opens__c --",
            ]
        )
        soql = (
            "SELECT acme__Number__c, acme__Opens__c, acme__Place__c, acme__Account__r.Birthday__pc FROM acme__Order__c"
        )
        [early] = org.query(f"{soql} WHERE acme__Opens__c < 12:00:00Z AND acme__Place__Latitude__s > 48")["records"]
        del early["attributes"], early["acme__Account__r"]["attributes"]
        assert early == snapshot(
            {
                "acme__Number__c": "O-001",
                "acme__Opens__c": "08:30:00.000Z",
                "acme__Place__c": {"latitude": 48.1, "longitude": 11.5},
                "acme__Account__r": {"Birthday__pc": "1990-02-03"},
            }
        )
        [late] = org.query(f"{soql} WHERE acme__Number__c = 'O-002'")["records"]
        assert (late["acme__Opens__c"], late["acme__Place__c"]) == ("23:59:59.500Z", None)
        refusal = org.http.get(f"{DATA}/query", params={"q": f"{soql} ORDER BY acme__Place__c"}).json()[0]
        assert refusal["errorCode"] == "INVALID_FIELD"
        found = {
            (field["type"], field["soapType"], field["createable"], field["filterable"], field["autoNumber"])
            for name, field in fields_of(org, "acme__Order__c").items()
            if name.startswith("acme__")
        }
        assert sorted(found) == snapshot(
            [
                ("double", "xsd:double", True, True, False),
                ("encryptedstring", "xsd:string", True, False, False),
                ("int", "xsd:int", True, True, False),
                ("location", "urn:location", False, False, False),
                ("reference", "tns:ID", True, True, False),
                ("string", "xsd:string", False, True, True),
                ("time", "xsd:time", True, True, False),
            ]
        )
        assert fields_of(org, "acme__Order__c")["acme__Place__Latitude__s"]["compoundFieldName"] == "acme__Place__c"
        mentor = fields_of(org, "Account")["acme__Mentor__pc"]
        assert (mentor["relationshipName"], mentor["label"]) == ("acme__Mentor__pr", "Mentor")
        set_itself = org.load("acme__Lines__c,acme__Number__c\n1,O-9\n", "acme__Order__c")
        assert org.errors(set_itself)[0].startswith("INVALID_FIELD_FOR_INSERT_UPDATE")


@own
def test_the_example_of_the_guide_is_a_schema(tmp_path: Path) -> None:
    guide = (resources.files("salesforce_emulator") / "README.md").read_text("utf-8")
    with an_org_with(guide.partition("```yaml\n")[2].partition("```")[0], tmp_path) as org:
        job = org.load("Name,AnnualRevenue,Tier__c\nA,-1,Silver\nB,-1,Gold\nC,1,\nD,-1,\n")
        message = "FIELD_CUSTOM_VALIDATION_EXCEPTION:Revenue can't be negative.:AnnualRevenue --"
        assert (org.errors(job), {row["Name"] for row in org.succeeded(job)}) == ([message] * 2, {"B", "C"})


@own
def test_fields_of_the_file_stand_beside_those_of_salesforce(tmp_path: Path) -> None:
    with an_org_with(SCHEMA, tmp_path) as org:
        fields = fields_of(org, "Account")
        erp = fields["Erp_Id__c"]
        assert (erp["label"], erp["length"], erp["externalId"], erp["unique"], erp["idLookup"], erp["custom"]) == (
            *("ERP id", 40, True, True, True, True),
        )
        tier = fields["Tier__c"]
        assert (tier["restrictedPicklist"], tier["defaultedOnCreate"], tier["label"]) == (True, True, "Tier")
        job = org.load("Name,Erp_Id__c,Tier__c\nA,7,Gold\nB,7,\nC,8,Tin\n", operation="insert")
        assert sorted(error.partition(":")[0] for error in org.errors(job)) == [
            "DUPLICATE_VALUE",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ]
        again = org.load("Erp_Id__c,Name\n7,AA\n9,D\n", operation="upsert", externalIdFieldName="Erp_Id__c")
        assert {row["Name"]: row["sf__Created"] for row in org.succeeded(again)} == {"AA": "false", "D": "true"}
        assert org.query("SELECT Tier__c FROM Account WHERE Erp_Id__c = '9'")["records"][0]["Tier__c"] == "Silver"


@own
def test_objects_of_the_file_are_loaded_like_those_of_salesforce(tmp_path: Path) -> None:
    with an_org_with(SCHEMA, tmp_path) as org:
        [account] = org.succeeded(org.load("Name\nAcme\n"))
        job = org.load(f"Number__c,Account__c,Amount__c\n1,{account['sf__Id']},9.5\n2,,1\n", "invoice__c")
        assert org.errors(job) == ["REQUIRED_FIELD_MISSING:Required fields are missing: [Account__c]:Account__c --"]
        credit = (
            f"Number__c,Account__c,Amount__c,Credit_For__c\n3,{account['sf__Id']},-1,{org.succeeded(job)[0]['sf__Id']}"
        )
        assert org.load(f"{credit}\n", "Invoice__c")["numberRecordsFailed"] == 0
        soql = (
            "SELECT Account__r.Name, Credited__r.Amount__c, Due__c, Paid__c, Owner.Name FROM Invoice__c"
            " WHERE Number__c = 3"
        )
        [record] = org.query(soql)["records"]
        assert (record["Account__r"]["Name"], record["Credited__r"]["Amount__c"]) == ("Acme", 9.5)
        assert (record["Due__c"], record["Paid__c"], record["Owner"]["Name"]) == ("2025-01-31", True, "Administrator")


@doc("Object reference, Custom Objects")
def test_a_custom_record_without_a_name_is_named_by_its_id(tmp_path: Path) -> None:
    with an_org_with(SCHEMA, tmp_path) as org:
        [row] = org.succeeded(org.load("OwnerId\n005000000000001AAA\n", "Note_2__c"))
        assert org.record(row["sf__Id"], "Note_2__c")["Name"] == row["sf__Id"]


@own
def test_a_custom_object_is_described_as_one(tmp_path: Path) -> None:
    with an_org_with(SCHEMA, tmp_path) as org:
        body = org.http.get(f"{OBJECTS}/Invoice__c/describe").json()
        assert (body["label"], body["labelPlural"], body["custom"], body["keyPrefix"]) == (
            *("Invoice", "Invoices", True, "a00"),
        )
        assert [field["name"] for field in body["fields"] if field["custom"]] == [
            *("Number__c", "Account__c", "Credit_For__c", "Amount__c", "Due__c", "Paid__c", "Tags__c")
        ]
        children = org.http.get(f"{OBJECTS}/Account/describe").json()["childRelationships"]
        assert ("Invoice__c", "Invoices") in [(child["childSObject"], child["relationshipName"]) for child in children]
