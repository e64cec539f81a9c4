"""What the API sends, as our models have it."""

import pytest

from salesforce_bulk_ingest.salesforce.models import FieldDescribe, Job, SObjectDescribe
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


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "soon", ""])
def test_a_date_that_no_clock_shows_is_none(date: str) -> None:
    assert Job(id="750000000000001AAA", state="Open", created_date=date).created_at is None


@pytest.mark.parametrize("number", [-1, 2**63, 10**4000])
def test_what_can_not_be_a_number_of_rows_is_none(number: int) -> None:
    job = Job.model_validate({"id": "750000000000001AAA", "state": "Open", "numberRecordsFailed": number})
    assert job.number_records_failed is None


@pytest.mark.parametrize("version", [float("nan"), float("inf")])
def test_what_is_no_version_is_none(version: float) -> None:
    assert Job(id="750000000000001AAA", state="Open", api_version=version).api_version is None
