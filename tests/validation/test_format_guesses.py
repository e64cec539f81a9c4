"""Guesses at formats: what is proposed for columns as spreadsheets write them, and where only the user knows."""

from collections.abc import Callable, Iterator

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.validation.format_guesses import (
    BOOLEAN_PAIRS,
    FormatGuess,
    advice,
    boolean_texts,
    date_texts,
    number_texts,
    time_texts,
)  # fmt: skip
from salesforce_bulk_ingest.validation.formats import format_of
from salesforce_bulk_ingest.validation.misfits import CORRECT_THEM


def guessed(texts: Callable[[str], Iterator[str]], *cells: str) -> list[str]:
    guess = FormatGuess(texts, lambda readings: set())
    for cell in cells:
        guess.add({cell})
    return [likely.text for likely in guess.likely()]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["31.01.2026", "01.02.2026"], ["DD.MM.YYYY"]),
        (["01/31/2026", "2/1/2026"], ["MM/DD/YYYY"]),
        (["01/02/2026", "03/04/2026"], ["DD/MM/YYYY", "MM/DD/YYYY"]),
        (["01/01/2026", "02/02/2026"], ["DD/MM/YYYY"]),
        (["13/01/2026", "01/13/2026"], []),
        (["31.01.26"], ["DD.MM.YY"]),
        (["10/11/12"], ["DD/MM/YY", "MM/DD/YY", "YY/MM/DD"]),
        (["31-Jan-2026", "1-Feb-2026"], ["DD-MMM-YYYY"]),
        (["Jan 5, 2026"], ["MMM DD, YYYY"]),
        (["20260131"], ["YYYYMMDD"]),
        (["31.01.2026 09:30", "1.2.2026 9:30"], ["DD.MM.YYYY hh:mm"]),
        (["1/31/2026 9:30:00 AM"], ["MM/DD/YYYY hh:mm:ss AM/PM"]),
        (["2026-01-31 09:30:00.000"], ["YYYY-MM-DD hh:mm:ss.SSS"]),
        (["31.01.2026", "30.01.2026", "unbekannt"], ["DD.MM.YYYY"]),
        (["31.01.2026", "unbekannt", "offen", "?"], []),
        (["soon", ""], []),
    ],
)
def test_the_format_of_dates_is_guessed_where_one_fits_them_all(cells: list[str], texts: list[str]) -> None:
    assert guessed(time_texts, *cells) == texts


@pytest.mark.parametrize(
    ("cell", "text", "read"),
    [
        ("31.01.2026 00:00:00", "DD.MM.YYYY 00:00:00", "2026-01-31"),
        ("1/31/2026 12:00:00 AM", "MM/DD/YYYY 12:00:00 AM", "2026-01-31"),
        ("2026-01-31 00:00:00.000", "YYYY-MM-DD 00:00:00.000", "2026-01-31"),
    ],
)
def test_midnight_after_a_day_is_no_part_of_it(cell: str, text: str, read: str) -> None:
    assert guessed(date_texts, cell) == [text]
    assert format_of(text).read(cell) == read and format_of(text).read(cell.replace("00", "01", 1)) is None


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["1.234,50", "3,5"], ["1.234,5"]),
        (["3,5"], ["1.234,5"]),
        (["1,234.50"], ["1,234.5"]),
        (["1,234"], ["1.234,5", "1,234.5"]),
        (["1,234", "1,234,567"], ["1,234.5"]),
        (["1,234", "5,25"], ["1.234,5"]),
        (["1 234,50", "1\u00a0000,00"], ["1 234,5"]),
        (["1'234.50"], ["1'234.5"]),
        (["5,00 €", "1.234,50 €"], ["1.234,5 €"]),
        (["$1,234.50", "($5.25)"], ["1,234.5 $"]),
        (["12,5 %"], ["1.234,5 %"]),
        (["5,5 €", "6,5"], ["1.234,5 €"]),
        (["5,5 €", "6,5 $"], []),
        (["1,5e3"], ["1.234,5"]),
        (["25.0", "7.00"], ["1234.5"]),
        (["$25.0"], ["1,234.5 $"]),
        (["n/a", "viele"], []),
    ],
)
def test_the_format_of_numbers_is_guessed(cells: list[str], texts: list[str]) -> None:
    assert guessed(number_texts, *cells) == texts


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["Ja", "nein"], ["ja/nein"]),
        (["NO"], ["yes/no"]),
        (["WAHR", "FALSCH"], ["wahr/falsch"]),
        (["x", "X"], ["x/"]),
        (["Sí", "No"], ["sí/no"]),
        (["s", "n"], ["s/n"]),
        (["ja", "non"], []),
        (["maybe"], []),
    ],
)
def test_the_words_of_booleans_are_guessed(cells: list[str], texts: list[str]) -> None:
    assert guessed(boolean_texts, *cells) == texts


def test_each_pair_that_is_guessed_is_a_format() -> None:
    for pair in BOOLEAN_PAIRS:
        assert [format_of(pair).read(word) for word in pair.split("/")] == ["true", "false"]


def test_the_advice_shows_a_cell_that_tells_the_formats_apart_unless_it_is_hidden() -> None:
    guess = FormatGuess(date_texts, lambda readings: set())
    guess.add({"01/01/2026", "01/02/2026"})
    likely = guess.likely()
    assert advice("not a date", "CloseDate", likely, are_hidden=False) == snapshot(
        ' Or give formats, once the user says which is meant: {"CloseDate": "DD/MM/YYYY"} reads "01/02/2026" as 2026-02-01, and {"CloseDate": "MM/DD/YYYY"} reads "01/02/2026" as 2026-01-02.'
    )
    assert advice("not a date", "CloseDate", likely, are_hidden=True) == snapshot(
        ' Or give formats, once the user says which is meant: {"CloseDate": "DD/MM/YYYY"}, and {"CloseDate": "MM/DD/YYYY"}.'
    )
    assert advice("not a date", "CloseDate", likely[:1], are_hidden=False) == snapshot(
        ' Or give formats: {"CloseDate": "DD/MM/YYYY"} reads "01/02/2026" as 2026-02-01.'
    )
    assert advice("not a date", "CloseDate", [], are_hidden=False) == snapshot(
        ' Or name their form in formats, such as "DD.MM.YYYY".'
    )
    assert advice("not a date", "CloseDate", [], are_hidden=False, has_format=True) == f" {CORRECT_THEM}"
    assert advice("too long", "Name", [], are_hidden=False) == ""
