"""jsforce, the client for Node.js, through scripts that call it as its users do."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CALLBACK_URL, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.clients.node import script
from tests.clients.orgs import AWKWARD, Product, asked_for, faults_met, meet, named, rows_of, stored
from tests.salesforce_emulator.caller import DELIMITERS, Caller, an_org, an_org_with, csv_text

# The fields with which Salesforce makes every new developer org, and which the file of jsforce's live test has.
DEVELOPER_EDITION = """
objects:
  Account:
    fields:
      CustomerPriority__c: {type: picklist, picklist: [High, Low, Medium]}
      SLA__c: {type: picklist, picklist: [Gold, Silver, Platinum, Bronze]}
      Active__c: {type: picklist, picklist: ["No", "Yes"]}
      NumberofLocations__c: {type: double, precision: 3, scale: 0}
      UpsellOpportunity__c: {type: picklist, picklist: [Maybe, "No", "Yes"]}
      SLASerialNumber__c: {type: string, length: 10}
      SLAExpirationDate__c: {type: date}
"""
LIVE_HEADER = (
    "NAME,TYPE,PARENTID,BILLINGSTREET,BILLINGCITY,SHIPPINGCOUNTRY,PHONE,WEBSITE,SIC,INDUSTRY,ANNUALREVENUE,NUMBEROFEMPLOYEES,"
    "DESCRIPTION,SITE,CUSTOMERPRIORITY__C,SLA__C,ACTIVE__C,NUMBEROFLOCATIONS__C,UPSELLOPPORTUNITY__C,SLASERIALNUMBER__C,"
    "SLAEXPIRATIONDATE__C"
).split(",")

Results = dict[str, list[dict[str, str]]]


def run(name: str, org: Caller, **given: Any) -> Any:
    return script(f"jsforce/{name}.mjs", {"url": str(org.http.base_url), "token": ACCESS_TOKEN, **given})


def live_row(number: int) -> list[str]:
    """A row in the forms of the live test's file: a type of its own, an exponent, a line break, columns without values."""
    filled = [f"file {number}", "Old Customer", "", "1-2, Ginza", "Chuo", "", "+81 3 3543 5523", "www.example.com", ""]
    return [*filled, "Motor Vehicles", "6.11E+10", "54470", 'Says "yes"\nand no', *[""] * 8]


def load(org: Caller, input: str | list[dict[str, Any]], **job: Any) -> Results:
    results: Results = run("load", org, input=input, job={"object": "Account", **job})
    return results


# Signing in


def test_an_app_signs_in_and_renews_a_session_that_ends_in_mid_job(org: Caller) -> None:
    meet(org, on="status", fault="expired-session")
    client = {"loginUrl": str(org.http.base_url), "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    said = run("login", org, client=client, job={"object": "Account", "operation": "insert"}, input="Name\none\n")
    assert said["loaded"]["successfulResults"][0]["Name"] == "one"
    assert said["identity"].pop("organization_id") == org.organization_id
    assert said["identity"] == snapshot({"username": "admin@emulator.example", "user_id": "005000000000001AAA"})
    assert said["refused"] == snapshot({"name": "invalid_client", "message": "invalid client credentials"})
    assert (faults_met(org), asked_for(org, "token")) == (1, [400, 200, 200])


def test_a_user_signs_in_on_pages_and_the_app_renews_the_session_and_signs_out(org: Caller) -> None:
    meet(org, on="status", fault="expired-session")
    said = run(
        "web",
        org,
        client={"loginUrl": str(org.http.base_url), "clientId": CLIENT_ID, "redirectUri": CALLBACK_URL},
        user={"username": USERNAME, "pw": PASSWORD},
        state="a state of ours",
        job={"object": "Account", "operation": "insert"},
        input="Name\none\n",
    )
    assert said.pop("loaded")["successfulResults"][0]["Name"] == "one"
    assert said == snapshot(
        {
            "callback": "http://localhost:1717/OauthRedirect",
            "state": "a state of ours",
            "afterwards": {"name": "invalid_grant", "message": "expired access/refresh token"},
        }
    )
    assert (faults_met(org), asked_for(org, "token")) == (1, [200, 200, 400])


def test_a_user_signs_in_over_soap_and_out(org: Caller) -> None:
    said = run("password", org, username=USERNAME, password=PASSWORD)
    assert said.pop("organizationId") == org.organization_id
    assert said == snapshot(
        {
            "refused": {
                "name": "Error",
                "message": "INVALID_LOGIN: Invalid username, password, security token; or user locked out.",
            },
            "id": "005000000000001AAA",
            "username": "admin@emulator.example",
            "afterwards": {"name": "INVALID_SESSION_ID", "message": "Session expired or invalid"},
        }
    )


# Loading


def test_inserted_records_are_stored_and_reported_cell_by_cell(org: Caller) -> None:
    records = [{"Name": name, "Description": cell} for name, cell in AWKWARD.items()]
    results = load(org, records, operation="insert")
    assert stored(org, "Name", "Description") == sorted(AWKWARD.items())
    assert {row["Name"]: row["Description"] for row in results["successfulResults"]} == AWKWARD
    assert (results["failedResults"], results["unprocessedRecords"]) == ([], [])


@pytest.mark.parametrize("delimiter", sorted(DELIMITERS))
def test_text_with_any_delimiter_is_loaded_and_reported(org: Caller, delimiter: str) -> None:
    character = DELIMITERS[delimiter]
    rows = [["Name", "Description"], ["one", f"left{character}right"], ["", "has no name"]]
    results = load(org, csv_text(rows, delimiter=character), operation="insert", columnDelimiter=delimiter)
    assert stored(org, "Name", "Description") == [("one", f"left{character}right")]
    assert [row["Description"] for row in results["successfulResults"]] == [f"left{character}right"]
    assert [row["Description"] for row in results["failedResults"]] == ["has no name"]


def test_null_clears_a_field_and_what_is_missing_stays(org: Caller) -> None:
    org.load("External_Id__c,Name,Phone,Site\nA,first,1,HQ\n")
    ((id_, *_),) = stored(org, "Id")
    load(org, [{"Id": id_, "Phone": None, "Name": "renamed"}], operation="update")
    assert stored(org, "Name", "Phone", "Site") == [("renamed", None, "HQ")]


def test_an_upsert_tells_created_from_updated(org: Caller) -> None:
    org.load("External_Id__c,Name\nA,old\n")
    records = [{"External_Id__c": "A", "Name": "new"}, {"External_Id__c": "B", "Name": "other"}]
    results = load(org, records, operation="upsert", externalIdFieldName="External_Id__c")
    assert stored(org, "External_Id__c", "Name") == [("A", "new"), ("B", "other")]
    created = {row["External_Id__c"]: row["sf__Created"] for row in results["successfulResults"]}
    assert created == {"A": "false", "B": "true"}


@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
def test_deleted_records_are_gone(org: Caller, operation: str) -> None:
    first, _ = named(org, "first", "second")
    results = load(org, [{"Id": first, "Name": "only the id goes up"}], operation=operation)
    assert stored(org, "Name") == [("second",)]
    assert results["successfulResults"] == [{"sf__Id": first, "sf__Created": "false", "Id": first}]


def test_failed_rows_come_with_their_reasons(org: Caller) -> None:
    results = load(org, [{"Name": "fine", "Phone": "1"}, {"Name": "", "Phone": "2"}], operation="insert")
    assert [row["Name"] for row in results["successfulResults"]] == ["fine"]
    assert results["failedResults"] == snapshot(
        [
            {
                "sf__Id": "",
                "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
                "Name": "",
                "Phone": "2",
            }
        ]
    )


def test_a_load_that_takes_longer_than_the_wait_goes_on(tmp_path: Path) -> None:
    """It means to delete the job then; the org refuses that to a job that is being processed."""
    rows = [["Name"], *([f"account {number}"] for number in range(800))]
    with an_org(tmp_path, rows_per_second=200) as org:
        late = run("late", org, input=csv_text(rows))
        assert late == {"name": "JobPollingTimeout", "message": late["message"]}
        (job,) = org.http.get("/services/data/v63.0/jobs/ingest").json()["records"]
        assert org.until(job["id"])["state"] == "JobComplete"


def test_a_server_that_is_away_for_a_moment_is_asked_again(org: Caller) -> None:
    meet(org, on="status", fault="unavailable", times=2)
    load(org, [{"Name": "one"}], operation="insert")
    assert (stored(org, "Name"), asked_for(org, "status")[:3]) == ([("one",)], [503, 503, 200])


# Jobs, one step at a time


def test_a_file_goes_up_as_a_stream_and_the_reports_come_raw(org: Caller, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    names = [f"account {number}" for number in range(30_000)]
    file.write_text(csv_text([["Name", "Phone"], *([name, "1"] for name in names), ["", "2"]]))
    said = run("steps", org, file=str(file), job={"object": "Account", "operation": "insert"})
    assert (said["opened"]["state"], said["closed"]["state"]) == ("Open", "UploadComplete")
    done = said["done"]
    assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == ("JobComplete", 30_001, 1)
    assert sorted(row["Name"] for row in rows_of(said["successes"])) == sorted(names)
    assert said["failures"] == snapshot("""\
"sf__Id","sf__Error",Name,Phone
"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","2"
""")
    assert rows_of(said["unprocessed"]) == []
    assert said["events"] == ["open", "close", "inProgress", "jobComplete"]


def test_each_refusal_is_thrown_with_its_code_and_text(org: Caller) -> None:
    assert run("refusals", org) == snapshot(
        {
            "unknownObject": {"name": "INVALIDENTITY", "message": "Entity 'Nothing' is not supported by the Bulk API."},
            "unknownColumn": {
                "name": "Error",
                "message": "Ingest job failed to complete due to: InvalidBatch : Field name not found : Nmae",
            },
            "closedAfterAbort": {"name": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"},
            "polledAfterAbort": {"name": "Error", "message": "Job has been aborted"},
            "checkedAfterDelete": {"name": "NOT_FOUND", "message": "The requested resource does not exist"},
            "badToken": {"name": "INVALID_SESSION_ID", "message": "Session expired or invalid"},
        }
    )


@pytest.mark.parametrize("version", [None, "63.0"])
def test_the_org_does_what_jsforces_own_live_test_expects(tmp_path: Path, version: str | None) -> None:
    """At jsforce's default version, 50.0, as its live test does, and at a newer one."""
    (file := tmp_path / "accounts.csv").write_text(csv_text([LIVE_HEADER, *map(live_row, range(100))]))
    with an_org_with(DEVELOPER_EDITION, tmp_path) as org:
        (ids := tmp_path / "ids.csv").write_text("Id\n" + "".join(f"{id_}\n" for id_ in named(org, "first", "second")))
        said = run("live", org, version=version, file=str(file), ids=str(ids))
        assert org.count("Name LIKE 'file %' AND AnnualRevenue = 61100000000 AND SLA__c = NULL") == 100
    assert (said.pop("version"), said.pop("apiVersion")) == ((version or "50.0"), float(version or "50.0"))
    assert said == snapshot(
        {
            "mixed": {
                "created": 200,
                "changed": 0,
                "failed": 1,
                "unprocessed": 0,
                "reasons": [["", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"]],
            },
            "updated": {"created": 0, "changed": 20, "failed": 0, "unprocessed": 0},
            "nothingInserted": {"created": 0, "changed": 0, "failed": 0, "unprocessed": 0},
            "nothingDeleted": {"created": 0, "changed": 0, "failed": 0, "unprocessed": 0},
            "deleted": {"created": 0, "changed": 20, "failed": 0, "unprocessed": 0},
            "fromFile": {"created": 100, "changed": 0, "failed": 0, "unprocessed": 0},
            "deletedFromFile": {"created": 0, "changed": 2, "failed": 0, "unprocessed": 0},
            "afterRenewal": {"created": 0, "changed": 100, "failed": 0, "unprocessed": 0, "renewed": True},
            "withoutRenewal": "INVALID_SESSION_ID",
            "many": {
                "updated": {"answers": 250, "good": 250},
                "complete": 250,
                "destroyed": {"answers": 250, "good": 250},
            },
            "few": {"updated": {"answers": 20, "good": 20}, "complete": 20, "destroyed": {"answers": 20, "good": 20}},
            "noneUpdated": [],
            "noneDestroyed": [],
            "queryJob": {
                "name": "NOT_FOUND",
                "message": "The embedded org does not have query jobs of Bulk API 2.0: query with SOQL (GET /services/data/v67.0/query?q=...).",
            },
            "singleRecord": {
                "name": "METHOD_NOT_ALLOWED",
                "message": "HTTP Method 'POST' not allowed. Allowed are GET,HEAD. The embedded org does not have resources that write single records: load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest).",
            },
            "bulk1": {
                "name": "FeatureNotEnabled",
                "message": "The embedded org does not have Bulk API 1.0: load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest).",
            },
            "username": "admin@emulator.example",
        }
    )


# Around the jobs


def test_a_query_is_followed_page_by_page(org: Caller) -> None:
    names = [f"account {number:04}" for number in range(4500)]
    org.load("\n".join(["Name", *names, ""]))
    found = run("query", org, soql="SELECT Name FROM Account", all=False)
    assert (found["total"], found["done"]) == (4500, True)
    assert sorted(record["Name"] for record in found["records"]) == names


def test_a_query_of_all_records_finds_the_deleted(org: Caller) -> None:
    (gone, _) = named(org, "gone", "there")
    org.load(f"Id\n{gone}\n", operation="delete")
    found = run("query", org, soql="SELECT Name, IsDeleted FROM Account", all=True)
    assert sorted((each["Name"], each["IsDeleted"]) for each in found["records"]) == [("gone", True), ("there", False)]


def test_objects_records_and_limits_are_shown(org: Caller) -> None:
    (id_,) = named(org, "Ngata")
    shown = run("look", org, id=id_)
    objects = shown.pop("objects")
    assert {"Account", "Contact", "Lead", "Opportunity"} <= set(objects)
    assert shown.pop("found") == [id_]
    assert shown == snapshot(
        {"keyPrefix": "001", "externalIds": ["External_Id__c"], "record": "Ngata", "requests": 100000, "usage": 100000}
    )


# The product's own surface


def test_the_product_serves_it_on_salesforces_own_paths(product: Product, tmp_path: Path) -> None:
    """Its users change nothing but the address of the instance."""
    given = {"url": product.url, "token": "any token"}
    records = [{"LastName": name, "Description": cell} for name, cell in AWKWARD.items()]
    job = {"object": "Contact", "operation": "insert"}
    results = script("jsforce/load.mjs", {**given, "input": [*records, {"LastName": ""}], "job": job})
    assert stored(product.org, "LastName", "Description", object_="Contact") == sorted(AWKWARD.items())
    assert {row["LastName"]: row["Description"] for row in results["successfulResults"]} == AWKWARD
    assert [row["sf__Error"][:22] for row in results["failedResults"]] == ["REQUIRED_FIELD_MISSING"]
    file = tmp_path / "contacts.csv"
    file.write_text("Id\n" + "".join(f"{row['sf__Id']}\n" for row in results["successfulResults"]))
    said = script("jsforce/steps.mjs", {**given, "file": str(file), "job": {**job, "operation": "delete"}})
    assert (said["done"]["numberRecordsProcessed"], said["done"]["numberRecordsFailed"]) == (9, 0)
    assert stored(product.org, "Id", object_="Contact") == []
