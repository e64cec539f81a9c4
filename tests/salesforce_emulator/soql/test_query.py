"""Queries in SOQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from operator import ge, gt, le, lt
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DATA, Caller, Job, an_org, an_org_with, shown
from tests.salesforce_emulator.conftest import EXAMPLES

CONDITIONS = "SOQL and SOSL reference, conditionExpression Syntax"
COMPARISONS = "SOQL and SOSL reference, Comparison Operators"
DATES = "SOQL and SOSL reference, Date Formats and Date Literals"
RELATIONSHIPS = "SOQL and SOSL reference, Relationship Queries"

ACCOUNTS = """\
Name,Site,AnnualRevenue,Phone,Industry
Alpha,soql,1000,1,Banking
beta,soql,5,,Banking
Gam%ma,soql,,3,
It's,soql,-7,4,Energy
"a
b",soql,0.5,5,Energy
"""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with five accounts, three contacts and two tasks; its clock stands on 20 March 2025."""
    with an_org(tmp_path_factory.mktemp("soql"), clock=lambda: datetime(2025, 3, 20, 12, tzinfo=UTC)) as org:
        accounts = {row["Name"]: row["sf__Id"] for row in org.succeeded(org.load(ACCOUNTS))}
        org.load(
            "LastName,FirstName,AccountId,Birthdate,DoNotCall\n"
            f"Ngata,Whetu,{accounts['Alpha']},2025-03-19,true\nLi,,{accounts['beta']},2025-01-01,false\nSolo,,,,false\n",
            "Contact",
        )
        contact = org.query("SELECT Id FROM Contact WHERE LastName = 'Ngata'")["records"][0]["Id"]
        org.load(f"Subject,WhoId,WhatId\nCall,{contact},{accounts['beta']}\nMail,,\n", "Task")
        yield org


def names(org: Caller, where: str, object_: str = "Account", field: str = "Name") -> list[str]:
    """What the query finds, in its order."""
    answer = org.query(f"SELECT {field} FROM {object_} {where}")
    assert isinstance(answer, dict), answer
    return [record[field] for record in answer["records"]]


def refusal(org: Caller, soql: str) -> tuple[str, str]:
    answer = org.http.get(f"{DATA}/query", params={"q": soql})
    assert answer.status_code == 400
    [error] = answer.json()
    return error["errorCode"], error["message"]


def reason_of(org: Caller, soql: str) -> tuple[str, str]:
    """How a query is refused, without the lines that show the place."""
    code, message = refusal(org, soql)
    return code, message.rpartition("\n")[2]


# What a query answers with.


@doc("REST API guide, Query")
def test_a_query_answers_with_records_in_the_order_of_its_fields(stocked: Caller) -> None:
    soql = "select Name, Id, DoNotCall, AccountId FROM contact WHERE LastName = 'SOLO' LIMIT 5"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 1,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "Name": "Solo",
      "Id": "<003 id>",
      "DoNotCall": false,
      "AccountId": null
    }
  ]
}\
""")


@doc(RELATIONSHIPS)
def test_fields_of_parents_come_as_nested_records_and_a_missing_parent_as_null(stocked: Caller) -> None:
    soql = "SELECT LastName, Account.Name, account.owner.Username FROM Contact WHERE LastName != 'Li' ORDER BY LastName"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 2,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "LastName": "Ngata",
      "Account": {
        "attributes": {
          "type": "Account",
          "url": "/services/data/v63.0/sobjects/Account/<001 id>"
        },
        "Name": "Alpha",
        "Owner": {
          "attributes": {
            "type": "User",
            "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
          },
          "Username": "admin@emulator.example"
        }
      }
    },
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "LastName": "Solo",
      "Account": null
    }
  ]
}\
""")


@seen("threads on Who and What in SOQL: the type is Name, and the URL tells which object it is")
def test_a_parent_that_may_be_of_several_objects_shows_what_they_have_in_common(stocked: Caller) -> None:
    soql = "SELECT Subject, Who.Name, Who.Type, What.Name, Owner.Email FROM Task ORDER BY Subject"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 2,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Task",
        "url": "/services/data/v63.0/sobjects/Task/<00T id>"
      },
      "Subject": "Call",
      "Who": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
        },
        "Name": "Whetu Ngata",
        "Type": "Contact"
      },
      "What": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/Account/<001 id>"
        },
        "Name": "beta"
      },
      "Owner": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
        },
        "Email": "admin@emulator.example"
      }
    },
    {
      "attributes": {
        "type": "Task",
        "url": "/services/data/v63.0/sobjects/Task/<00T id>"
      },
      "Subject": "Mail",
      "Who": null,
      "What": null,
      "Owner": {
        "attributes": {
          "type": "Name",
          "url": "/services/data/v63.0/sobjects/User/005000000000001AAA"
        },
        "Email": "admin@emulator.example"
      }
    }
  ]
}\
""")


@doc(RELATIONSHIPS)
@assumed("the text")
def test_conditions_reach_five_relationships_far(stocked: Caller) -> None:
    assert names(stocked, "WHERE Account.Owner.Profile.Name = 'system administrator'", "Contact", "LastName") == [
        "Ngata",
        "Li",
    ]
    assert reason_of(stocked, f"SELECT Id FROM Account WHERE {'Parent.' * 6}Name = 'x'") == (
        "INVALID_FIELD",
        snapshot("Path 'Parent.Parent.Parent.Parent.Parent.Parent.Name' is longer than 5 relationships"),
    )


@doc("SOQL and SOSL reference, COUNT()")
def test_count_gives_a_number_without_records(stocked: Caller) -> None:
    assert stocked.query("SELECT COUNT() FROM Account LIMIT 3") == {"totalSize": 3, "done": True, "records": []}


@doc("SOQL and SOSL reference, COUNT(fieldName)")
def test_count_of_a_field_gives_one_record_with_the_number_of_values(stocked: Caller) -> None:
    assert stocked.query("SELECT COUNT(Phone) FROM Account")["records"] == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 4}
    ]
    assert stocked.query("SELECT COUNT(Id) total FROM Account")["records"][0]["total"] == 5


@doc("SOQL and SOSL reference, FIELDS()")
def test_fields_of_a_kind_can_be_selected_at_once(stocked: Caller) -> None:
    [record] = stocked.query("SELECT FIELDS(ALL) FROM Organization LIMIT 200")["records"]
    assert (record["Name"], record["Id"]) == ("Embedded org", "00D000000000001EAA")
    [record] = stocked.query("SELECT FIELDS(CUSTOM), Name FROM Account WHERE Name = 'beta' LIMIT 1")["records"]
    assert list(record) == ["attributes", "External_Id__c", "Name"]
    assert "External_Id__c" not in stocked.query("SELECT FIELDS(STANDARD) FROM Account")["records"][0]
    assert reason_of(stocked, "SELECT FIELDS(ALL) FROM Account") == (
        "MALFORMED_QUERY",
        "The SOQL FIELDS function must have a LIMIT of at most 200",
    )


# Which records it finds.


@doc(COMPARISONS)
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ALPHA'", ["Alpha"]),
        ("Name > 'alpha' AND Name < 'H'", ["beta", "Gam%ma"]),
        ("AnnualRevenue >= 5", ["Alpha", "beta"]),
        ("AnnualRevenue = 5e0", ["beta"]),
        ("AnnualRevenue <= -7", ["It's"]),
        ("AnnualRevenue = null", ["Gam%ma"]),
        ("Industry != null AND Phone != NULL", ["Alpha", "It's", "a\nb"]),
        ("Name LIKE '%A'", ["Alpha", "beta", "Gam%ma"]),
        ("Name LIKE 'gam\\%%'", ["Gam%ma"]),
        ("Name LIKE '_eta'", ["beta"]),
        ("Name IN ('alpha', 'BETA', 'x')", ["Alpha", "beta"]),
        ("Name NOT IN ('alpha', 'beta')", ["Gam%ma", "It's", "a\nb"]),
        ("Phone IN ('1', null)", ["Alpha", "beta"]),
        ("Name = 'It\\'s'", ["It's"]),
        ("Name = 'a\\nb'", ["a\nb"]),
        ("Name = '\\u0041lpha'", ["Alpha"]),
        ("Id > '001000000000000' AND IsDeleted = false AND Phone < '2'", ["Alpha"]),
    ],
)
def test_a_comparison_finds_what_salesforce_finds(stocked: Caller, where: str, found: list[str]) -> None:
    assert names(stocked, f"WHERE {where}") == found


@doc(COMPARISONS)
@pytest.mark.parametrize("where", ["Phone != '1'", "Phone <> '1'", "(NOT Phone = '1')", "Phone NOT IN ('1')"])
def test_what_has_no_value_differs_from_every_value(stocked: Caller, where: str) -> None:
    assert names(stocked, f"WHERE {where}") == ["beta", "Gam%ma", "It's", "a\nb"]


@doc(COMPARISONS)
def test_not_finds_exactly_what_its_condition_does_not(stocked: Caller) -> None:
    assert names(stocked, "WHERE NOT AnnualRevenue < 5") == ["Alpha", "beta", "Gam%ma"]


@doc(CONDITIONS)
def test_parentheses_group_conditions(stocked: Caller) -> None:
    where = "WHERE Industry = 'Energy' OR (Phone = '1' AND (NOT (AnnualRevenue = 5 OR AnnualRevenue = null)))"
    assert names(stocked, where) == ["Alpha", "It's", "a\nb"]


@doc(CONDITIONS)
@pytest.mark.parametrize(
    ("where", "token"),
    [
        ("Name = 'a' AND Name = 'b' OR Name = 'c'", "OR"),
        ("NOT Name = 'a' AND Name = 'b'", "AND"),
    ],
)
def test_and_or_and_not_do_not_mix_without_parentheses(stocked: Caller, where: str, token: str) -> None:
    assert reason_of(stocked, f"SELECT Id FROM Account WHERE {where}") == (
        "MALFORMED_QUERY",
        f"unexpected token: '{token}'",
    )


@doc("SOQL and SOSL reference, Querying Multi-Select Picklists")
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Tags__c INCLUDES ('a')", ["A", "AB"]),
        ("Tags__c includes ('A;b', 'c')", ["AB", "C"]),
        ("Tags__c EXCLUDES ('a')", ["C", "None"]),
        ("Tags__c = 'a;b'", ["AB"]),
    ],
)
def test_what_is_chosen_can_be_asked_for(tagged: Caller, where: str, found: list[str]) -> None:
    assert names(tagged, f"WHERE {where}", "Note__c") == found


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    schema = "objects: {Note__c: {fields: {Tags__c: {type: multipicklist, picklist: [a, b, c]}}}}"
    with an_org_with(schema, tmp_path_factory.mktemp("tagged")) as org:
        org.load("Name,Tags__c\nA,a\nAB,a;b\nC,c\nNone,\n", "Note__c")
        yield org


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


Test = Callable[[dict[str, Any]], bool]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
VALUES: dict[str, list[Any]] = {
    "Name": ["Alpha", "beta", "Gam%ma", "it's", "x"],
    "Phone": ["1", "3", "4", None],
    "AnnualRevenue": [1000, 5, -7, 0.5, 2, None],
}


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Test]:
    """A comparison, and how a reader of the guide would understand it."""
    field = draw(st.sampled_from(sorted(VALUES)))
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(VALUES[field]), min_size=1, max_size=3))
        negated = draw(st.booleans())
        folded = [fold(value) for value in chosen]
        text = f"{field} {'NOT ' * negated}IN ({', '.join(map(literal, chosen))})"
        return text, lambda record: (fold(record[field]) in folded) != negated
    value = draw(st.sampled_from(VALUES[field]))
    if value is None or draw(st.booleans()):
        negated = draw(st.booleans())
        text = f"{field} {'!=' if negated else '='} {literal(value)}"
        return text, lambda record: (fold(record[field]) == fold(value)) != negated
    sign = draw(st.sampled_from(sorted(OPERATORS)))
    return (
        f"{field} {sign} {literal(value)}",
        lambda record: record[field] is not None and OPERATORS[sign](fold(record[field]), fold(value)),
    )


def literal(value: str | float | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "\\'").upper() + "'"
    return "null" if value is None else str(value)


def fold(value: str | float | None) -> str | float | None:
    return value.lower() if isinstance(value, str) else value


def groups(parts: st.SearchStrategy[tuple[str, Test]]) -> st.SearchStrategy[tuple[str, Test]]:
    several = st.lists(parts, min_size=2, max_size=4)
    return st.one_of(
        parts.map(lambda part: (f"(NOT ({part[0]}))", lambda record: not part[1](record))),
        several.map(lambda them: (joined(" AND ", them), lambda record: all(test(record) for _, test in them))),
        several.map(lambda them: (joined(" OR ", them), lambda record: any(test(record) for _, test in them))),
    )


def joined(operator: str, parts: list[tuple[str, Test]]) -> str:
    return f"({operator.join(text for text, _ in parts)})"


@doc(CONDITIONS)
@EXAMPLES
@given(st.recursive(comparisons(), groups, max_leaves=12))
def test_nested_conditions_find_what_each_of_their_parts_says(stocked: Caller, condition: tuple[str, Test]) -> None:
    text, test = condition
    records = stocked.query("SELECT Name, Phone, AnnualRevenue FROM Account")["records"]
    assert names(stocked, f"WHERE {text}") == [record["Name"] for record in records if test(record)]


@doc("SOQL and SOSL reference, ORDER BY")
@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("ORDER BY Name", ["a\nb", "Alpha", "beta", "Gam%ma", "It's"]),
        ("ORDER BY AnnualRevenue", ["Gam%ma", "It's", "a\nb", "beta", "Alpha"]),
        ("ORDER BY AnnualRevenue DESC", ["Gam%ma", "Alpha", "beta", "a\nb", "It's"]),
        ("ORDER BY AnnualRevenue DESC NULLS LAST LIMIT 2", ["Alpha", "beta"]),
        ("ORDER BY Industry NULLS LAST, Name DESC", ["beta", "Alpha", "It's", "a\nb", "Gam%ma"]),
        ("ORDER BY Owner.Name, Name LIMIT 2 OFFSET 3", ["Gam%ma", "It's"]),
    ],
)
def test_records_come_in_the_order_asked_for(stocked: Caller, clause: str, found: list[str]) -> None:
    assert names(stocked, f"WHERE Site = 'soql' {clause}") == found


@doc("REST API guide, QueryAll")
def test_query_all_finds_what_lies_in_the_recycle_bin(org: Caller) -> None:
    name = uuid4().hex
    [row] = org.succeeded(org.load(f"Name\n{name}\n"))
    org.load(f"Id\n{row['sf__Id']}\n", operation="delete")
    soql = f"SELECT IsDeleted FROM Account WHERE Name = '{name}'"
    assert org.query(soql)["totalSize"] == 0
    assert org.http.get(f"{DATA}/queryAll", params={"q": soql}).json()["records"][0]["IsDeleted"] is True


# Pages.


def pages(org: Caller, answer: Job) -> list[Job]:
    found = [answer]
    while not found[-1]["done"]:
        found.append(org.http.get(found[-1]["nextRecordsUrl"]).json())
    return found


@doc("REST API guide, Query More Results")
def test_long_answers_come_in_pages_of_2000(org: Caller) -> None:
    org.load("Name,Site\n" + "".join(f"{number:04},paged\n" for number in range(4500)))
    found = pages(org, org.query("SELECT Name FROM Account WHERE Site = 'paged' ORDER BY Name DESC"))
    assert [len(page["records"]) for page in found] == [2000, 2000, 500]
    assert {page["totalSize"] for page in found} == {4500}
    assert [record["Name"] for page in found for record in page["records"]] == [f"{n:04}" for n in range(4499, -1, -1)]
    assert "nextRecordsUrl" not in found[-1]


@doc("REST API guide, Query Options Header")
@pytest.mark.parametrize(("asked", "given"), [("batchSize=200", 200), ("batchSize=1", 200), ("batchSize=9999", 250)])
def test_a_caller_may_ask_for_smaller_pages(org: Caller, asked: str, given: int) -> None:
    site = uuid4().hex
    org.load("Name,Site\n" + "".join(f"{number},{site}\n" for number in range(250)))
    headers = {"Sforce-Query-Options": asked}
    soql = f"SELECT Name FROM Account WHERE Site = '{site}'"
    answer = org.http.get(f"{DATA}/query", params={"q": soql}, headers=headers).json()
    assert [len(page["records"]) for page in pages(org, answer)] == [given, *[250 - given] * (given < 250)]


@doc("REST API guide, Query More Results")
def test_a_locator_can_be_followed_for_two_days(tmp_path: Path) -> None:
    now = datetime(2025, 3, 20, tzinfo=UTC)
    with an_org(tmp_path, clock=lambda: now) as org:
        org.load("Name\n" + "x\n" * 201)
        headers = {"Sforce-Query-Options": "batchSize=200"}
        answer = org.http.get(f"{DATA}/query", params={"q": "SELECT Id FROM Account"}, headers=headers).json()
        now += timedelta(days=2)
        assert len(org.http.get(answer["nextRecordsUrl"]).json()["records"]) == 1
        now += timedelta(seconds=1)
        assert org.http.get(answer["nextRecordsUrl"]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


@doc("SOAP API guide, queryMore(): 10 open cursors for each user, of which the oldest is released")
@assumed("that it holds of REST, too")
def test_the_pages_of_the_ten_newest_queries_can_be_followed(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.load("Name\n" + "x\n" * 201)
        headers = {"Sforce-Query-Options": "batchSize=200"}
        soql = {"q": "SELECT Id FROM Account"}
        urls = [org.http.get(f"{DATA}/query", params=soql, headers=headers).json()["nextRecordsUrl"] for _ in range(11)]
        assert org.http.get(urls[0]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
        assert [len(org.http.get(url).json()["records"]) for url in urls[1:]] == [1] * 10


@own
def test_pages_stay_what_they_are_while_records_come_and_change(org: Caller) -> None:
    job = org.load("Name,Site\n" + "".join(f"{number:04},stable\n" for number in range(2001)))
    ids = {row["Name"]: row["sf__Id"] for row in org.succeeded(job)}
    first = org.query("SELECT Name FROM Account WHERE Site = 'stable' ORDER BY Name")
    org.load("Name,Site\n0000,stable\n")
    org.load(f"Id,Site\n{ids['0001']},moved\n", operation="update")
    assert [record["Name"] for record in org.http.get(first["nextRecordsUrl"]).json()["records"]] == ["2000"]


@seen("query results of the platform")
@pytest.mark.parametrize("locator", ["01gEm0000099999-2000", "x", "01gEm0000000001-99999999"])
def test_a_locator_that_leads_nowhere_is_refused(org: Caller, locator: str) -> None:
    answer = org.http.get(f"{DATA}/query/{locator}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


# What is refused.


@seen("threads that quote the API: an excerpt, a caret, row and column, then the reason")
def test_a_mistake_is_shown_at_its_place(org: Caller) -> None:
    assert refusal(org, "SELECT Id FROM Account WHERE Nope = 5") == snapshot(
        (
            "INVALID_FIELD",
            """\

SELECT Id FROM Account WHERE Nope = 5
                             ^
ERROR at Row:1:Column:30
No such column 'Nope' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )
    assert refusal(org, "SELECT Id\nFROM Nope") == snapshot(
        (
            "INVALID_TYPE",
            """\

FROM Nope
     ^
ERROR at Row:2:Column:6
sObject type 'Nope' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )
    assert refusal(org, "SELECT Name FROM Account WHERE Name = 'a' garbage") == snapshot(
        (
            "MALFORMED_QUERY",
            """\

LECT Name FROM Account WHERE Name = 'a' garbage
                                        ^
ERROR at Row:1:Column:43
unexpected token: 'garbage'\
""",
        )
    )
    assert refusal(org, "SELECT Name FROM Account WHERE") == snapshot(
        (
            "MALFORMED_QUERY",
            """\

SELECT Name FROM Account WHERE
                              ^
ERROR at Row:1:Column:31
unexpected token: '<EOF>'\
""",
        )
    )
    assert refusal(org, "SELECT Nope__r.Name FROM Account") == snapshot(
        (
            "INVALID_FIELD",
            """\

SELECT Nope__r.Name FROM Account
       ^
ERROR at Row:1:Column:8
Didn't understand relationship 'Nope__r' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.\
""",
        )
    )


@seen("threads that quote the API's texts")
@pytest.mark.parametrize(
    ("soql", "code", "reason"),
    [
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = '2025-01-01'",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in"
            " quotes",
        ),
        (
            "SELECT Id FROM Account WHERE ParentId = '1'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: 1",
        ),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Account WHERE ParentId LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account ORDER BY Description",
            "INVALID_FIELD",
            "field 'Description' can not be sorted in a query call",
        ),
        ("SELECT Id, Name, id FROM Account", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        (
            "SELECT COUNT(Id) FROM Account LIMIT 5",
            "MALFORMED_QUERY",
            "Non-grouped query that uses overall aggregate functions cannot also use LIMIT",
        ),
    ],
)
def test_what_can_not_be_compared_or_combined_is_refused(org: Caller, soql: str, code: str, reason: str) -> None:
    assert reason_of(org, soql) == (code, reason)


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


def parents(count: int) -> list[str]:
    """So many fields, each at the end of another relationship."""
    chains = (chain for length in range(1, 6) for chain in product(["Parent", "MasterRecord"], repeat=length))
    return [".".join([*chain, "Id"]) for chain, _ in zip(chains, range(count), strict=False)]


@doc("SOQL and SOSL reference, Understanding Relationship Query Limitations: 55")
@assumed("code and text; each object that a lookup can lead to counts")
def test_a_query_follows_at_most_55_relationships(org: Caller) -> None:
    assert "records" in org.query(f"SELECT {', '.join(parents(55))} FROM Account LIMIT 1")
    assert reason_of(org, f"SELECT {', '.join(parents(56))} FROM Account") == snapshot(
        ("MALFORMED_QUERY", "A query can't follow more than 55 relationships")
    )


@doc("SOQL and SOSL reference, ORDER BY: 32")
@assumed("the text")
def test_a_query_is_ordered_by_at_most_32_fields(org: Caller) -> None:
    assert "records" in org.query(f"SELECT Id FROM Account ORDER BY {', '.join(['Name'] * 32)} LIMIT 1")
    assert reason_of(org, f"SELECT Id FROM Account ORDER BY {', '.join(['Name'] * 33)}") == snapshot(
        ("MALFORMED_QUERY", "A query can't be ordered by more than 32 fields")
    )


@assumed("the org does not know all of SOQL, and says where it stops to")
@pytest.mark.parametrize(
    ("soql", "token"),
    [
        ("SELECT Id FROM Account WHEER Name = 'a'", "WHEER"),
        ("SELECT Id FROM Account (Name)", "("),
        ("SELECT Id FROM Account LIMIT -1", "-1"),
        ("SELECT Id FROM Account LIMIT 1.5", "1.5"),
        ("SELECT Id FROM Account WHERE Name = 'a", "'"),
        ("SELECT Id FROM Account WHERE Name IN ()", ")"),
        ("SELECT \x00 FROM Account", "\x00"),
        ("SELECT FIELDS(NONE) FROM Account", "NONE"),
    ],
)
def test_the_rest_of_soql_is_refused_where_it_begins(org: Caller, soql: str, token: str) -> None:
    assert reason_of(org, soql) == ("MALFORMED_QUERY", f"unexpected token: '{token}'")


FUNCTIONS = "functions other than FIELDS() and a lone COUNT()"
WITHIN = "a query within a query"


@own
@pytest.mark.parametrize(
    ("soql", "token", "name"),
    [
        ("SELECT Name, (SELECT Id FROM Contacts) FROM Account", "(", WITHIN),
        ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "SELECT", WITHIN),
        ("SELECT Id FROM Account WHERE Id NOT IN ( select AccountId FROM Contact)", "select", WITHIN),
        ("SELECT MAX(CreatedDate) FROM Account", "(", FUNCTIONS),
        ("SELECT Name, toLabel(Type) FROM Account", "(", FUNCTIONS),
        ("SELECT Name, COUNT(Id) FROM Account", "(", FUNCTIONS),
        ("SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = 2025", "(", FUNCTIONS),
        ("SELECT Type FROM Account GROUP BY Type", "GROUP", "GROUP BY"),
        ("SELECT Id FROM Account USING SCOPE mine", "USING", "USING SCOPE"),
        ("SELECT Id FROM Account WHERE Name = 'a' LIMIT 1 for  update", "for", "FOR UPDATE"),
        ("SELECT Id FROM Account FOR VIEW", "FOR", "FOR VIEW"),
        ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "WITH", "WITH SECURITY_ENFORCED"),
        ("SELECT Id FROM Account LIMIT 1 ALL ROWS", "ALL", "ALL ROWS"),
        ("SELECT TYPEOF Owner WHEN User THEN Name END FROM Account", "Owner", "TYPEOF"),
        ("SELECT Id FROM Account a", "a", "an alias of the object"),
        ("SELECT Id FROM Account AS a", "AS", "an alias of the object"),
        ("SELECT a.Id FROM Account a WHERE a.Name = 'x'", "a", "an alias of the object"),
        ("SELECT c.Id FROM Account a, a.Contacts c", "a", "an alias of the object"),
        ("SELECT Id FROM Account WHERE CreatedDate = THIS_FISCAL_QUARTER", "THIS_FISCAL_QUARTER", "fiscal periods"),
        ("SELECT Id FROM Account WHERE CreatedDate > N_FISCAL_YEARS_AGO:2", "N_FISCAL_YEARS_AGO", "fiscal periods"),
    ],
)
def test_what_only_salesforce_knows_of_soql_is_named_where_it_begins(
    org: Caller, soql: str, token: str, name: str
) -> None:
    assert reason_of(org, soql) == (
        "MALFORMED_QUERY",
        f"unexpected token: '{token}'. The embedded org does not support {name}",
    )


@assumed("the text")
def test_a_query_without_text_is_refused(org: Caller) -> None:
    assert refusal(org, "")[0] == "MALFORMED_QUERY"


@own
def test_long_and_deep_conditions_are_answered(org: Caller) -> None:
    name = uuid4().hex
    org.load(f"Name\n{name}\n")
    many = " AND ".join([f"Name = '{name}'", *["Fax=null"] * 1000])  # more do not fit into a URI
    assert org.count(many) == 1
    assert org.count("(" * 2000 + f"Name = '{name}'" + ")" * 2000) == 1
    assert org.count("Name IN (" + ", ".join([f"'{name}'"] * 300) + ")") == 1
    deep = f"Name = '{name}'"
    for level in range(20):
        deep = f"(Site = null {'OR' if level % 2 else 'AND'} Fax = null {'OR' if level % 2 else 'AND'} ({deep}))"
    assert org.count(deep) >= 1
    assert reason_of(org, f"SELECT Id FROM Account WHERE NOT (Site = 'x' AND {deep})") == (
        "MALFORMED_QUERY",
        "Conditions are nested more than 20 deep; use fewer parentheses",
    )
