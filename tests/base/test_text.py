"""Text of others in our sentences, structures and log."""

import json
import sys
import unicodedata

import pytest

from salesforce_bulk_ingest.base.text import (
    LONGEST_QUOTED,
    as_json,
    as_name,
    as_sentence,
    cut,
    encodable,
    quoted,
    quoted_names,
    visible,
    without_hidden,
)

INNOCENT = "Grüße, 東京　都 שלום 👍🏽 a\xa0b \\ /"


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert cut("abc", 3) == "abc"


def test_a_long_text_shows_that_it_goes_on() -> None:
    assert cut("abcd" * 300, 3) == "abc…[+1197]"


def test_no_hidden_character_of_unicode_is_left_in_a_sentence_a_structure_or_the_log() -> None:
    hidden = [
        character for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or 0xE0000 <= ord(character) < 0xE1000
    ]  # fmt: skip
    for character in hidden:
        assert character not in quoted(character) + without_hidden(character) + visible(character)
        assert json.loads(quoted(character)) == character
        assert visible(character) == quoted(character)[1:-1]


def test_what_is_seen_stays_as_it_is() -> None:
    assert json.loads(quoted(INNOCENT)) == without_hidden(INNOCENT) == visible(INNOCENT) == INNOCENT


def test_a_text_of_others_is_one_string_whatever_it_says() -> None:
    assert quoted('no".\nNext: \\ \x1b[31m\u202e\U000e0041') == r'"no\".\nNext: \\ \u001b[31m\u202e\udb40\udc41"'
    assert quoted("") == '""'


@pytest.mark.parametrize("character", ["x", "\n", "\0", '"', "\U000e0041"])
@pytest.mark.parametrize("longest", [1, 5, 12, 200])
def test_a_quoted_text_is_cut_by_its_length_with_its_escapes(character: str, longest: int) -> None:
    shown = quoted(character * 1_000, longest)
    kept, mark, left_out = json.loads(shown).partition("…[+")
    assert mark and set(kept) <= {character} and left_out == f"{1_000 - len(kept)}]"
    escape = len(as_json(character)) - 2
    assert len(kept) == longest // escape


def test_an_api_name_stands_bare_and_any_other_text_in_quotes() -> None:
    assert as_name("Account:Parent__r.Ext__c") == "Account:Parent__r.Ext__c"
    assert as_name("…[+3]") == "…[+3]"
    assert as_name("First Name") == '"First Name"'
    assert as_name("Name\n") == r'"Name\n"'
    assert as_name("N" * 201) == quoted("N" * 201, LONGEST_QUOTED)


def test_the_first_names_are_quoted_and_the_others_counted() -> None:
    assert quoted_names(["A", "B"]) == '"A", "B"'
    assert quoted_names(map(str, range(1_234)), 2) == '"0", "1" and 1,232 more'
    assert quoted_names([]) == ""


@pytest.mark.parametrize(
    ("name", "shown"), [("two\nlines\u202e", r'"two\nlines\u202e"'), ("x" * 61, f'"{"x" * 60}…[+1]"')]
)
def test_a_name_stands_on_one_line_and_is_not_long(name: str, shown: str) -> None:
    assert quoted_names([name]) == shown


@pytest.mark.parametrize(
    ("message", "expected"),
    [("no", "no."), ("no.", "no."), ("no!", "no!"), ("no?", "no?"), ("", "."), ('"no"', '"no".'), ('"no."', '"no."')],
)
def test_a_sentence_has_one_mark_at_its_end(message: str, expected: str) -> None:
    assert as_sentence(message) == expected


def test_in_a_structure_lines_are_joined_and_halves_of_characters_replaced_wherever_they_are() -> None:
    value = {"a\nb": ["\x1b[1m", ("c\t\ufeffd", 1, None, True)], "\udcff": {"e": "\u202e😀"}}
    assert without_hidden(value) == {"a b": ["[1m", ["c d", 1, None, True]], "\ufffd": {"e": "😀"}}


def test_halves_of_characters_are_replaced_wherever_they_are_and_nothing_else() -> None:
    value = {"a\udcff": ["\ud83d", ("b", 1, None, True)], "😀": {"c": "\udce4\né"}}
    assert encodable(value) == {"a\ufffd": ["\ufffd", ["b", 1, None, True]], "😀": {"c": "\ufffd\né"}}
