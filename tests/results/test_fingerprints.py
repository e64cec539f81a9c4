"""Messages that differ in values alone have the same fingerprint, and rules of an org keep their words."""

import pytest

from salesforce_bulk_ingest.results.fingerprints import LONGEST_PATTERN, without_cells, without_values

NAMES = frozenset({"name", "status__c"})
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@pytest.mark.parametrize(
    ("message", "fingerprint"),
    [
        ("data value too large: Acme (max length=255)", "data value too large: {value} (max length=255)"),
        ("value not of required type: many", "value not of required type: {value}"),
        ("duplicates value on record with id: 001Em0000tNq0hU", "duplicates value on record with id: {id}"),
        ("records 001Em0000tNq0hU, 001Em0000tNq0hV", "records {id}"),
        ("refused 3 times", "refused {number} times"),
        ("closed since 2026-01-31", "closed since {date}"),
        ("'some word' is refused", "{value} is refused"),
        ("'Status__c' is refused", "'Status__c' is refused"),
        ("ann@example.com is refused", "{value} is refused"),
    ],
)
def test_what_has_the_form_of_a_value_becomes_a_placeholder(message: str, fingerprint: str) -> None:
    assert without_values("SOME_CODE", message, [], NAMES) == fingerprint


def test_cells_of_the_fields_at_fault_become_placeholders_where_they_are_whole_words() -> None:
    assert without_values("SOME_CODE", "nobody knows Oslo", ["Oslo"], NAMES) == "nobody knows {value}"
    assert without_values("SOME_CODE", "nobody knows Oslonians", ["Oslo"], NAMES) == "nobody knows Oslonians"
    assert without_values("SOME_CODE", "Name is missing", ["Name"], NAMES) == "Name is missing"


def test_any_cell_of_the_row_becomes_a_placeholder_and_the_longest_first() -> None:
    message = "Acme Corp of Acme is unknown"
    assert without_cells("SOME_CODE", message, ["Acme", "Acme Corp"], NAMES) == "{value} of {value} is unknown"


def test_a_rule_of_the_org_keeps_its_numbers_and_words_but_for_ids_and_cells_of_the_row() -> None:
    assert without_values(RULE, "at most 3 of 'Gold'", ["3"], NAMES) == "at most 3 of 'Gold'"
    assert without_cells(RULE, "order AB-1234 is closed", ["AB-1234", "closed"], NAMES) == "order {value} is closed"
    assert without_cells(RULE, "001Em0000tNq0hU is closed", [], NAMES) == "{id} is closed"


def test_a_malformed_id_is_all_value() -> None:
    assert without_values("MALFORMED_ID", "xyz", [], NAMES) == "{value}"


def test_a_fingerprint_is_short_however_long_the_message_is() -> None:
    assert len(without_values("SOME_CODE", "word " * 100_000, [], NAMES)) == LONGEST_PATTERN
