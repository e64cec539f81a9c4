"""Describes: the members that checks need, from answers as real orgs and the embedded one give them."""

import gzip
import json

import pytest

from salesforce_bulk_ingest.salesforce.errors import NotFound, UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from salesforce_bulk_ingest.salesforce.transport import MOST_JSON_BYTES
from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce.upstream import Answer, Upstream, client_of, fixed, served

NOT_FOUND = Answer.of([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)


async def test_lists_that_are_null_are_empty_and_what_nobody_needs_is_dropped() -> None:
    field = {"name": "Id", "label": "Account ID", "type": "id", "soapType": "tns:ID", "referenceTo": None}
    body = {"name": "Account", "label": "Account", "fields": [field | {"picklistValues": None}], "recordTypeInfos": []}
    with served(Upstream([Answer.of(body)])) as url:
        async with client_of(fixed(url)) as client:
            described = await client.describe("Account")
    assert described == SObjectDescribe(
        name="Account", label="Account", fields=(FieldDescribe(name="Id", label="Account ID", type="id"),)
    )


async def test_a_describe_may_come_compressed_and_be_several_megabytes() -> None:
    values = [{"value": f"Value {number}", "active": True, "label": "x" * 40} for number in range(50_000)]
    field = {"name": "Area__c", "label": "Area", "type": "picklist", "picklistValues": values}
    body = json.dumps({"name": "Account", "label": "Account", "fields": [field]}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, gzip.compress(body), headers)])) as url:
        async with client_of(fixed(url)) as client:
            described = await client.describe("Account")
    assert 4_000_000 < len(body) < MOST_JSON_BYTES
    assert len(described.fields[0].picklist_values) == 50_000


async def test_a_describe_without_end_is_not_read_to_its_end() -> None:
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    with served(Upstream([Answer(200, gzip.compress(b" " * (MOST_JSON_BYTES + 1)), headers)])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(UnexpectedAnswer, match="longer than"):
                await client.describe("Account")


async def test_an_object_that_is_not_there_is_not_found_after_one_try() -> None:
    upstream = Upstream([NOT_FOUND])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(NotFound):
                await client.describe("Acount")
    assert len(upstream.seen) == 1


async def test_a_name_stays_one_segment_of_the_path() -> None:
    upstream = Upstream([NOT_FOUND])
    with served(upstream) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(NotFound):
                await client.describe("a/../limits?x")
    assert upstream.seen[0].raw_path == b"/services/data/v63.0/sobjects/a%2F..%2Flimits%3Fx/describe"


async def test_the_embedded_org_describes_its_objects(org_url: str) -> None:
    async with client_of(fixed(org_url, ACCESS_TOKEN)) as client:
        described = await client.describe("account")
    name, owner = described.field("NAME"), described.lookup("owner")
    assert (described.name, described.key_prefix, described.deletable) == ("Account", "001", True)
    assert name is not None and (name.is_required, name.finds_records, name.length) == (True, False, 255)
    assert owner is not None and (owner.name, owner.reference_to) == ("OwnerId", ("User",))
    rating = described.field("Rating")
    assert rating is not None and "Hot" in [value.value for value in rating.picklist_values if value.active]


@pytest.mark.parametrize(
    ("properties", "required"),
    [
        ({"nillable": False, "createable": True}, True),
        ({"nillable": True, "createable": True}, False),
        ({"nillable": False, "createable": False}, False),
        ({"nillable": False, "createable": True, "defaultedOnCreate": True}, False),
        ({"nillable": False, "createable": True, "type": "boolean"}, False),
    ],
)
def test_an_insert_has_to_bring_what_can_be_set_and_has_neither_null_nor_default(
    properties: dict[str, object], required: bool
) -> None:
    field = FieldDescribe.model_validate({"name": "F", "label": "F", "type": "string"} | properties)
    assert field.is_required is required
