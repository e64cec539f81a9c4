"""Words for fields are written as names are compared, and mean one field of an object."""

from collections import Counter

import pytest

from salesforce_bulk_ingest.validation.synonyms import ADDRESS_FIELDS, ADDRESSES, FIELDS, plain, words_for_fields


def test_names_in_other_spellings_are_equal() -> None:
    assert plain("E-Mail ") == plain("e_mail") == "email"
    assert plain("Straße") == plain("STRASSE") and plain("Prénom") == "prenom" and plain("--") == ""


def test_each_word_is_spelled_as_names_are_compared_and_stands_once_for_a_field() -> None:
    for words in (*FIELDS.values(), *ADDRESS_FIELDS.values(), *ADDRESSES.values()):
        assert [plain(word) for word in words.split()] == words.split()
        assert max(Counter(words.split()).values(), default=1) == 1


@pytest.mark.parametrize("sobject", ["Account", "Contact", "Lead", "Opportunity"])
def test_a_word_is_no_field_of_another_object(sobject: str) -> None:
    names = {name for groups in words_for_fields(sobject).values() for names in groups for name in names}
    assert ("Name" in names) == (sobject in ("Account", "Opportunity")) and ("Company" in names) == (sobject == "Lead")
    assert not any("." in name for name in names)
