"""Headers of uploads: which names are columns."""

from uuid import uuid4

import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.processing.loads import failure, made

GUIDE = "BG/Relationship Fields in a Header Row (2.0)"
POLY = "a post that ran five spellings of a header against a sandbox, v65.0, August 2026"


def header_failure(org: Caller, header: str, object_: str, **settings: str) -> str:
    """What the job says that fails for its header, with no row evaluated."""
    job = org.load(f"{header}\nx\n", object_, **settings)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("Failed", 0, 0)
    return str(job["errorMessage"])


@doc("BG/Relationship Fields in a Header Row (2.0), for 57.0 and later")
@assumed("that before 57.0 only the name without __c was understood")
@pytest.mark.parametrize(
    ("version", "kind", "state"),
    [
        ("63.0", "Mother__c", "JobComplete"),
        ("57.0", "Mother", "Failed"),
        ("56.0", "Mother", "JobComplete"),
        ("56.0", "Mother__c", "Failed"),
    ],
)
def test_a_custom_kind_of_parent_is_spelled_by_the_version(family: Caller, version: str, kind: str, state: str) -> None:
    key = uuid4().hex
    made(family, f"External_ID__c\n{key}\n", "Mother__c")
    jobs = f"/services/data/v{version}/jobs/ingest"
    job_id = family.http.post(jobs, json={"object": "Child__c", "operation": "insert"}).json()["id"]
    family.upload(job_id, f"Name,{kind}:Guardian__r.External_ID__c\nAda,{key}\n".encode())
    family.patch(job_id, "UploadComplete")
    job = family.until(job_id)
    assert (job["state"], job["numberRecordsFailed"]) == (state, 0)


@seen(POLY)
@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Account:Parent.External_Id__c", "type is not needed for non polymorphic foreign key references: Parent"),
        ("Parent:Account.External_Id__c", "Unable to find relationship: Account"),
        ("Parent:Account:External_Id__c", "Field name not found : Parent:Account:External_Id__c"),
    ],
)
def test_a_header_that_misnames_a_relationship_fails_the_job(org: Caller, header: str, message: str) -> None:
    assert header_failure(org, header, "Account") == f"InvalidBatch : {message}"


@doc(GUIDE)
@assumed("the texts")
@pytest.mark.parametrize(
    ("header", "object_", "message"),
    [
        ("Who.Email", "Task", "type is needed for polymorphic foreign key references: Who"),
        ("Account:Who.Name", "Task", "Unable to find type Account for polymorphic foreign key references: Who"),
        ("Parent.Colour__c", "Account", "Field name not found : Parent.Colour__c"),
        ("Parent.Parent.External_Id__c", "Account", "Field name not found : Parent.Parent.External_Id__c"),
        (
            "Parent.Phone",
            "Account",
            "Field is not an external ID or indexed field and can't name a parent : Parent.Phone",
        ),
        (
            "Parent.External_Id__c,PARENT.external_id__c",
            "Account",
            "Duplicate field name : PARENT.external_id__c",
        ),
    ],
    ids=["no type", "another type", "no such field", "two levels", "no key", "twice"],
)
def test_a_header_that_names_no_key_of_a_parent_fails_the_job(
    org: Caller, header: str, object_: str, message: str
) -> None:
    assert header_failure(org, header, object_) == f"InvalidBatch : {message}"


@seen("a public data loader: delete takes ids alone")
def test_deletes_take_no_relationship_columns(org: Caller) -> None:
    message = header_failure(org, "Account.External_Id__c", "Contact", operation="delete")
    assert message == "InvalidBatch : The 'delete' batch must contain only ids."


@seen("live tests of plugin-data and jsforce")
def test_header_names_are_found_in_any_case_and_echoed_in_the_users_spelling(org: Caller) -> None:
    job = org.load("NAME,billingcity\nAcme,Turin\n")
    assert org.result(job, "successfulResults").splitlines()[0] == '"sf__Id","sf__Created",NAME,billingcity'


@seen("a migration runbook: only the first unknown name is told")
@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("Name,Colour__c,Size__c\nA,red,1\n", "Colour__c"),
        ("Name;Phone\nA;1\n", "Name;Phone"),
        ("Name,\nA,1\n", ""),
        ("Name,LastName\nA,B\n", "LastName"),
    ],
    ids=["not a field", "another delimiter", "no name", "a field of another object"],
)
def test_a_column_that_is_no_field_fails_the_job(org: Caller, data: str, name: str) -> None:
    assert failure(org, data) == f"InvalidBatch : Field name not found : {name}"


@assumed("no source shows what a repeated column does")
def test_a_column_that_is_there_twice_fails_the_job(org: Caller) -> None:
    assert failure(org, "Name,Phone,NAME\nA,1,B\n") == "InvalidBatch : Duplicate field name : NAME"


@seen("a public data loader, 2.0 job")
@assumed("that a hard delete says the same, and so do files with no Id or with two")
@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
@pytest.mark.parametrize("header", ["Id,Name", "Name", "Id,Id", "Ident"])
def test_delete_batches_must_contain_only_ids(org: Caller, operation: str, header: str) -> None:
    job = org.load(f"{header}\nx,y\n", operation=operation)
    assert job["errorMessage"] == f"InvalidBatch : The '{operation}' batch must contain only ids."
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (0, 0)
