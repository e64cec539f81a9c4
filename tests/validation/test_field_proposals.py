"""Proposals: what foreign headers are taken for, and what is left alone."""

from collections.abc import Mapping, Sequence

import pytest

from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.field_proposals import FieldProposals
from tests.validation.checking import PARENTS
from tests.validation.describing import ACCOUNT, CONTACT, LOCKED, TASK, field, sobject


def propose(describe: SObjectDescribe, operation: str, header: Sequence[str]) -> Mapping[str, str | None]:
    """What is proposed for the columns of a header, by name."""
    proposed = FieldProposals(Destination(operation, describe=describe, parents=PARENTS), header).fields()
    return {header[index]: meant for index, meant in proposed.items()}


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
        (CONTACT, "Family Name", "LastName"),
        (CONTACT, "Nachname *", "LastName"),
        (CONTACT, "Prénom", "FirstName"),
        (CONTACT, "Né(e) le", "Birthdate"),
        (CONTACT, "Geboren am", "Birthdate"),
        (CONTACT, "E-mail 1 - Value", "Email"),
        (ACCOUNT, "Firma", "Name"),
        (ACCOUNT, "Straße", "BillingStreet"),
        (ACCOUNT, "Rechnungs-PLZ", "BillingPostalCode"),
        (ACCOUNT, "Town", "BillingCity"),
        (ACCOUNT, "State/Region", "BillingState"),
        (ACCOUNT, "Telefonnummer", "Phone"),
        (ACCOUNT, "Anzahl Mitarbeiter", "NumberOfEmployees"),
        (CONTACT, "Account External Id", "Account.Ext__c"),
        (CONTACT, "Project: CODE", "Project__r.Code__c"),
        (CONTACT, "Code__c of Project", "Project__r.Code__c"),
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
        (CONTACT, "Account Name"),  # a name is no key
        (CONTACT, "Company"),
        (CONTACT, "Username"),
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


def test_a_key_of_a_parent_is_not_proposed_beside_another_way_to_the_parent_nor_where_it_may_be_one_of_several() -> (
    None
):
    assert propose(CONTACT, "update", ["AccountId", "Account External ID"]) == {}
    parents = {"Account": sobject("Account", field("Erp__c", externalId=True), field("Crm__c", externalId=True))}
    proposals = FieldProposals(
        Destination("update", describe=CONTACT, parents=parents), ["Account external id", "Account CRM"]
    )
    assert proposals.fields() == {1: "Account.Crm__c"} and proposals.unknown(proposals.fields()) == [0]


def test_columns_for_one_field_are_doubled_by_name_or_by_meaning() -> None:
    header = ["LastName", "Surname", "LASTNAME", "Telefon", "Telefon", "", " ", "Account.Ext__c", "account.ext__C"]
    proposals = FieldProposals(Destination("update", describe=CONTACT), header)
    assert proposals.doubled == {"LastName": [0, 2, 1], "Telefon": [3, 4], "Account.Ext__c": [7, 8]}
    assert proposals.unnamed == [5, 6]
    assert FieldProposals(Destination(), header).doubled == {
        "LastName": [0, 2],
        "Telefon": [3, 4],
        "Account.Ext__c": [7, 8],
    }
    assert proposals.fields([0, 2]) == {0: None, 1: "LastName", 2: None}


def test_a_name_beside_first_names_is_a_last_name_where_the_name_is_made_of_both() -> None:
    assert propose(CONTACT, "insert", ["Name", "Vorname"]) == {"Name": "LastName", "Vorname": "FirstName"}
    assert propose(CONTACT, "insert", ["Name", "Vorname", "Nachname"]) == {
        "Vorname": "FirstName",
        "Nachname": "LastName",
    }
    assert propose(CONTACT, "insert", ["Name", "Email"]) == propose(ACCOUNT, "insert", ["Name", "Vorname"]) == {}


def test_whole_names_are_no_last_names_and_are_not_left_out_where_none_are_left() -> None:
    for name in ("Full Name", "Contact Name", "Full Name "):
        for header in ([name, "Email"], [name, "Vorname"]):
            for operation in ("insert", "upsert"):
                assert name not in propose(CONTACT, operation, header)
    assert propose(CONTACT, "insert", ["Full Name", "Nachname"]) == {"Full Name": None, "Nachname": "LastName"}
    assert propose(CONTACT, "update", ["Full Name", "Contact ID"]) == {"Full Name": None, "Contact ID": "Id"}


ACTIVITY = sobject(
    "Task",
    field("WhoId", "reference", "Name ID", referenceTo=["Contact", "Lead"], relationshipName="Who"),
    field("WhatId", "reference", "Related To ID", referenceTo=["Account", "Order__c"], relationshipName="What"),
    field("OwnerId", "reference", "Assigned To ID", referenceTo=["Group", "User"], relationshipName="Owner"),
    field("AccountId", "reference", "Account ID", referenceTo=["Account"], relationshipName="Account", **LOCKED),
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Contact ID", "WhoId"),
        ("Lead Id", "WhoId"),
        ("Account ID", "WhatId"),
        ("Order ID", "WhatId"),
        ("User ID", "OwnerId"),
        ("Assigned To ID", "OwnerId"),
        ("Task ID", "Id"),
        ("Contact External ID", "Contact:Who.Code__c"),
        ("Account Ext", "Account:What.Ext__c"),
    ],
)
def test_an_id_or_a_key_of_what_an_activity_is_about_is_taken_for_its_lookup(name: str, meant: str) -> None:
    parents = {**PARENTS, "Contact": sobject("Contact", field("Code__c", externalId=True))}
    assert dict(FieldProposals(Destination("update", describe=ACTIVITY, parents=parents), [name]).fields()) == {
        0: meant
    }


def test_what_an_activity_is_about_is_not_guessed_from_two_columns() -> None:
    assert propose(ACTIVITY, "update", ["Account ID", "Order ID", "Contact ID"]) == {"Contact ID": "WhoId"}
    assert propose(ACTIVITY, "update", ["Assigned To", "Related To", "Name"]) == {}  # names, in a report


def test_a_column_may_be_named_for_the_key_of_a_parent_that_no_column_names() -> None:
    def choices(header: Sequence[str], operation: str = "insert") -> tuple[str, ...]:
        proposals = FieldProposals(Destination(operation, describe=CONTACT, parents=PARENTS), header)
        return proposals.choices(proposals.fields())

    assert choices(["LastName", "erp_no"])[:4] == (
        "Project__c", "Project__r.Code__c", 'Account.Ext__c ("External Id")', 'FirstName',
    )  # fmt: skip
    filled = choices(["LastName", "erp_no", "Account.Ext__c"])
    assert not any("Account" in name for name in filled) and "Project__r.Code__c" in filled
    assert choices(["Id", "erp_no"], "delete") == ()


def test_a_column_of_numbers_is_left_to_the_user_where_no_column_has_the_key_of_an_upsert() -> None:
    fields = field("Name"), field("AccountNumber"), field("Erp__c", externalId=True)
    describe = sobject("Account", *fields)
    destination = Destination("upsert", "Erp__c", describe=describe, parents=PARENTS)
    proposals = FieldProposals(destination, ["Firma", "Kundennr"])
    assert proposals.fields() == {0: "Name"}
    assert proposals.unknown(proposals.fields()) == [1]
    assert proposals.choices(proposals.fields()) == ("Erp__c", "AccountNumber")
    with_key = FieldProposals(destination, ["Kundennr", "Erp__c"])
    assert with_key.fields() == {0: "AccountNumber"}
