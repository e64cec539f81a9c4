"""What the API sends, as our models have it."""

import pytest

from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from tests.salesforce.upstream import Answer, Upstream, client_of, fixed, served


async def test_lists_that_are_null_are_empty_and_what_nobody_needs_is_dropped() -> None:
    field = {"name": "Id", "label": "Account ID", "type": "id", "soapType": "tns:ID", "referenceTo": None}
    body = {"name": "Account", "label": "Account", "fields": [field | {"picklistValues": None}], "recordTypeInfos": []}
    with served(Upstream([Answer.of(body)])) as url:
        async with client_of(fixed(url)) as client:
            described = await client.describe("Account")
    assert described == SObjectDescribe(
        name="Account", label="Account", fields=(FieldDescribe(name="Id", label="Account ID", type="id"),)
    )


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
