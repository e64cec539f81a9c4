"""Custom objects and fields."""

from importlib import resources
from pathlib import Path

from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import an_org_with
from tests.salesforce_emulator.schema.schemas import OBJECTS, SCHEMA, fields_of


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
