"""Validation rules: records that break one are refused, the others of their chunk saved."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import Caller, an_org_with, csv_text

RUNBOOK = "a migration runbook, August 2026, for the code"
FRAMING = "the text around the rule's own"
AGAIN = "Apex developer guide, Bulk DML Exception Handling"

SCHEMA = """
objects:
  Account:
    fields:
      Discount__c: {type: percent, default: 10}
    rules:
      - name: Revenue
        when: AnnualRevenue < 0 AND Type != 'Prospect'
        message: "Revenue: can't be negative, except of a prospect."
        field: AnnualRevenue
      - {name: Discount, when: Discount__c > 50 OR (Site = 'far' AND Discount__c = 10), message: Too much}
"""

NEGATIVE = "FIELD_CUSTOM_VALIDATION_EXCEPTION:Revenue: can't be negative, except of a prospect.:AnnualRevenue --"
TOO_MUCH = "FIELD_CUSTOM_VALIDATION_EXCEPTION:Too much:--"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with validation rules."""
    with an_org_with(SCHEMA, tmp_path_factory.mktemp("strict")) as caller:
        yield caller


@seen(RUNBOOK)
@assumed(FRAMING)
def test_a_row_that_breaks_a_rule_fails_with_the_rules_message_and_field(strict: Caller) -> None:
    job = strict.load("Name,AnnualRevenue,Type\nA,5,Other\nB,-5,Other\nC,-5,Prospect\nD,-5,\n")
    assert sorted(row["Name"] for row in strict.succeeded(job)) == ["A", "C"]
    rows = sorted(strict.rows(job, "failedResults"), key=lambda row: row["Name"])
    assert [(row["Name"], row["sf__Id"], row["sf__Error"]) for row in rows] == [
        ("B", "", NEGATIVE),
        ("D", "", NEGATIVE),
    ]
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (4, 2)


@seen(RUNBOOK)
@assumed(FRAMING)
def test_a_rule_without_a_field_names_none(strict: Caller) -> None:
    assert strict.errors(strict.load("Name,Discount__c\nA,51\n")) == [TOO_MUCH]


@assumed("the first rule of the object counts")
def test_a_row_that_breaks_two_rules_is_told_one(strict: Caller) -> None:
    assert strict.errors(strict.load("Name,AnnualRevenue,Discount__c\nA,-1,99\n")) == [NEGATIVE]


@doc("Salesforce help, order of execution: rules see defaults, and fields that the row does not name")
def test_rules_see_the_record_not_the_row(strict: Caller) -> None:
    assert strict.errors(strict.load("Name,Site\nA,far\n")) == [TOO_MUCH]
    [row] = strict.succeeded(strict.load("Name,Site,Discount__c\nA,far,5\n"))
    job = strict.load(f"Id,Discount__c\n{row['sf__Id']},10\n", operation="update")
    assert [(row["sf__Id"], row["sf__Error"]) for row in strict.rows(job, "failedResults")] == [
        (row["sf__Id"], TOO_MUCH)
    ]
    assert strict.record(row["sf__Id"])["Discount__c"] == 5


@doc(AGAIN)
def test_an_upsert_keeps_what_is_good_of_both_its_kinds(strict: Caller) -> None:
    key = uuid4().hex
    strict.load(f"Name,External_Id__c\nOld,{key}1\nOld,{key}2\n")
    data = f"Name,External_Id__c,Discount__c\nNew,{key}1,1\nNew,{key}2,99\nFresh,{key}3,1\nFresh,{key}4,99\n"
    job = strict.load(data, operation="upsert", externalIdFieldName="External_Id__c")
    created = {row["External_Id__c"][-1]: row["sf__Created"] for row in strict.succeeded(job)}
    assert created == {"1": "false", "3": "true"}
    failed = {row["External_Id__c"][-1]: bool(row["sf__Id"]) for row in strict.rows(job, "failedResults")}
    assert failed == {"2": True, "4": False}
    names = strict.query(f"SELECT Name FROM Account WHERE External_Id__c LIKE '{key}%' ORDER BY External_Id__c")
    assert [record["Name"] for record in names["records"]] == ["New", "Old", "Fresh"]


@doc(AGAIN)
@assumed("that it counts as held although its row is refused")
def test_a_value_that_a_refused_row_held_stays_refused_to_the_others(strict: Caller) -> None:
    key = uuid4().hex
    job = strict.load(f"Name,External_Id__c,Discount__c\nA,{key},99\nB,{key},1\n")
    assert sorted(error.partition(":")[0] for error in strict.errors(job)) == [
        "DUPLICATE_VALUE",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    ]


@doc(AGAIN)
def test_rules_hold_across_chunks(strict: Caller) -> None:
    rows = [[f"{n:04}", "big", "99" if n % 100 == 0 else "1"] for n in range(1000)]
    job = strict.load(csv_text([["Name", "Site", "Discount__c"], *rows]))
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (1000, 10)
    ids = [row["sf__Id"] for row in strict.succeeded(job)]
    assert (len(set(ids)), strict.count("Site = 'big'")) == (990, 990)


@doc("Salesforce help, validation rules are not asked when a record is deleted")
def test_a_delete_asks_no_rule(strict: Caller) -> None:
    [row] = strict.succeeded(strict.load("Name\nA\n"))
    assert strict.load(f"Id\n{row['sf__Id']}\n", operation="delete")["numberRecordsFailed"] == 0


@assumed("that days are those of the org's clock, in UTC")
def test_rules_know_what_day_it_is(tmp_path: Path) -> None:
    schema = "objects: {Opportunity: {rules: [{name: Past, when: CloseDate < TODAY, message: Gone, field: CloseDate}]}}"
    with an_org_with(schema, tmp_path, clock=lambda: datetime(2031, 5, 6, tzinfo=UTC)) as org:
        job = org.load("Name,StageName,CloseDate\nA,Prospecting,2031-05-05\nB,Prospecting,2031-05-06\n", "Opportunity")
        assert org.errors(job) == ["FIELD_CUSTOM_VALIDATION_EXCEPTION:Gone:CloseDate --"]
        assert [row["Name"] for row in org.succeeded(job)] == ["B"]
