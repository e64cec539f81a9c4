"""Text of others in our sentences."""

import pytest

from salesforce_bulk_ingest.base.text import as_sentence, cut, encodable, quoted_names, shorten


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert shorten("abc", 3) == cut("abc", 3) == "abc"


def test_a_long_text_shows_that_it_goes_on() -> None:
    assert shorten("abcd", 3) == "abc…"
    assert cut("abcd" * 300, 3) == "abc…[+1197]"


def test_the_first_names_are_quoted_and_the_others_counted() -> None:
    assert quoted_names(["A", "B"]) == '"A", "B"'
    assert quoted_names(map(str, range(1_234)), 2) == '"0", "1" and 1,232 more'
    assert quoted_names([]) == ""


@pytest.mark.parametrize(("name", "quoted"), [("two\nlines\u202e", '"two lines "'), ("x" * 61, f'"{"x" * 60}…"')])
def test_a_name_stands_on_one_line_and_is_not_long(name: str, quoted: str) -> None:
    assert quoted_names([name]) == quoted


@pytest.mark.parametrize(
    ("message", "expected"), [("no", "no."), ("no.", "no."), ("no!", "no!"), ("no?", "no?"), ("", ".")]
)
def test_a_sentence_has_one_mark_at_its_end(message: str, expected: str) -> None:
    assert as_sentence(message) == expected


def test_halves_of_characters_are_replaced_wherever_they_are_and_nothing_else() -> None:
    value = {"a\udcff": ["\ud83d", ("b", 1, None, True)], "😀": {"c": "\udce4é"}}
    assert encodable(value) == {"a\ufffd": ["\ufffd", ["b", 1, None, True]], "😀": {"c": "\ufffdé"}}
