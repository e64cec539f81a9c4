"""Which columns are hidden, and what stands for their cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.hidden_fields import MASK, NOTHING_HIDDEN, HiddenFields, mask


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("SSN__c", "SSN__c"),
        ("ssn__C", "SSN__c"),
        ("*SSN*", "Old_SSN__c"),
        ("Em?il", "Email"),
        ("Contact.Email", "Email"),
        ("contact.*mail*", "MailingCity"),
        ("*.Email", "Email"),
        ("SSN__c", "Account.SSN__c"),
        ("Account.SSN__c", "Parent__r.SSN__c"),
        ("AccountId", "Account.Ext__c"),
        ("Parent__c", "Parent__r.Ext__c"),
        ("Owner_Key__c", "User:Owner.Owner_Key__c"),
        ("SSN__c", "acme__SSN__c"),
        ("acme__SSN__c", "SSN__c"),
        ("Contact.SSN__c", "acme__SSN__c"),
        ("SSN__c", "Account.acme__SSN__c"),
        ("SSN", "\ufeffSSN"),
        ("SSN", ' "SSN" '),
        ("SSN", "SSN:"),
        ("SSN", "Tax.SSN."),
        ("Email", "Name;Email;Phone"),
        ("*", "Anything__c"),
    ],
)
def test_a_column_that_may_be_a_hidden_field_is_hidden(pattern: str, column: str) -> None:
    assert HiddenFields((pattern,)).on("Contact").hides(column)


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("SSN", "SSN__c"),
        ("Email", "HasOptedOutOfEmail"),
        ("Lead.Email", "Email"),
        ("Account.Ext__c", "Ext__c"),
        ("Email", "E-mail"),
        ("*Email*", ""),
    ],
)
def test_another_column_is_shown(pattern: str, column: str) -> None:
    assert not HiddenFields((pattern,)).on("Contact").hides(column)


def test_a_pattern_with_an_object_holds_where_the_object_is_not_known() -> None:
    assert HiddenFields(("Lead.Email",)).on(None).hides("Email")


def test_nothing_is_hidden_without_a_pattern() -> None:
    assert not NOTHING_HIDDEN.on("Contact").hides("SSN__c")


@given(st.text(min_size=1))
def test_a_mask_has_the_length_of_the_cell_and_nothing_else_of_it(cell: str) -> None:
    assert MASK.fullmatch(mask(cell))
    assert mask(cell) == mask("x" * len(cell))


def test_the_mask_of_an_empty_cell_is_empty() -> None:
    assert (mask(""), mask("x"), mask("x" * 1_000)) == ("", "[hidden, 1 character]", "[hidden, 1,000 characters]")
