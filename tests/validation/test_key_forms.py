"""The forms of keys, by the describe of their field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.validation.key_forms import forms_of, key_form, key_form_by_name, trimmed
from tests.validation.describing import field

UNIQUE = {"externalId": True, "unique": True}


@pytest.mark.parametrize(
    ("type_", "properties", "one", "other", "are_equal"),
    [
        ("string", UNIQUE, "K-1", " k-1\t", True),
        ("string", UNIQUE, "K-1", "K-1\u3000", False),
        ("string", UNIQUE, "\u00c4", "\u00e4", True),
        ("string", UNIQUE, "7", "007", False),
        ("string", UNIQUE | {"caseSensitive": True}, "K-1", "k-1", False),
        ("string", {"externalId": True}, "K-1", "k-1", False),
        ("email", {"idLookup": True}, "Ann@example.com", "ann@example.com", True),
        ("email", {"externalId": True}, "Ann@example.com", "ann@example.com", True),
        ("double", UNIQUE, "7", " 007.00", True),
        ("double", UNIQUE, "7E2", "700", True),
        ("double", UNIQUE, "0", "-0.0", True),
        ("double", UNIQUE, "7", "7.5", False),
        ("id", {}, "001000000000001", "001000000000001AAA ", True),
        ("id", {}, "00100000000000a", "00100000000000A", False),
        ("string", UNIQUE, " #N/A", "", True),
    ],
)
def test_keys_are_equal_by_the_type_and_the_case_of_their_field(
    type_: str, properties: dict[str, Any], one: str, other: str, are_equal: bool
) -> None:
    first, second = forms_of(key_form(field("Key__c", type_, **properties)), [one, other])
    assert (first == second) == are_equal


@pytest.mark.parametrize(("one", "other"), [("K-1", "k-1 "), ("7", "007.0"), ("7e2", "700")])
def test_keys_of_an_unknown_field_are_equal_if_one_type_takes_them_for_equal(one: str, other: str) -> None:
    assert (
        len(set(forms_of(key_form(None), [one, other])))
        == len(set(forms_of(key_form_by_name("Ext__c"), [one, other])))
        == 1
    )
    assert len(set(forms_of(key_form_by_name("id"), [one, other]))) == 2


@given(st.lists(st.text(st.sampled_from([*map(chr, range(0x22)), "\x7f", "\xa0", "\u3000", "a", "字"]), max_size=4)))
def test_all_that_is_trimmed_of_keys_are_spaces_and_control_characters_at_their_ends(cells: list[str]) -> None:
    assert list(trimmed(cells)) == [cell.strip("".join(map(chr, range(0x21)))) for cell in cells]
