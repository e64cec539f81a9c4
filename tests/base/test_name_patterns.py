"""Names of the policy stand for names of callers in any case, with their namespace or without."""

import pytest

from salesforce_bulk_ingest.base.name_patterns import denied_fields, is_allowed_by, is_denied_by, written_field


@pytest.mark.parametrize(
    ("pattern", "name", "denied", "allowed"),
    [
        ("User", "User", True, True),
        ("user", "USER", True, True),
        ("User", "UserRole", False, False),
        ("User*", "UserRole", True, True),
        ("?ser", "User", True, True),
        ("*__c", "Plan__c", True, True),
        ("*__c", "acme__Plan__c", True, True),
        ("Plan__c", "acme__Plan__c", True, False),
        ("acme__Plan__c", "Plan__c", True, False),
        ("acme__*", "acme__Plan__c", True, True),
        ("acme__*", "Plan__c", False, False),
        ("My_Plan__c", "Plan__c", False, False),
    ],
)
def test_a_denial_holds_with_every_namespace_and_a_permission_for_the_name_as_it_is(
    pattern: str, name: str, denied: bool, allowed: bool
) -> None:
    assert is_denied_by([pattern], name) == denied
    assert is_allowed_by([pattern], name) == allowed


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("OwnerId", "OwnerId"),
        (" OwnerId ", "OwnerId"),
        ("Owner.Email", "OwnerId"),
        ("Owner.Profile.Name", "OwnerId"),
        ("User:Owner.Email", "OwnerId"),
        ("Plan__r.Key__c", "Plan__c"),
        ("acme__Plan__R.Key__c", "acme__Plan__c"),
    ],
)
def test_a_relationship_writes_its_lookup_field(column: str, field: str) -> None:
    assert written_field(column) == field


@pytest.mark.parametrize(
    ("patterns", "sobject", "denied"),
    [
        (["ownerid"], "Account", ["OwnerId"]),
        (["Account.OwnerId"], "ACCOUNT", ["OwnerId"]),
        (["Contact.OwnerId"], "Account", []),
        (["Contact.OwnerId"], None, ["OwnerId"]),
        (["*.Secret__c"], "Account", ["acme__Secret__c"]),
        (["*Id", "Acc*.*__c"], "Account", ["OwnerId", "acme__Secret__c"]),
        (["Phone"], "Account", []),
    ],
)
def test_fields_are_denied_for_all_objects_or_for_some(
    patterns: list[str], sobject: str | None, denied: list[str]
) -> None:
    assert denied_fields(patterns, sobject, ["Name", "OwnerId", "acme__Secret__c"]) == denied
