"""The five operations, read back from the records."""

from uuid import uuid4

import pytest

from tests.emulator.caller import Caller, Job


def made(org: Caller, data: str, object_: str = "Account") -> list[str]:
    """The ids of records just inserted, in the order of the rows."""
    job = org.load(data, object_)
    assert org.errors(job) == []
    key = data.partition("\n")[0].split(",")[0]
    ids = {row[key]: row["sf__Id"] for row in org.succeeded(job)}
    return [ids[line.split(",")[0]] for line in data.splitlines()[1:]]


def only_error(org: Caller, job: Job) -> tuple[str, str]:
    [row] = org.rows(job, "failedResults")
    return row["sf__Id"], row["sf__Error"]


# insert


def test_an_insert_fills_defaults_and_names_the_new_record(org: Caller) -> None:
    job = org.load("Name,NumberOfEmployees\nAcme,35\n")
    [row] = org.succeeded(job)
    assert (row["sf__Created"], len(row["sf__Id"]), row["sf__Id"][:3]) == ("true", 18, "001")
    record = org.record(row["sf__Id"])
    assert (record["Name"], record["NumberOfEmployees"], record["IsDeleted"]) == ("Acme", 35, False)
    assert record["OwnerId"] == record["CreatedById"] == job["createdById"]
    assert record["Phone"] is None


def test_missing_required_fields_are_told_together(org: Caller) -> None:
    job = org.load("FirstName\nAda\n", "Lead")
    assert only_error(org, job) == (
        "",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]:LastName,Company --",
    )
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1, 1)


def test_case_and_task_need_nothing_and_get_their_defaults(org: Caller) -> None:
    [case] = made(org, "Subject\nBroken\n", "Case")
    record = org.record(case, "Case")
    assert (record["Status"], record["Priority"], record["IsClosed"]) == ("New", "Medium", False)
    assert len(record["CaseNumber"]) == 8
    [task] = made(org, "Subject\nCall\n", "Task")
    assert org.record(task, "Task")["Status"] == "Not Started"


def test_an_id_has_no_place_in_an_insert(org: Caller) -> None:
    job = org.load("Id,Name\n001000000000001AAA,A\n,B\n")
    assert org.errors(job) == ["INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"]
    assert [row["Name"] for row in org.succeeded(job)] == ["B"]


def test_unique_values_are_taken_once(org: Caller) -> None:
    key = uuid4().hex
    [holder] = made(org, f"Name,External_Id__c\nFirst,{key}\n")
    job = org.load(f"Name,External_Id__c\nSecond,{key.upper()}\n")
    assert org.errors(job) == [
        f"DUPLICATE_VALUE:duplicate value found: External_Id__c duplicates value on record with id: {holder}:--"
    ]
    twice = org.load(f"Name,External_Id__c\nA,{key}2\nB,{key}2\nC,\nD,\n")
    assert (twice["numberRecordsProcessed"], twice["numberRecordsFailed"]) == (4, 1)


def test_lookups_lead_to_live_records(org: Caller) -> None:
    [account] = made(org, "Name\nParent\n")
    assert org.load(f"LastName,AccountId\nNgata,{account[:15]}\n", "Contact")["numberRecordsFailed"] == 0
    org.load(f"Id\n{account}\n", operation="delete")
    job = org.load(f"LastName,AccountId\nNgata,{account}\n", "Contact")
    assert only_error(org, job) == ("", "ENTITY_IS_DELETED:entity is deleted:--")


# update


def test_an_update_leaves_empty_cells_and_clears_na(org: Caller) -> None:
    [account] = made(org, "Name,Phone,Fax,Site\nAcme,1,2,3\n")
    job = org.load(f"Id,Name,Phone,Fax\n{account[:15]},,#N/A,9\n", operation="update")
    [row] = org.succeeded(job)
    assert (row["sf__Id"], row["sf__Created"]) == (account, "false")
    record = org.record(account)
    assert [record[name] for name in ("Name", "Phone", "Fax", "Site")] == ["Acme", None, "9", "3"]


@pytest.mark.parametrize("operation", ["update", "delete", "hardDelete"])
@pytest.mark.parametrize(
    ("given", "shown", "error"),
    [
        ("001000000000000AAA", "001000000000000AAA", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"),
        ("003000000000000AAA", "003000000000000AAA", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"),
        ("malformedAAA", "", "MALFORMED_ID:malformedAAA:--"),
        ('""', "", "MISSING_ARGUMENT:Id not specified in an update call:--"),
    ],
)
def test_a_bad_id_fails_its_row(org: Caller, operation: str, given: str, shown: str, error: str) -> None:
    header, row = ("Id,Name", f"{given},A") if operation == "update" else ("Id", given)
    assert only_error(org, org.load(f"{header}\n{row}\n", operation=operation)) == (shown, error)


def test_an_update_may_not_clear_a_required_field(org: Caller) -> None:
    [account] = made(org, "Name\nAcme\n")
    job = org.load(f"Id,Name\n{account},#N/A\n", operation="update")
    assert only_error(org, job) == (account, "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")


def test_an_update_keeps_unique_values_unique_but_may_repeat_its_own(org: Caller) -> None:
    key = uuid4().hex
    first, second = made(org, f"Name,External_Id__c\nA,{key}a\nB,{key}b\n")
    job = org.load(f"Id,External_Id__c\n{first},{key}a\n{second},{key}a\n", operation="update")
    assert only_error(org, job)[0] == second


# upsert


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


def test_an_upsert_by_id_creates_rows_without_one(org: Caller) -> None:
    """Seen in jsforce's live test: the column may be missing entirely."""
    [account] = made(org, "Name\nOld\n")
    job = org.load(f"Id,Name\n{account},New\n,Fresh\n", operation="upsert", externalIdFieldName="Id")
    assert {row["Name"]: row["sf__Created"] for row in org.succeeded(job)} == {"New": "false", "Fresh": "true"}
    without = org.load("NAME,PHONE\nA,1\nB,2\n", operation="upsert", externalIdFieldName="Id")
    assert [row["sf__Created"] for row in org.succeeded(without)] == ["true", "true"]


def test_a_key_with_several_records_fails_the_row_and_names_them(org: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    first, second = made(org, f"LastName,Email\nA,{email}\nB,{email}\n", "Contact")
    job = org.load(f"Email,LastName\n{email},C\n", "Contact", "upsert", externalIdFieldName="Email")
    message = f"Email: more than one record found for external id field: [{first}, {second}]"
    assert only_error(org, job) == ("", f"DUPLICATE_EXTERNAL_ID:{message}:--")


def test_a_key_twice_in_a_chunk_fails_the_second_row(org: Caller) -> None:
    key = uuid4().hex
    data = f"External_Id__c,Name\n{key},A\n{key},B\n"
    job = org.load(data, operation="upsert", externalIdFieldName="External_Id__c")
    error = f"DUPLICATE_VALUE:Duplicate external id specified: {key}:External_Id__c --"
    assert (org.errors(job), [row["Name"] for row in org.succeeded(job)]) == ([error], ["A"])


# delete


def test_a_deleted_record_is_gone_for_everyone_and_deleted_once(org: Caller) -> None:
    [account] = made(org, "Name,Site\nAcme,deleted once\n")
    job = org.load(f"ID\n{account}\n{account}\n", operation="delete")
    assert [(row["sf__Id"], row["sf__Created"]) for row in org.succeeded(job)] == [(account, "false")]
    assert only_error(org, job) == (account, "ENTITY_IS_DELETED:entity is deleted:--")
    assert org.http.get(f"/services/data/v63.0/sobjects/Account/{account}").status_code == 404
    assert org.count("Site = 'deleted once'") == 0
    again = org.load(f"Id,Name\n{account},Back\n", operation="update")
    assert only_error(org, again) == (account, "ENTITY_IS_DELETED:entity is deleted:--")


def test_a_hard_delete_leaves_nothing(org: Caller) -> None:
    [account] = made(org, "Name\nAcme\n")
    assert org.load(f"Id\n{account}\n", operation="hardDelete")["numberRecordsFailed"] == 0
    again = org.load(f"Id\n{account}\n", operation="delete")
    assert only_error(org, again) == (account, "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--")


@pytest.mark.parametrize("header", ["Id,Name", "Name", "Id,Id", "Ident"])
def test_delete_batches_must_contain_only_ids(org: Caller, header: str) -> None:
    job = org.load(f"{header}\nx,y\n", operation="delete")
    assert job["errorMessage"] == "InvalidBatch : The 'delete' batch must contain only ids."
