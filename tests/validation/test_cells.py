"""Checks of cells: which cells a field takes."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.salesforce.models import SObjectDescribe
from tests.validation.checking import PARENTS, as_lines, found
from tests.validation.describing import CONTACT, field, picklist, sobject


def cells(describe: SObjectDescribe, name: str, *values: str, operation: str = "update") -> list[Finding]:
    record_id = f"{describe.key_prefix}000000000001"
    return found(describe, operation, ["Id", name], [[record_id, value] for value in values])


@pytest.mark.parametrize("name", [each.name for each in CONTACT.fields if each.updateable])
def test_an_empty_cell_and_null_are_never_wrong(name: str) -> None:
    assert cells(CONTACT, name, "", "#N/A", "") == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Level__c", ["Primary", "SECONDARY"], ["Tertiary", "primary ", "None"]),
        ("Languages__c", ["English;german", "German"], ["French", "English;French", "English; German", "English;"]),
        (
            "Amount__c",
            ["1", "-1.5", "+.5", "1.", "1e6", "1.2E-3"],
            ["1,000.5", "$5", "ten", "1 000", "1.2.3", "N/A", "-"],
        ),
        ("Birthdate", ["2026-01-31", "2026-01-31Z"], ["31.01.2026", "1/31/2026", "2026-1-31", "2026-01", "today"]),
        (
            "Seen__c",
            ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.123+02:00", "2026-01-31T09:30:00-0800"],
            ["2026-01-31 09:30:00", "2026-01-31T09:30", "01/31/2026 9:30 AM", "2026-01-31"],
        ),
        ("Active__c", ["true", "false", "1", "0"], ["yes", "x", "2", "TRUE"]),
        ("AccountId", ["001000000000001", "001000000000001AAA"], ["001", "Acme", "00100000000000é", "001-00000000001"]),
        ("FirstName", ["x" * 40], ["x" * 41]),
    ],
)
def test_cells_that_a_field_does_not_take_are_found_by_line(name: str, good: list[str], bad: list[str]) -> None:
    assert cells(CONTACT, name, *good) == []
    for value in bad:
        [finding] = cells(CONTACT, name, *good, value, *good)
        assert (finding.level, finding.column, finding.count) == ("warning", name, 1)
        assert finding.lines == (2 + len(good),)
        assert name in finding.what and (name == "FirstName" or f'"{value}"' in finding.what)


def test_ids_of_another_object_are_found_where_they_name_the_records() -> None:
    rows = [["003000000000001"], ["001000000000001"], ["003000000000001AAA"]]
    assert as_lines(found(CONTACT, "delete", ["Id"], rows)) == snapshot(
        [
            'warning Id: Id takes record ids, and rows with others fail: "001000000000001". | Write the 15 or 18 letters and digits of an id, which begins with "003" here. (3,) x1'
        ]
    )


def test_spaces_around_the_ids_of_records_may_fail() -> None:
    rows = [["003000000000001"], [" 003000000000001AAA"], ["003000000000001 "]]
    assert as_lines(found(CONTACT, "delete", ["Id"], rows)) == snapshot(
        [
            'warning Id: Rows with these cells of Id may fail, since Salesforce does not say whether it takes spaces around them: " 003000000000001AAA", "003000000000001 ". | Take the spaces away. (3, 4) x2'
        ]
    )


def test_a_required_cell_that_is_blank_fails_an_insert_and_no_update() -> None:
    rows = [["Ann", "a01000000000001"], ["", "a01000000000001"], ["#N/A", ""]]
    assert as_lines(found(CONTACT, "insert", ["LastName", "Project__c"], rows)) == snapshot(
        [
            'warning LastName: LastName is required, and rows without it fail. | Fill it in, or leave these rows out: leaveOut {"cells": {"LastName": ["", "#N/A"]}}. (3, 4) x2',
            'warning Project__c: Project__c is required, and rows without it fail. | Fill it in, or leave these rows out: leaveOut {"cells": {"Project__c": ["", "#N/A"]}}. (4,) x1',
        ]
    )
    assert found(CONTACT, "insert", ["LastName", "Project__r.Code__c"], [["Ann", ""]], parents=PARENTS) != []
    assert found(CONTACT, "update", ["Id", "LastName"], [["003000000000001", ""]]) == []


def test_a_picklist_without_active_values_takes_none() -> None:
    describe = sobject("Thing__c", picklist("Level__c", inactive=("Old",)), keyPrefix="a01")
    [finding] = cells(describe, "Level__c", "Old")
    assert finding.do == "It has no active values: leave it out."


def test_spaces_around_the_number_of_a_key_are_no_part_of_it() -> None:
    describe = sobject(
        "Thing__c", field("Key__c", "double", externalId=True), field("Size__c", "double"), keyPrefix="a01"
    )
    assert cells(describe, "Key__c", " 7 ") == []
    [finding] = cells(describe, "Size__c", " 7 ")
    assert "may fail" in finding.what
