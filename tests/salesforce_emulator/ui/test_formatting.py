"""How values are printed in pages."""

import pytest
from markupsafe import Markup

from salesforce_emulator.ui import formatting
from tests.salesforce_emulator.behaviours import own


@own
@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (59_940, "59.9 s"),
        (60_000, "1 min 0 s"),
        (3_725_000, "62 min 5 s"),
    ],
)
def test_a_duration_is_in_the_unit_that_suits_it(milliseconds: int, text: str) -> None:
    assert formatting.duration(milliseconds) == text


@own
@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (10**6, "1.0 MB"), (2_340_000_000, "2.3 GB")]
)
def test_a_size_is_decimal_as_the_limits_of_the_api_are(count: int, text: str) -> None:
    assert formatting.size(count) == text


@own
def test_a_count_has_its_noun_in_the_plural_but_for_one() -> None:
    assert [formatting.plural(count, "job") for count in (0, 1, 1200)] == ["0 jobs", "1 job", "1,200 jobs"]


@own
def test_a_cell_is_the_beginning_of_a_text_on_one_line() -> None:
    assert formatting.cell("a\tb\nc" + "d" * 100, 6) == "a⇥b↵cd"


@own
def test_a_time_is_printed_to_the_second() -> None:
    assert formatting.time("2026-03-04T09:15:27.123+0000") == "2026-03-04 09:15:27"


@own
def test_markup_and_what_is_no_text_is_printed_as_it_is() -> None:
    assert formatting.printable("a\u200bb") == "a⟨U+200B⟩b"
    markup = Markup("a\u200bb")
    assert formatting.printable(markup) is markup
    assert formatting.printable(5) == 5
