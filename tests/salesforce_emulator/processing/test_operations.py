"""The five operations, by what they leave in the records."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from salesforce_emulator import Assumptions
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org, an_org_with, csv_text
from tests.salesforce_emulator.clocks import Clock
from tests.salesforce_emulator.processing.loads import made, only_error

PLATFORM = "code and text are those of the platform's other APIs"
JSFORCE = "live tests of jsforce"
PLUGIN_DATA = "live tests of plugin-data"


@doc("BG/Create a Job")
@seen(JSFORCE)
def test_an_insert_fills_defaults_and_names_the_new_record(org: Caller) -> None:
    job = org.load("Name,NumberOfEmployees\nAcme,35\n")
    [row] = org.succeeded(job)
    assert (row["sf__Created"], len(row["sf__Id"]), row["sf__Id"][:3]) == ("true", 18, "001")
    record = org.record(row["sf__Id"])
    assert (record["Name"], record["NumberOfEmployees"], record["IsDeleted"]) == ("Acme", 35, False)
    assert record["OwnerId"] == record["CreatedById"] == job["createdById"]
    assert record["Phone"] is None


@doc("Object reference, Case and Task")
def test_case_and_task_need_nothing_and_get_their_defaults(org: Caller) -> None:
    [case] = made(org, "Subject\nBroken\n", "Case")
    record = org.record(case, "Case")
    assert (record["Status"], record["Priority"], record["IsClosed"]) == ("New", "Medium", False)
    assert len(record["CaseNumber"]) == 8
    [task] = made(org, "Subject\nCall\n", "Task")
    assert org.record(task, "Task")["Status"] == "Not Started"


@assumed(PLATFORM)
def test_an_id_has_no_place_in_an_insert(org: Caller) -> None:
    job = org.load("Id,Name\n001000000000001AAA,A\n,B\n")
    assert org.errors(job) == ["INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"]
    assert [row["Name"] for row in org.succeeded(job)] == ["B"]


@doc("BG/Prepare CSV Files")
@seen(JSFORCE + ", for sf__Created")
def test_an_update_leaves_empty_cells_and_clears_na(org: Caller) -> None:
    [account] = made(org, "Name,Phone,Fax,Site\nAcme,1,2,3\n")
    job = org.load(f"Id,Name,Phone,Fax\n{account[:15]},,#N/A,9\n", operation="update")
    [row] = org.succeeded(job)
    assert (row["sf__Id"], row["sf__Created"]) == (account, "false")
    record = org.record(account)
    assert [record[name] for name in ("Name", "Phone", "Fax", "Site")] == ["Acme", None, "9", "3"]


@assumed("a boolean is never null, so nothing is false; for a new record too, whatever the default")
@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ("Company,LastName,IsUnreadByOwner\nAcme,Ngata,#N/A\n", {"operation": "insert"}),
        ("Id,IsUnreadByOwner\n{lead},#N/A\n", {"operation": "update"}),
        ("Id,IsUnreadByOwner\n{lead},#N/A\n", {"operation": "upsert", "externalIdFieldName": "Id"}),
    ],
    ids=["insert", "update", "upsert"],
)
def test_na_makes_a_boolean_false(org: Caller, data: str, settings: dict[str, str]) -> None:
    [lead] = made(org, "Company,LastName,IsUnreadByOwner\nAcme,Ngata,true\n", "Lead")
    job = org.load(data.replace("{lead}", lead), "Lead", **settings)
    [row] = org.succeeded(job)
    assert (row["IsUnreadByOwner"], org.record(row["sf__Id"], "Lead")["IsUnreadByOwner"]) == ("false", False)


@doc("Object reference, System Fields: LastModifiedById, LastModifiedDate, SystemModstamp")
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_change_is_stamped_with_who_made_it_and_when(tmp_path: Path, operation: str) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        [account] = made(org, "Name\nAcme\n")
        with closing(sqlite3.connect(tmp_path / "org.sqlite", isolation_level=None)) as database:
            database.execute("UPDATE Account SET LastModifiedById = '005000000000009AAA'")
        clock.forward(days=1)
        org.load(f"Id\n{account}\n", operation=operation)
        soql = "SELECT LastModifiedById, LastModifiedDate, SystemModstamp FROM Account"
        [record] = org.http.get("/services/data/v63.0/queryAll", params={"q": soql}).json()["records"]
    day_after = "2026-01-02T00:00:00.000+0000"
    assert list(record.values())[1:] == ["005000000000001AAA", day_after, day_after]


OPERATIONS = ("update", "delete", "hardDelete")


def outcome(org: Caller, operation: str, given: str) -> tuple[str, str]:
    """The id and the error of the only row, which fails."""
    header, row = ("Id,Name", f"{given},A") if operation == "update" else ("Id", given)
    return only_error(org, org.load(f"{header}\n{row}\n", operation=operation))


@seen(PLUGIN_DATA + ", 2024, the id echoed too")
@assumed("that a hard delete says the same, and of the id of another object")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("given", ["001000000000000AAA", "003000000000000AAA"])
def test_an_id_of_no_record_is_an_invalid_cross_reference(org: Caller, operation: str, given: str) -> None:
    assert outcome(org, operation, given) == (given, "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--")


@seen(PLUGIN_DATA + ", with a blank sf__Id")
@assumed("that it is still so: in 2024 the same test saw an invalid cross reference")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_id_is_malformed(org: Caller, operation: str) -> None:
    assert outcome(org, operation, "malformedAAA") == ("", "MALFORMED_ID:malformedAAA:--")


@assumed("ids in another case, or with spaces around them", switch="unsettled_cells")
def test_ids_of_a_form_that_no_source_settles_are_refused_or_taken(org: Caller, tmp_path: Path) -> None:
    def errors(org: Caller) -> list[str]:
        [account] = made(org, "Name\nA\n")
        forms = [account.lower(), account.upper(), f" {account}", f"{account[:15]} "]
        updates = org.load("Id,Site\n" + "".join(f"{form},x\n" for form in forms), operation="update")
        lookups = org.load("LastName,Account.Id\n" + "".join(f"A,{form}\n" for form in forms), "Contact")
        return [error.partition(":")[0] for job in (updates, lookups) for error in org.errors(job)]

    assert errors(org) == ["MALFORMED_ID"] * 4 + ["INVALID_FIELD"] * 4
    with an_org(tmp_path, assumptions=Assumptions(unsettled_cells="taken")) as taking:
        assert errors(taking) == []


@assumed(PLATFORM + "; #N/A is no id either")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("given", ['""', "#N/A"])
def test_a_row_without_an_id_misses_an_argument(org: Caller, operation: str, given: str) -> None:
    assert outcome(org, operation, given) == ("", "MISSING_ARGUMENT:Id not specified in an update call:--")


@doc("BG/Create a Job, externalIdFieldName")
@seen(JSFORCE + ", for sf__Created")
@assumed("the error of a row with a blank key")
def test_an_upsert_creates_what_is_missing_and_changes_what_is_there(org: Caller) -> None:
    key = uuid4().hex
    [account] = made(org, f"Name,External_Id__c\nOld,{key}\n")
    data = f"External_Id__c,Name\n{key.upper()},New\n{key}2,Other\n,None\n"
    job = org.load(data, operation="upsert", externalIdFieldName="External_Id__c")
    rows = {row["Name"]: row for row in org.succeeded(job)}
    assert (rows["New"]["sf__Id"], rows["New"]["sf__Created"]) == (account, "false")
    assert rows["Other"]["sf__Created"] == "true"
    assert org.record(account)["Name"] == "New"
    assert org.errors(job) == ["MISSING_ARGUMENT:External_Id__c not specified:--"]


CASES = """
objects:
  Part__c:
    fields:
      Any__c: {type: string, externalId: true, unique: true}
      Cased__c: {type: string, externalId: true, unique: true, caseSensitive: true}
      Plain__c: {type: string, externalId: true}
      Mail__c: {type: email, externalId: true}
      Number__c: {type: double, externalId: true, unique: true}
      Parent__c: {type: reference, referenceTo: Part__c}
"""


@doc("Apex developer guide, Upserting Records: case is ignored only if the field is unique and set to do so")
@seen("forcedotcom/dataloader, pull request 1453: the server ignores spaces around keys, but not those of full width")
@assumed(
    "which spaces these are: those that Java's trim takes away; that numbers are equal by value, emails in any case"
)
def test_keys_name_one_record_by_the_case_of_their_field_without_spaces_and_by_value(tmp_path: Path) -> None:
    with an_org_with(CASES, tmp_path) as org:

        def records(field: str, *keys: str) -> int:
            return len({row["sf__Id"] for key in keys for row in org.succeeded(org.load(
                csv_text([[field], [key]]), "Part__c", "upsert", externalIdFieldName=field))})  # fmt: skip

        assert [records(name, "K-1", "k-1 ", "\tK-1") for name in ("Any__c", "Cased__c", "Plain__c")] == [1, 2, 2]
        assert records("Any__c", "K-2", "K-2\u3000") == 2
        assert records("Mail__c", "ann@acme.example", "Ann@ACME.example") == 1
        assert records("Number__c", "7", "7.0", " 007") == 1
        assert org.errors(org.load("Parent__r.Mail__c\nANN@acme.example\n", "Part__c")) == []
        query = "SELECT Id FROM Part__c WHERE Cased__c = 'k-1'"
        assert org.query(query)["totalSize"] == 1


@assumed("code and text, and that the job completes, as a row without a key fails alone")
def test_an_upsert_without_the_column_of_its_key_fails_its_rows_and_not_the_job(org: Caller) -> None:
    job = org.load("Name\nA\nB\n", operation="upsert", externalIdFieldName="External_Id__c")
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 2)
    assert org.errors(job) == ["MISSING_ARGUMENT:External_Id__c not specified:--"] * 2


@seen(JSFORCE + ": the column may be missing entirely")
def test_an_upsert_by_id_creates_rows_without_one(org: Caller) -> None:
    [account] = made(org, "Name\nOld\n")
    job = org.load(f"Id,Name\n{account},New\n,Fresh\n", operation="upsert", externalIdFieldName="Id")
    assert {row["Name"]: row["sf__Created"] for row in org.succeeded(job)} == {"New": "false", "Fresh": "true"}
    without = org.load("NAME,PHONE\nA,1\nB,2\n", operation="upsert", externalIdFieldName="Id")
    assert [row["sf__Created"] for row in org.succeeded(without)] == ["true", "true"]


@seen("threads, for the beginning of the text")
@assumed("the rest of the text")
def test_a_key_with_several_records_fails_the_row_and_names_them(org: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    first, second = made(org, f"LastName,Email\nA,{email}\nB,{email}\n", "Contact")
    job = org.load(f"Email,LastName\n{email},C\n", "Contact", "upsert", externalIdFieldName="Email")
    message = f"Email: more than one record found for external id field: [{first}, {second}]"
    assert only_error(org, job) == ("", f"DUPLICATE_EXTERNAL_ID:{message}:--")


@assumed("no source settles it for Bulk API 2.0")
def test_a_key_twice_in_a_chunk_fails_the_second_row(org: Caller) -> None:
    key = uuid4().hex
    data = f"External_Id__c,Name\n{key},A\n{key},B\n"
    job = org.load(data, operation="upsert", externalIdFieldName="External_Id__c")
    error = f"DUPLICATE_VALUE:Duplicate external id specified: {key}:External_Id__c --"
    assert (org.errors(job), [row["Name"] for row in org.succeeded(job)]) == ([error], ["A"])


@assumed("no source settles it; a public script says that the last row silently wins")
def test_of_a_key_in_several_chunks_the_last_row_wins(org: Caller) -> None:
    run = uuid4().hex
    rows = [["External_Id__c", "Name"], *([f"{run}{n % 201}", f"{n:03}"] for n in range(402))]
    job = org.load(csv_text(rows), operation="upsert", externalIdFieldName="External_Id__c")
    created = [row["sf__Created"] for row in org.succeeded(job)]
    assert (job["numberRecordsFailed"], created.count("true"), created.count("false")) == (0, 201, 201)
    found = org.query(f"SELECT Name FROM Account WHERE External_Id__c = '{run}7'")["records"]
    assert [record["Name"] for record in found] == ["208"]


@assumed("as a blank key")
def test_a_key_that_is_na_misses_an_argument(org: Caller) -> None:
    data = "External_Id__c,Name\n#N/A,A\n"
    job = org.load(data, operation="upsert", externalIdFieldName="External_Id__c")
    assert only_error(org, job) == ("", "MISSING_ARGUMENT:External_Id__c not specified:--")


@own
def test_rows_that_change_one_record_do_so_in_their_order(org: Caller) -> None:
    [account] = made(org, "Name,Phone,Fax\nAcme,0,0\n")
    org.load(f"Id,Phone,Fax\n{account},1,\n{account},2,2\n{account},,3\n", operation="update")
    record = org.record(account)
    assert (record["Phone"], record["Fax"]) == ("2", "3")


@doc("BG/Create a Job")
@seen("several threads, for the text")
def test_a_deleted_record_is_gone_for_everyone_and_deleted_once(org: Caller) -> None:
    [account] = made(org, "Name,Site\nAcme,deleted once\n")
    job = org.load(f"ID\n{account}\n{account}\n", operation="delete")
    assert [(row["sf__Id"], row["sf__Created"]) for row in org.succeeded(job)] == [(account, "false")]
    assert only_error(org, job) == (account, "ENTITY_IS_DELETED:entity is deleted:--")
    assert org.http.get(f"/services/data/v63.0/sobjects/Account/{account}").status_code == 404
    assert org.count("Site = 'deleted once'") == 0
    again = org.load(f"Id,Name\n{account},Back\n", operation="update")
    assert only_error(org, again) == (account, "ENTITY_IS_DELETED:entity is deleted:--")


@doc("BG/Create a Job")
def test_a_hard_delete_leaves_nothing(org: Caller) -> None:
    [account] = made(org, "Name\nAcme\n")
    assert org.load(f"Id\n{account}\n", operation="hardDelete")["numberRecordsFailed"] == 0
    again = org.load(f"Id\n{account}\n", operation="delete")
    assert only_error(org, again) == (account, "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--")
