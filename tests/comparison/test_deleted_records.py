"""What deleted records held: the cells that a new record is made of, and which records go back."""

from typing import Any

import pytest

from salesforce_bulk_ingest.comparison.before_image import NoImage
from salesforce_bulk_ingest.comparison.deleted_records import InsertableFields, RowsBack
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from tests.comparison.describing import field

ID, OTHER, THIRD = "001000000000001AAA", "001000000000002AAA", "001000000000003AAA"


def taken(name: str, type: str = "string", **more: Any) -> FieldDescribe:
    return field(name, type, createable=True, **more)


def fields_of(*fields: FieldDescribe, createable: bool = True) -> InsertableFields:
    describe = SObjectDescribe(
        name="Account", label="Account", createable=createable, fields=(field("Id", "id"), *fields)
    )
    return InsertableFields.of(describe)


def test_what_a_new_record_takes_is_kept_and_nothing_else() -> None:
    found = fields_of(
        taken("Name"), field("Total__c", "double"), taken("OwnerId", "reference"), taken("Vip__c", "boolean")
    )
    assert found.names == ("Name", "OwnerId", "Vip__c")
    record: JsonRecord = {"Id": ID, "Name": "One", "Total__c": 3, "OwnerId": None, "Vip__c": False}
    assert found.row_of(record) == (ID, "One", "", "false")


def test_a_field_with_a_default_that_held_nothing_is_cleared() -> None:
    found = fields_of(taken("Stage__c", defaulted_on_create=True), taken("Site"))
    assert found.row_of({"Id": ID, "Stage__c": None, "Site": None}) == (ID, "#N/A", "")


def test_of_an_address_the_parts_are_kept() -> None:
    found = fields_of(taken("BillingAddress", "address"), taken("BillingCity", compound_field_name="BillingAddress"))
    assert (found.names, found.unread) == (("BillingCity",), ())


def test_what_no_query_gives_is_named() -> None:
    found = fields_of(taken("Name"), taken("Secret__c", "encryptedstring"))
    assert (found.names, found.unread) == (("Name",), ("Secret__c",))
    assert found.without(["Name"]).unread == ("Secret__c", "Name")


def test_a_record_that_needs_what_no_query_gives_has_no_image() -> None:
    with pytest.raises(NoImage, match='"Body" can\'t be read, and a new record needs it'):
        fields_of(taken("Name"), taken("Body", "base64", nillable=False))


def test_records_that_nobody_may_create_have_no_image() -> None:
    with pytest.raises(NoImage, match="this user can't create records of Account"):
        fields_of(taken("Name"), createable=False)


@pytest.mark.parametrize(
    ("is_person", "row"), [(True, (ID, "", "Ann", "a@x.example", "x")), (False, (ID, "Ann", "", "", ""))]
)
def test_an_account_has_the_fields_of_its_kind(is_person: bool, row: tuple[str, ...]) -> None:
    found = fields_of(
        taken("Name", compound_field_name="Name"),
        taken("LastName", compound_field_name="Name"),
        taken("PersonEmail", "email"),
        taken("Hobby__pc"),
        field("IsPersonAccount", "boolean"),
    )
    assert "IsPersonAccount" in found.paths and "IsPersonAccount" not in found.names
    record = {"Name": "Ann", "LastName": "Ann", "PersonEmail": "a@x.example", "Hobby__pc": "x"}
    assert found.row_of({"Id": ID, "IsPersonAccount": is_person, **record}) == row
    with pytest.raises(NoImage, match="IsPersonAccount can't be read"):
        found.without(["IsPersonAccount"])


def test_what_the_job_did_not_delete_or_somebody_restored_stays_out() -> None:
    back = RowsBack(("Name",), {OTHER[:15], THIRD[:15]}, {ID[:15], OTHER[:15]}, (), frozenset(), set())
    assert list(back.of([[ID, "One"], [OTHER, "Two"], [THIRD, "Three"]])) == [(2, ["Three"])]
    assert (back.not_deleted, back.there_again) == ([ID], [OTHER])


def test_a_record_that_two_jobs_deleted_goes_back_once() -> None:
    given, nothing = set[str](), frozenset[str]()
    newer, older = [RowsBack(("Name",), {ID[:15]}, nothing, (), nothing, given) for _ in range(2)]
    assert [list(each.of([[ID, name]])) for each, name in ((newer, "Late"), (older, "Early"))] == [[(0, ["Late"])], []]


def test_a_lookup_to_a_record_that_is_gone_is_left_blank_and_counted() -> None:
    back = RowsBack(("ParentId", "Name"), {ID[:15], OTHER[:15]}, frozenset(), (0,), {THIRD[:15]}, set())
    assert list(back.of([[ID, THIRD, THIRD], [OTHER, "", ""]])) == [(0, ["", THIRD]), (1, ["", ""])]
    assert back.blanked == {"ParentId": 1}
