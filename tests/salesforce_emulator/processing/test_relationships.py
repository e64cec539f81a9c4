"""Relationship columns: lookups given by a field of the parent."""

from uuid import uuid4

import pytest

from salesforce_emulator.config import USER_ID, USERNAME
from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import Caller, Job

GUIDE = "BG/Relationship Fields in a Header Row (2.0)"
RUNBOOK = "a migration runbook, August 2026"


@pytest.fixture
def key(org: Caller) -> str:
    """The external id of an account that is there."""
    key = uuid4().hex
    made(org, f"Name,External_Id__c\nParent,{key}\n")
    return key


def made(org: Caller, data: str, object_: str = "Account") -> str:
    """The id of the one record that is inserted."""
    job = org.load(data, object_)
    assert org.errors(job) == []
    [row] = org.succeeded(job)
    return row["sf__Id"]


def id_of(org: Caller, key: str) -> str:
    [record] = org.query(f"SELECT Id FROM Account WHERE External_Id__c = '{key}'")["records"]
    return str(record["Id"])


def contacts(org: Caller, job: Job) -> list[Job]:
    """The records of the rows that succeeded, by last name."""
    rows = sorted(org.succeeded(job), key=lambda row: row.get("LastName", ""))
    return [org.record(row["sf__Id"], "Contact") for row in rows]


@doc(GUIDE)
@pytest.mark.parametrize("header", ["Account.External_Id__c", "ACCOUNT.external_id__C"])
def test_a_parent_is_found_by_its_external_id(org: Caller, key: str, header: str) -> None:
    job = org.load(f"LastName,{header}\nNgata,{key.upper()}\n", "Contact")
    [contact] = contacts(org, job)
    assert contact["AccountId"] == id_of(org, key)


@doc(GUIDE)
def test_an_owner_is_found_by_email(org: Caller) -> None:
    job = org.load(f"LastName,Owner.Email\nNgata,{USERNAME}\n", "Contact")
    assert [contact["OwnerId"] for contact in contacts(org, job)] == [USER_ID]


@doc(GUIDE)
@assumed("that a header may name two kinds, of which each row takes one")
def test_the_kind_of_parent_is_named_where_there_are_several(org: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    lead = made(org, f"LastName,Company,Email\nLead,Acme,{email}\n", "Lead")
    contact = made(org, f"LastName,Email\nContact,{email}\n", "Contact")
    job = org.load(f"Subject,Lead:Who.Email\nCall,{email}\n", "Task")
    assert org.record(org.succeeded(job)[0]["sf__Id"], "Task")["WhoId"] == lead
    both = org.load(f"Subject,Lead:Who.Email,Contact:Who.Email\nA,{email},\nB,,{email}\n", "Task")
    who = {row["Subject"]: org.record(row["sf__Id"], "Task")["WhoId"] for row in org.succeeded(both)}
    assert who == {"A": lead, "B": contact}


@doc(GUIDE)
def test_custom_relationships_end_in_r(family: Caller) -> None:
    key = uuid4().hex
    mother = made(family, f"External_ID__c,Number__c\n{key},4711\n", "Mother__c")
    for column, cell in (("Mother_Of_Child__r.External_ID__c", key), ("Mother_Of_Child__r.Number__c", "4.711E3")):
        child = made(family, f"Name,{column}\nAda,{cell}\n", "Child__c")
        assert family.record(child, "Child__c")["Mother_Of_Child__c"] == mother


@doc(GUIDE)
def test_updates_and_upserts_take_relationship_columns_too(org: Caller, key: str) -> None:
    email = f"{uuid4().hex}@example.com"
    contact = made(org, f"LastName,Email\nNgata,{email}\n", "Contact")
    org.load(f"Id,Account.External_Id__c\n{contact},{key}\n", "Contact", "update")
    assert org.record(contact, "Contact")["AccountId"] == id_of(org, key)
    data = f"Email,LastName,Account.External_Id__c\n{email},,#N/A\nnew-{email},New,{key}\n"
    job = org.load(data, "Contact", "upsert", externalIdFieldName="Email")
    assert (org.errors(job), len(org.succeeded(job))) == ([], 2)
    assert org.record(contact, "Contact")["AccountId"] is None
    assert [one["AccountId"] for one in contacts(org, job)] == [None, id_of(org, key)]


@doc("BG/Prepare CSV Files")
@assumed("that this goes for relationship columns, too")
def test_an_empty_cell_leaves_the_lookup_and_na_clears_it(org: Caller, key: str) -> None:
    first, second = (made(org, f"LastName,Account.External_Id__c\nNgata,{key}\n", "Contact") for _ in range(2))
    org.load(f"Id,LastName,Account.External_Id__c\n{first},A,\n{second},B,#N/A\n", "Contact", "update")
    found = [org.record(contact, "Contact")["AccountId"] for contact in (first, second)]
    assert found == [id_of(org, key), None]


@assumed("name echoed, value raw")
def test_results_hold_relationship_columns_as_they_came(org: Caller, key: str) -> None:
    job = org.load(f"LastName,account.External_Id__c\nA,{key.upper()}\n,{key}\n", "Contact")
    assert org.result(job, "successfulResults").splitlines()[0].endswith(",LastName,account.External_Id__c")
    assert org.result(job, "successfulResults").splitlines()[1].endswith(f'"A","{key.upper()}"')
    assert org.result(job, "failedResults").splitlines()[1].endswith(f'"","{key}"')


@assumed("that both may be in a header")
def test_rows_may_choose_between_the_id_and_a_field_of_the_parent(org: Caller, key: str) -> None:
    other = made(org, "Name\nOther\n")
    data = f"LastName,AccountId,Account.External_Id__c\nA,{other[:15]},\nB,,{key}\nC,,\nD,#N/A,\n"
    job = org.load(data, "Contact")
    assert [one["AccountId"] for one in contacts(org, job)] == [other, id_of(org, key), None, None]
    cells = sorted([row["LastName"], row["AccountId"], row["Account.External_Id__c"]] for row in org.succeeded(job))
    assert cells == [["A", other, ""], ["B", "", key], ["C", "", ""], ["D", "#N/A", ""]]


@seen("answers of the REST API to the same")
@assumed("that a job says so too, and also of two fields of parents")
def test_a_row_that_names_its_parent_twice_fails(org: Caller, key: str) -> None:
    job = org.load(f"LastName,AccountId,Account.External_Id__c\nA,{id_of(org, key)},{key}\n", "Contact")
    assert org.errors(job) == [
        "INVALID_FIELD:Cannot specify both an external ID reference Account and a salesforce id, AccountId:AccountId --"
    ]


@seen(RUNBOOK)
@seen("many threads; the documentation says that the job fails")
def test_a_parent_that_is_not_there_fails_its_row(org: Caller, key: str) -> None:
    job = org.load(f"LastName,Account.External_Id__c\nA,{key}\nB,0000031236\n", "Contact")
    assert (job["state"], len(org.succeeded(job))) == ("JobComplete", 1)
    [row] = org.rows(job, "failedResults")
    assert (row["sf__Id"], row["sf__Error"]) == (
        "",
        "INVALID_FIELD:Foreign key external ID: 0000031236 not found for field External_Id__c in entity Account:--",
    )


@assumed("that the row fails, though the guide says that the job does; the text, which is that of a key of an upsert")
def test_a_parent_that_is_there_twice_fails_the_row(org: Caller) -> None:
    email = f"{uuid4().hex}@example.com"
    boss, other = (made(org, f"LastName,Email\nBoss,{email}\n", "Contact") for _ in range(2))
    job = org.load(f"LastName,ReportsTo.Email\nNgata,{email}\n", "Contact")
    message = f"Email: more than one record found for external id field: [{boss}, {other}]"
    assert org.errors(job) == [f"DUPLICATE_EXTERNAL_ID:{message}:--"]


@seen(RUNBOOK)
def test_a_parent_in_the_same_file_is_not_found(org: Caller) -> None:
    key = uuid4().hex
    job = org.load(f"Name,External_Id__c,Parent.External_Id__c\nParent,{key},\nChild,{key}2,{key}\n")
    assert [row["Name"] for row in org.succeeded(job)] == ["Parent"]


@seen("many threads, for the text")
@assumed("that a parent in the recycle bin counts as none")
def test_a_deleted_parent_is_not_found(org: Caller, key: str) -> None:
    org.load(f"Id\n{id_of(org, key)}\n", operation="delete")
    job = org.load(f"LastName,Account.External_Id__c\nA,{key}\n", "Contact")
    assert org.errors(job)[0].startswith("INVALID_FIELD:Foreign key external ID: ")
