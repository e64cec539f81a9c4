"""Checks of rows before they are saved: required fields, lookups, unique values."""

from uuid import uuid4

import pytest

from tests.salesforce_emulator.behaviours import assumed, seen
from tests.salesforce_emulator.caller import Caller, csv_text
from tests.salesforce_emulator.processing.loads import made, only_error

JSFORCE = "live tests of jsforce"


@seen(JSFORCE + ", of one field")
@assumed("that several are listed together")
def test_missing_required_fields_are_told_together(org: Caller) -> None:
    job = org.load("FirstName\nAda\n", "Lead")
    assert only_error(org, job) == (
        "",
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]:LastName,Company --",
    )
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1, 1)


@seen("DBAmp BULKAPI2 log")
@assumed("that its case does not count")
def test_a_unique_value_is_taken_once_and_its_holder_named(org: Caller) -> None:
    key = uuid4().hex
    [holder] = made(org, f"Name,External_Id__c\nFirst,{key}\n")
    job = org.load(f"Name,External_Id__c\nSecond,{key.upper()}\n")
    assert org.errors(job) == [
        f"DUPLICATE_VALUE:duplicate value found: External_Id__c duplicates value on record with id: {holder}:--"
    ]


@seen("DBAmp BULKAPI2 log, for <unknown>, though of the field")
@assumed("that it stands for a record that is not saved yet")
def test_a_unique_value_is_taken_once_within_a_chunk(org: Caller) -> None:
    key = uuid4().hex
    job = org.load(f"Name,External_Id__c\nA,{key}\nB,{key}\nC,\nD,\n")
    assert org.errors(job) == [
        "DUPLICATE_VALUE:duplicate value found: External_Id__c duplicates value on record with id: <unknown>:--"
    ]
    assert sorted(row["Name"] for row in org.succeeded(job)) == ["A", "C", "D"]


@seen("DBAmp BULKAPI2 log")
def test_a_unique_value_is_taken_once_across_chunks(org: Caller) -> None:
    run = uuid4().hex
    rows = [["Name", "External_Id__c"], *([f"{n:03}", f"{run}{n % 201}"] for n in range(402))]
    job = org.load(csv_text(rows))
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (402, 201)
    assert sorted(row["Name"] for row in org.succeeded(job)) == [f"{n:03}" for n in range(201)]


@seen("several threads, for the text")
@assumed("that it is said of a lookup too")
def test_lookups_lead_to_live_records(org: Caller) -> None:
    [account] = made(org, "Name\nParent\n")
    assert org.load(f"LastName,AccountId\nNgata,{account[:15]}\n", "Contact")["numberRecordsFailed"] == 0
    org.load(f"Id\n{account}\n", operation="delete")
    job = org.load(f"LastName,AccountId\nNgata,{account}\n", "Contact")
    assert only_error(org, job) == ("", "ENTITY_IS_DELETED:entity is deleted:--")


@assumed("as an insert without it")
def test_an_update_may_not_clear_a_required_field(org: Caller) -> None:
    [account] = made(org, "Name\nAcme\n")
    job = org.load(f"Id,Name\n{account},#N/A\n", operation="update")
    assert only_error(org, job) == (account, "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")


@seen("DBAmp BULKAPI2 log, for the text")
def test_an_update_keeps_unique_values_unique_but_may_repeat_its_own(org: Caller) -> None:
    key = uuid4().hex
    first, second = made(org, f"Name,External_Id__c\nA,{key}a\nB,{key}b\n")
    job = org.load(f"Id,External_Id__c\n{first},{key}a\n{second},{key}a\n", operation="update")
    assert only_error(org, job)[0] == second


@seen("live tests of plugin-data, for an id of no record")
@assumed("that it is said of a lookup too")
@pytest.mark.parametrize(
    ("object_", "data"),
    [
        ("Contact", "LastName,AccountId\nNgata,001000000000001AAA\n"),
        ("Task", "Subject,WhoId\nCall,00Q000000000001\n"),
    ],
)
def test_a_lookup_to_no_record_fails_the_row(org: Caller, object_: str, data: str) -> None:
    assert only_error(org, org.load(data, object_)) == ("", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--")
