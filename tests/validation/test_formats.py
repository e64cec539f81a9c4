"""Formats: what they read in cells as spreadsheets write them, and which texts are none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.validation.formats import MONTHS, format_of, month_of

READ = {
    "DD.MM.YYYY": {"31.01.2026": "2026-01-31", "1.2.2026": "2026-02-01", "31.02.2026": None, "31/01/2026": None,
                   "31.01.26": None, "2026-01-31": "2026-01-31", "2026-02-30": None, "unbekannt": None, "29.02.2024": "2024-02-29"},
    "MM/DD/YYYY": {"01/31/2026": "2026-01-31", "1/2/2026": "2026-01-02", "31/01/2026": None},
    "D/M/YY": {"1/2/29": "2029-02-01", "1/2/30": "1930-02-01", "1/2/00": "2000-02-01", "1/2/2026": None},
    "DD-MMM-YYYY": {"31-Jan-2026": "2026-01-31", "03-Mär-2026": "2026-03-03", "3-OKT-2026": "2026-10-03", "3-Sept.-2026": "2026-09-03",
                    "3-jui-2026": None, "3-juil-2026": "2026-07-03", "3-Foo-2026": None, "3-Ma-2026": None},
    "DD-MON-YY": None,
    "MMMM D, YYYY": {"October 3, 2026": "2026-10-03", "Oct 3, 2026": "2026-10-03"},
    "D. MMMM YYYY": {"3. Oktober 2026": "2026-10-03", "3. août 2026": "2026-08-03"},
    "YYYYMMDD": {"20260131": "2026-01-31", "2026131": None},
    "yyyy/mm/dd hh:mm": {"2026/01/31 9:30": "2026-01-31T09:30:00", "2026/01/31": None, "2026/01/31 24:00": None},
    "YYYY-MM-DD hh:mm:ss.SSS": {"2026-01-31 09:30:00.123456": "2026-01-31T09:30:00.123"},
    "M/D/YYYY h:mm:ss AM/PM": {"1/31/2026 9:30:00 PM": "2026-01-31T21:30:00", "1/31/2026 12:05:00 a.m.": "2026-01-31T00:05:00",
                               "1/31/2026 13:00:00 PM": None, "1/31/2026 9:30:00": None},
    "DD.MM.YYYY hh:mm Z": {"31.01.2026 09:30": "2026-01-31T09:30:00Z"},
    "DD.MM.YYYY hh:mm +01:00": {"31.01.2026 09:30": "2026-01-31T09:30:00+01:00"},
    "DD.MM.YYYY hh:mm Europe/Berlin": {"31.01.2026 09:30": "2026-01-31T09:30:00+01:00", "31.07.2026 09:30": "2026-07-31T09:30:00+02:00",
                                       "29.03.2026 02:30": None, "25.10.2026 02:30": None},
    "1.234,5": {"1.234,50": "1234.50", "1.234": "1234", "1234,5": "1234.5", "-1.234.567,80": "-1234567.80", "(1.234,50)": "-1234.50",
                "1.234,50-": "-1234.50", "\u22123,1": "-3.1", "+5": "5", ",5": "0.5", "5,": "5", "12,00": "12", "1,5E+05": "1.5E+05",
                "1.5": None, "12.34,5": None, "1,2,3": None, "€ 5": None, "--1": None, "(-1)": None, "(1": None, "-": None, "1.2345": None, "\u0661\u0662": None},
    "1 234,5": {"1 234,5": "1234.5", "1\u00a0234\u202f567,89": "1234567.89", "12 34": None},
    "1'234.5": {"1\u2019234.50": "1234.50", "1'234": "1234"},
    "1,234.5": {"1,234.5": "1234.5", "1,5": None},
    "1234,5": {"1234,5": "1234.5", "1.234,5": None},
    "1,23,456.7": {"12,34,567.8": "1234567.8", "123,456": None, "1,234": "1234"},
    "1.234,5 €": {"€ 1.234,50": "1234.50", "1.234,50\u00a0€": "1234.50", "-€5": "-5", "5 $": None, "5": "5"},
    "$1,234.5": {"($1,234.00)": "-1234", "-$5": "-5", "$-5": "-5"},
    "12,5 %": {"12,5%": "12.5", "12,5 %": "12.5"},
    "Ja/Nein": {"ja": "true", "NEIN": "false", "true": "true", "FALSE": "false", "vielleicht": None},
    "x/": {"x": "true", "": "false", "y": None},
    "1/0": {"1": "true", "0": "false"},
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_cells_are_read_or_do_not_fit(text: str) -> None:
    expected = READ[text]
    if expected is None:
        with pytest.raises(InvalidArgument):
            format_of(text)
    else:
        read = format_of(text).read
        assert {cell: read(cell) for cell in expected} == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            snapshot(
                'The format "" is none: write it as the cells are, such as "DD.MM.YYYY", "MM/DD/YYYY hh:mm", "1.234,5" or "Yes/No".'
            ),
        ),
        (
            "abc",
            snapshot(
                'The format "abc" is none: write it as the cells are, such as "DD.MM.YYYY", "MM/DD/YYYY hh:mm", "1.234,5" or "Yes/No".'
            ),
        ),
        (
            "DD.MM",
            snapshot(
                'The format "DD.MM" is one of dates and has no year: write it as DD.MM.YYYY or MM/DD/YYYY hh:mm:ss.'
            ),
        ),
        (
            "DD.MM.DD.YYYY",
            snapshot(
                'The format "DD.MM.DD.YYYY" is one of dates and names a part twice: write it as DD.MM.YYYY or MM/DD/YYYY hh:mm:ss.'
            ),
        ),
        ("DD.MM.YYYY Z", snapshot('The format "DD.MM.YYYY Z" has a time zone and no time.')),
        (
            "DD.MM.YYYY hh:mm No/Where",
            snapshot('The format "DD.MM.YYYY hh:mm No/Where" names a time zone that is not known.'),
        ),
        (
            "DD.MM.YYYY hh:mm +99:00",
            snapshot('The format "DD.MM.YYYY hh:mm +99:00" has a time zone that there is not.'),
        ),
        ("1.234", snapshot('The format "1.234" can be meant in two ways: write 1.234,5 or 1234.5.')),
        (
            "1.234 5",
            snapshot(
                'The format "1.234 5" has marks of more than one kind between groups of digits: write it as 1.234,5 or 1,234.5.'
            ),
        ),
        (
            "1.234.5",
            snapshot(
                'The format "1.234.5" has marks of more than one kind between groups of digits: write it as 1.234,5 or 1,234.5.'
            ),
        ),
        ("Ja/ja", snapshot('The format "Ja/ja" has the same word for true and for false.')),
        (
            "a/b/c",
            snapshot(
                'The format "a/b/c" is none: write it as the cells are, such as "DD.MM.YYYY", "MM/DD/YYYY hh:mm", "1.234,5" or "Yes/No".'
            ),
        ),
    ],
)
def test_a_text_that_is_no_format_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        format_of(text)
    assert str(refused.value) == message


@given(st.text(max_size=12))
def test_any_text_is_a_format_or_refused(text: str) -> None:
    try:
        made = format_of(text)
    except InvalidArgument:
        return
    assert made.read("no cell of any kind") is None


ORDERS = {"DD.MM.YYYY": "%d.%m.%Y", "MM/DD/YY": "%m/%d/%y", "YYYYMMDD": "%Y%m%d", "D MMM YYYY": "%d %b %Y"}


@given(st.dates(date(1930, 1, 1), date(2029, 12, 31)), st.sampled_from(sorted(ORDERS)))
def test_every_day_is_read_as_it_was_written(day: date, text: str) -> None:
    assert format_of(text).read(day.strftime(ORDERS[text])) == day.isoformat()


@given(st.integers(-(10**9), 10**9), st.integers(0, 99), st.sampled_from(["1.234,5", "1,234.5", "1 234,5", "1'234.5"]))
def test_every_amount_is_read_as_it_was_written(whole: int, cents: int, text: str) -> None:
    group, decimal = text[1], text[5]
    written = f"{whole:,}".replace(",", group) + f"{decimal}{cents:02}"
    assert format_of(text).read(written) == (f"{whole}.{cents:02}" if cents else str(whole))


def test_each_name_of_a_month_stands_for_one() -> None:
    for names in (line for line in MONTHS if len(line.split()) == 12):
        for number, name in enumerate(names.split(), 1):
            assert month_of(name) == month_of(name.upper()) == number


def test_a_long_cell_does_not_fit() -> None:
    for text in ("1.234,5 €", "DD.MM.YYYY hh:mm", "Ja/Nein"):
        assert format_of(text).read(f"1{' ' * 100_000}x") is None


def test_days_that_do_not_exist_do_not_fit() -> None:
    days = [date(2026, 1, 1) + timedelta(days) for days in range(365)]
    written = {f"{day:02}.{month:02}.2026" for day in range(40) for month in range(15)}
    assert {cell for cell in written if format_of("DD.MM.YYYY").read(cell)} == {
        day.strftime("%d.%m.%Y") for day in days
    }
