"""Literals of queries: text, dates, and ranges of dates."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own
from tests.salesforce_emulator.caller import DATA, Caller, an_org
from tests.salesforce_emulator.conftest import EXAMPLES
from tests.salesforce_emulator.forms import IMPOSSIBLE, forms
from tests.salesforce_emulator.soql.queries import names, reason_of

DATES = "SOQL and SOSL reference, Date Formats and Date Literals"


@doc(DATES)
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Birthdate = 2025-01-01", ["Li"]),
        ("Birthdate = YESTERDAY", ["Ngata"]),
        ("Birthdate < today", ["Ngata", "Li"]),
        ("Birthdate = LAST_N_DAYS:90", ["Ngata", "Li"]),
        ("Birthdate = N_DAYS_AGO:1", ["Ngata"]),
        ("Birthdate > LAST_MONTH", ["Ngata"]),
        ("Birthdate <= THIS_YEAR AND Birthdate >= THIS_MONTH", ["Ngata"]),
        ("Birthdate IN (2025-01-01, YESTERDAY)", ["Ngata", "Li"]),
        ("Birthdate != YESTERDAY", ["Li", "Solo"]),
        ("CreatedDate = TODAY AND LastName = 'Li'", ["Li"]),
        ("CreatedDate > 2025-03-20T13:00:00+02:00 AND LastName = 'Li'", ["Li"]),
        ("CreatedDate > 2025-03-20T12:00:00.000Z", []),
        ("CreatedDate = NEXT_N_DAYS:3", []),
    ],
)
def test_dates_and_date_literals_are_understood(stocked: Caller, where: str, found: list[str]) -> None:
    assert names(stocked, f"WHERE {where}", "Contact", "LastName") == found


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with an opportunity for each day of seven years; its clock stands on Thursday, 20 March 2025."""
    with an_org(tmp_path_factory.mktemp("daily"), clock=lambda: datetime(2025, 3, 20, 12, tzinfo=UTC)) as org:
        days = (date(2022, 1, 1) + timedelta(days=n) for n in range(7 * 365 + 2))
        org.load("Name,StageName,CloseDate\n" + "".join(f"A,Prospecting,{day}\n" for day in days), "Opportunity")
        yield org


@doc(DATES)
@assumed("weeks begin on Sunday, as where the org's one user lives")
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("TODAY", "2025-03-20", "2025-03-20"),
        ("YESTERDAY", "2025-03-19", "2025-03-19"),
        ("TOMORROW", "2025-03-21", "2025-03-21"),
        ("LAST_90_DAYS", "2024-12-20", "2025-03-20"),
        ("NEXT_90_DAYS", "2025-03-21", "2025-06-18"),
        ("LAST_N_DAYS:2", "2025-03-18", "2025-03-20"),
        ("NEXT_N_DAYS:2", "2025-03-21", "2025-03-22"),
        ("N_DAYS_AGO:2", "2025-03-18", "2025-03-18"),
        ("LAST_WEEK", "2025-03-09", "2025-03-15"),
        ("THIS_WEEK", "2025-03-16", "2025-03-22"),
        ("NEXT_WEEK", "2025-03-23", "2025-03-29"),
        ("LAST_N_WEEKS:2", "2025-03-02", "2025-03-15"),
        ("NEXT_N_WEEKS:2", "2025-03-23", "2025-04-05"),
        ("N_WEEKS_AGO:2", "2025-03-02", "2025-03-08"),
        ("LAST_MONTH", "2025-02-01", "2025-02-28"),
        ("THIS_MONTH", "2025-03-01", "2025-03-31"),
        ("NEXT_MONTH", "2025-04-01", "2025-04-30"),
        ("LAST_N_MONTHS:3", "2024-12-01", "2025-02-28"),
        ("NEXT_N_MONTHS:2", "2025-04-01", "2025-05-31"),
        ("N_MONTHS_AGO:3", "2024-12-01", "2024-12-31"),
        ("LAST_QUARTER", "2024-10-01", "2024-12-31"),
        ("THIS_QUARTER", "2025-01-01", "2025-03-31"),
        ("NEXT_QUARTER", "2025-04-01", "2025-06-30"),
        ("LAST_N_QUARTERS:2", "2024-07-01", "2024-12-31"),
        ("NEXT_N_QUARTERS:2", "2025-04-01", "2025-09-30"),
        ("N_QUARTERS_AGO:2", "2024-07-01", "2024-09-30"),
        ("LAST_YEAR", "2024-01-01", "2024-12-31"),
        ("THIS_YEAR", "2025-01-01", "2025-12-31"),
        ("NEXT_YEAR", "2026-01-01", "2026-12-31"),
        ("LAST_N_YEARS:2", "2023-01-01", "2024-12-31"),
        ("NEXT_N_YEARS:2", "2026-01-01", "2027-12-31"),
        ("N_YEARS_AGO:2", "2023-01-01", "2023-12-31"),
    ],
)
def test_a_date_literal_is_its_first_day_to_its_last(daily: Caller, name: str, first: str, last: str) -> None:
    days = daily.query(f"SELECT CloseDate FROM Opportunity WHERE CloseDate = {name} ORDER BY CloseDate")["records"]
    assert (days[0]["CloseDate"], days[-1]["CloseDate"]) == (first, last)
    assert len(days) == (date.fromisoformat(last) - date.fromisoformat(first)).days + 1


@assumed("the text, which names the number")
@pytest.mark.parametrize("literal", ["LAST_N_DAYS:999999999", "LAST_N_WEEKS:999999", "NEXT_N_YEARS:99999"])
def test_a_date_literal_beyond_the_calendar_is_refused(daily: Caller, literal: str) -> None:
    assert reason_of(daily, f"SELECT Id FROM Opportunity WHERE CloseDate = {literal}") == (
        "MALFORMED_QUERY",
        f"unexpected token: '{literal.partition(':')[2]}'",
    )


def literal(value: str | float | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'").upper() + "'"
    return "null" if value is None else str(value)


@doc("SOQL and SOSL reference, Quoted String Escape Sequences")
def test_a_character_beyond_four_hexadecimal_digits_is_two_escapes(org: Caller) -> None:
    site = uuid4().hex
    org.load(f"Name,Site\n\U0001f600,{site}\n")
    assert names(org, f"WHERE Site = '{site}' AND Name = '\\uD83D\\uDE00'") == ["\U0001f600"]
    assert names(org, f"WHERE Site = '{site}' AND Name LIKE '%\\ud83d\\ude00'") == ["\U0001f600"]


@assumed("code and text")
@pytest.mark.parametrize("literal", ["\\uD83D", "a\\uDE00", "\\uDE00\\uD83D", "\\ud83d_"])
@pytest.mark.parametrize("operator", ["=", "LIKE"])
def test_half_a_surrogate_pair_is_refused(org: Caller, operator: str, literal: str) -> None:
    assert reason_of(org, f"SELECT Id FROM Account WHERE Name {operator} '{literal}'") == snapshot(
        ("MALFORMED_QUERY", "Half a surrogate pair in string literal")
    )


OF_EVERY_TYPE = (
    "Id",
    "Name",
    "Amount",
    "Probability",
    "CloseDate",
    "CreatedDate",
    "IsPrivate",
    "StageName",
    "AccountId",
)
"""Fields of Opportunity."""


def finds_none_or_is_refused(org: Caller, condition: str) -> None:
    soql = f"SELECT Id FROM Opportunity WHERE Name = 'No such deal' AND {condition}"
    answer = org.http.get(f"{DATA}/query", params={"q": soql})
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 400 or answer.json()["records"] == []


@own
@pytest.mark.parametrize("field", OF_EVERY_TYPE)
def test_a_literal_that_can_not_be_finds_nothing_or_is_refused(org: Caller, field: str) -> None:
    for literal in IMPOSSIBLE:
        finds_none_or_is_refused(org, f"{field} = {literal}")


@own
@EXAMPLES
@given(
    field=st.sampled_from(OF_EVERY_TYPE),
    condition=st.sampled_from(["= {}", "= '{}'", "< {}", "LIKE '{}'", "IN ({})", "NOT IN ('{}')"]),
    literal=forms,
)
def test_a_literal_of_any_form_finds_nothing_or_is_refused(
    org: Caller, field: str, condition: str, literal: str
) -> None:
    finds_none_or_is_refused(org, f"{field} {condition.format(literal)}")
