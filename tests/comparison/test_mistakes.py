"""What looks like a mistake in the changes of rows, and what does not."""

from typing import Any

import pytest

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.comparison.mistakes import mistakes_in
from tests.comparison.describing import sides

HEADER = ["Ext__c", "Name", "Phone", "City__c", "Street__c", "Active__c"]
COUNT = 200


def records() -> list[dict[str, Any]]:
    return [
        {
            "Ext__c": f"E-{n}",
            "Name": f"Name {n}",
            "Phone": f"+49 {n}",
            "City__c": f"City {n % 20}",
            "Street__c": f"{n} Street",
            "Active__c": n % 2 == 0,
        }
        for n in range(COUNT)
    ]


def rows() -> list[list[str]]:
    return [[str(record[name]) for name in HEADER] for record in records()]


def told(changed: list[list[str]]) -> list[tuple[str, tuple[str, ...], int]]:
    return [(each.kind, each.columns, each.count) for each in mistakes_in(sides(HEADER, changed, records()))]


def test_equal_rows_have_no_mistake() -> None:
    assert told(rows()) == []


@pytest.mark.parametrize("step", [1, -1])
def test_a_column_that_is_shifted_by_a_row_either_way(step: int) -> None:
    changed, names = rows(), [row[1] for row in rows()]
    for number, row in enumerate(changed):
        row[1] = names[(number + step) % COUNT]
    assert told(changed) == [("shifted column", ("Name",), COUNT - 1)]


def test_two_columns_that_change_places() -> None:
    changed = rows()
    for row in changed:
        row[3], row[4] = row[4], row[3]
    assert told(changed) == [("misplaced column", ("Street__c", "City__c"), COUNT)] or told(changed) == [
        ("misplaced column", ("City__c", "Street__c"), COUNT)
    ]


def test_a_column_that_gets_what_another_field_has() -> None:
    changed = rows()
    for row in changed:
        row[1], row[2] = row[2], f"new {row[2]}"
    assert ("misplaced column", ("Name",), COUNT) in told(changed)
    assert ("changed field", ("Phone",), COUNT) in told(changed)


@pytest.mark.parametrize(("cleared", "is_told"), [(2, False), (3, True), (COUNT, True)])
def test_a_field_that_is_cleared_in_more_than_one_of_a_hundred_records(cleared: int, is_told: bool) -> None:
    changed = rows()
    for row in changed[:cleared]:
        row[2] = "#N/A"
    assert told(changed) == ([("cleared field", ("Phone",), cleared)] if is_told else [])


@pytest.mark.parametrize(("count", "is_told"), [(COUNT // 2, False), (COUNT - 1, True)])
def test_a_field_that_changes_in_nearly_every_record(count: int, is_told: bool) -> None:
    changed = rows()
    for row in changed[:count]:
        row[1] = f"New {row[1]}"
    assert told(changed) == ([("changed field", ("Name",), count)] if is_told else [])


def test_switches_that_are_all_turned_look_like_no_other_column() -> None:
    changed = rows()
    for row in changed:
        row[5] = "false" if row[5] == "True" else "true"
    assert told(changed) == [("changed field", ("Active__c",), COUNT)]


def test_few_rows_say_nothing_but_that_values_would_be_gone() -> None:
    changed = [[key, f"New {name}", "#N/A", *rest] for key, name, _, *rest in rows()[:3]]
    assert told(changed) == [("cleared field", ("Phone",), 3)]


def test_a_mistake_is_a_warning_of_its_column() -> None:
    changed, findings = rows(), Findings()
    for row in changed:
        row[2] = "#N/A"
    for mistake in mistakes_in(sides(HEADER, changed, records())):
        mistake.report(findings)
    [finding] = findings.sorted()
    assert (finding.level, finding.column, finding.count) == ("warning", "Phone", COUNT)
    assert finding.what.startswith("Phone would be cleared in 200 of 200 records. ")
