"""Every status code has a remedy."""

import re

import pytest

from salesforce_bulk_ingest.results.fingerprints import without_values
from salesforce_bulk_ingest.results.remedies import known_codes, remedy_for
from salesforce_bulk_ingest.results.row_errors import parse_row_error

# Per-record codes of the API reference, 5.3, and of the embedded org.
SEEN = (
    "REQUIRED_FIELD_MISSING", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "ENTITY_IS_DELETED", "DUPLICATE_VALUE",
    "DUPLICATE_EXTERNAL_ID", "INVALID_FIELD", "UNABLE_TO_LOCK_ROW", "DUPLICATES_DETECTED",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "OP_WITH_INVALID_USER_TYPE_EXCEPTION", "STRING_TOO_LONG",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER",
    "MISSING_ARGUMENT", "INVALID_TYPE_ON_FIELD_IN_RECORD", "FIELD_INTEGRITY_EXCEPTION", "INVALID_EMAIL_ADDRESS",
    "NUMBER_OUTSIDE_VALID_RANGE", "INVALID_FIELD_FOR_INSERT_UPDATE",
)  # fmt: skip

NEUTRAL = remedy_for("NO_SUCH_CODE", "")


@pytest.mark.parametrize("code", SEEN)
def test_every_code_that_is_seen_has_advice_of_its_own(code: str) -> None:
    assert code in known_codes()
    assert remedy_for(code, "") != NEUTRAL


@pytest.mark.parametrize("code", sorted(known_codes()))
def test_advice_is_one_sentence_that_an_answer_has_room_for(code: str) -> None:
    advice = remedy_for(code, "").advice
    assert advice.endswith(".") and not re.search(r"[.!?] [A-Z]", advice)
    assert 20 < len(advice) <= 260


def test_only_what_passes_by_itself_is_retryable() -> None:
    assert {code for code in known_codes() if remedy_for(code, "").is_retryable} == {
        "UNABLE_TO_LOCK_ROW",
        "TOO_MANY_APEX_REQUESTS",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "TERRITORY_REALIGN_IN_PROGRESS",
    }
    assert not NEUTRAL.is_retryable


def test_a_type_that_a_cell_has_not_may_be_one_of_its_form() -> None:
    assert {code for code in known_codes() if remedy_for(code, "").argument == "formats"} == {
        "INVALID_TYPE_ON_FIELD_IN_RECORD"
    }


@pytest.mark.parametrize("code", ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"])
def test_a_lock_within_a_trigger_or_a_flow_is_a_lock(code: str) -> None:
    message = (
        "T: Insert failed. First exception on row 0; first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"
    )
    assert remedy_for(code, message) == remedy_for("UNABLE_TO_LOCK_ROW", "")
    assert not remedy_for(code, "T: System.NullPointerException").is_retryable


def test_a_duplicate_rule_that_alerts_is_no_way_around() -> None:
    """A rule that allows with an alert refuses bulk rows as one that blocks (Duplicate Rule Header; jsforce #1055)."""
    advice = remedy_for("DUPLICATES_DETECTED", "").advice
    assert "can't override" in advice and "Allow without Alert" in advice


@pytest.mark.parametrize(
    ("error", "named"),
    [
        ("INVALID_FIELD:Failed to deserialize field at col 1. Due to, '$5' is not a valid value for the type xsd:double:A --", "1234.5"),
        ("INVALID_FIELD:Failed to deserialize field at col 9. Due to, '25.0' is not a valid value for the type xsd:int:A --", "whole numbers"),
        ("INVALID_FIELD:Failed to deserialize field at col 4. Due to, '6/15/19' is not a valid value for the type xsd:date:A --", "2026-01-31"),
        ("INVALID_FIELD:Failed to deserialize field at col 4. Due to, 'x' is not a valid value for the type xsd:dateTime:A --", "T12:00:00Z"),
        ("INVALID_FIELD:Failed to deserialize field at col 4. Due to, 'Ja' is not a valid value for the type xsd:boolean:A --", "true"),
        ("INVALID_FIELD:Foreign key external ID: 0000031236 not found for field Ext__c in entity Contact:--", "parent"),
        ("INVALID_CROSS_REFERENCE_KEY:Record Type ID: this ID value isn't valid for the user: 012000000000001AAA:RecordTypeId --", "record type"),
        ("INVALID_CROSS_REFERENCE_KEY:Owner ID: cannot be blank:OwnerId --", "#N/A"),
        ("DUPLICATE_VALUE:Duplicate external id specified: K-1:Ext__c --", "keep one row"),
    ],
)  # fmt: skip
def test_advice_goes_by_what_the_message_says(error: str, named: str) -> None:
    parsed = parse_row_error(error)
    pattern = without_values(parsed.code, parsed.message, [], frozenset())
    for message in (parsed.message, pattern):
        remedy = remedy_for(parsed.code, message)
        assert named in remedy.advice and not remedy.is_retryable
        assert 20 < len(remedy.advice) <= 260 and remedy.advice.endswith(".")
    assert ("parent" in remedy.advice) == ("Foreign key" in error)
    assert (remedy.argument == "formats") == ("in formats" in remedy.advice)


def test_the_cell_that_a_message_about_a_type_quotes_is_no_part_of_the_pattern() -> None:
    message = "Failed to deserialize field at col 1. Due to, 'O'Neil' is not a valid value for the type xsd:double"
    pattern = without_values("INVALID_FIELD", message, [], frozenset())
    assert (
        pattern
        == "Failed to deserialize field at col {number}. Due to, {value} is not a valid value for the type xsd:double"
    )
