"""Proposals: what foreign headers are taken for, and what is left alone."""

import pytest

from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.field_proposals import propose
from tests.validation.describing import ACCOUNT, CONTACT, TASK, field, sobject


@pytest.mark.parametrize(
    ("describe", "name", "meant"),
    [
        (ACCOUNT, "Billing City", "BillingCity"),
        (ACCOUNT, "billing_city", "BillingCity"),
        (ACCOUNT, " BILLING-CITY ", "BillingCity"),
        (ACCOUNT, "Account Name", "Name"),
        (ACCOUNT, "Employees", "NumberOfEmployees"),
        (ACCOUNT, "Billing Zip/Postal Code", "BillingPostalCode"),
        (ACCOUNT, "Billing Postal Code", "BillingPostalCode"),
        (ACCOUNT, "Billing Zip Code", "BillingPostalCode"),
        (ACCOUNT, "Billing State/Province", "BillingState"),
        (ACCOUNT, "Account ID", "Id"),
        (ACCOUNT, "Record ID", "Id"),
        (ACCOUNT, "Case-Safe ID", "Id"),
        (ACCOUNT, "Parent Account ID", "ParentId"),
        (CONTACT, "Contact ID", "Id"),
        (CONTACT, "Account ID", "AccountId"),
        (CONTACT, "Contact Email", "Email"),
        (CONTACT, "Code", "Code__c"),
        (CONTACT, "Project ID", "Project__c"),
    ],
)
def test_a_header_of_a_report_or_a_spreadsheet_is_taken_for_the_field_it_names(
    describe: SObjectDescribe, name: str, meant: str
) -> None:
    assert propose(describe, "update", [name]) == {name: meant}


@pytest.mark.parametrize(
    ("describe", "name"),
    [
        (ACCOUNT, "billingcity"),
        (CONTACT, "Account.Ext__c"),
        (TASK, "Contact:Who.Email"),
        (CONTACT, "Project"),  # a report shows the project's name there, not its id
        (CONTACT, "Zodiac sign"),
        (CONTACT, ""),
        (CONTACT, "--"),
    ],
)
def test_what_is_a_field_already_or_none_is_left_alone(describe: SObjectDescribe, name: str) -> None:
    assert propose(describe, "update", [name]) == {}


def test_what_may_mean_two_fields_is_left_alone() -> None:
    describe = sobject("Thing__c", field("One__c", label="Area"), field("Two__c", label="Area"))
    assert propose(describe, "update", ["area "]) == {}


def test_a_field_that_another_column_is_or_two_may_mean_is_left_alone() -> None:
    assert propose(ACCOUNT, "update", ["BillingCity", "Billing City"]) == {}
    assert propose(ACCOUNT, "update", ["billing city", "Billing City"]) == {}
    assert propose(ACCOUNT, "update", ["Billing City", "Billing City"]) == {}


def test_a_column_for_a_field_that_can_not_be_filled_is_left_out() -> None:
    assert propose(ACCOUNT, "insert", ["Created Date", "Account ID", "Account Name"]) == {
        "Created Date": None,
        "Account ID": None,
        "Account Name": "Name",
    }
    assert propose(ACCOUNT, "update", ["Created Date", "Account ID"]) == {"Created Date": None, "Account ID": "Id"}
    assert propose(CONTACT, "upsert", ["Number", "Score"]) == {"Number": "Number__c", "Score": None}


@pytest.mark.parametrize("operation", ["delete", "hardDelete"])
def test_a_delete_keeps_the_ids_alone(operation: str) -> None:
    header = ["Account Name", "Account ID", "BillingCity", "What"]
    assert propose(ACCOUNT, operation, header) == {
        "Account Name": None,
        "Account ID": "Id",
        "BillingCity": None,
        "What": None,
    }
    assert propose(ACCOUNT, operation, ["id", "What"]) == {"What": None}
    assert propose(ACCOUNT, operation, ["ID"]) == {}
    assert propose(ACCOUNT, operation, ["Name", "What"]) == {}
