"""Single records."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller, shown
from tests.salesforce_emulator.forms import IMPOSSIBLE

OBJECTS = f"{DATA}/sobjects"
ROWS = "REST API guide, sObject Rows"


def account(org: Caller, **values: str) -> str:
    job = org.load(f"{','.join(values)}\n{','.join(values.values())}\n")
    [row] = org.succeeded(job)
    return row["sf__Id"]


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


@own
@pytest.mark.parametrize("key", ["External_Id__c", "Id"])
def test_no_record_has_a_key_that_can_not_be(org: Caller, key: str) -> None:
    for value in IMPOSSIBLE:
        assert org.http.get(f"{OBJECTS}/Account/{key}/{quote(value, safe='')}").status_code == 404
        assert org.http.get(f"{OBJECTS}/Account/{quote(value, safe='')}").status_code == 404
