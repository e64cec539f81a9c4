"""An `sf__Error` is parsed into code, message and fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.results.row_errors import ErrorFilter, RowError, parse_row_error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
         RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",))),
        ("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
         RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())),
        ("MALFORMED_ID:bad id       001000000000000AAA:--",
         RowError("MALFORMED_ID", "bad id       001000000000000AAA", ())),
        ("DUPLICATE_VALUE:duplicate value found: Code__c duplicates value on record with id: 500XX000008abcdEAE:--",
         RowError("DUPLICATE_VALUE",
                  "duplicate value found: Code__c duplicates value on record with id: 500XX000008abcdEAE", ())),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION:One, two\nthree \"four\": five:A__c,B__c --",
         RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", 'One, two\nthree "four": five', ("A__c", "B__c"))),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:Trigger: line 1\nTrigger: line 2:--\n",
         RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: line 1\nTrigger: line 2", ())),
        ("CODE:without an end", RowError("CODE", "without an end", ())),
        ("CODE:ends in dashes --", RowError("CODE", "ends in dashes --", ())),
        ("CODE:", RowError("CODE", "", ())),
        ("Something went wrong: badly", RowError("UNKNOWN", "Something went wrong: badly", ())),
        ("", RowError("UNKNOWN", "", ())),
    ],
)  # fmt: skip
def test_an_error_of_a_row_is_taken_apart(text: str, error: RowError) -> None:
    """Forms: live tests of jsforce and the Salesforce CLI, public threads (API reference, 5.3)."""
    assert parse_row_error(text) == error


@given(st.text(st.sampled_from("A:-, \nx_"), max_size=40))
def test_no_error_of_a_row_loses_its_text(text: str) -> None:
    error = parse_row_error(text)
    assert error.message in text
    assert error.code == "UNKNOWN" or text.startswith(f"{error.code}:{error.message}")


@pytest.mark.timeout(20)
def test_an_error_that_quotes_a_great_cell_is_taken_apart_as_fast_as_another() -> None:
    """A pattern that looks at each blank again and again would take minutes."""
    text = f"STRING_TOO_LONG:Name: data value too large: {' ' * 130_000}x (max length=255):Name --"
    for _ in range(20):
        assert parse_row_error(text).fields == ("Name",)
        assert parse_row_error(f"CODE:{' ' * 130_000}x").fields == ()


MISSING = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"


@pytest.mark.parametrize(
    ("errors", "is_chosen"),
    [
        (ErrorFilter(), True),
        (ErrorFilter(("REQUIRED_FIELD_MISSING",)), True),
        (ErrorFilter(("Required_Field_Missing",)), True),
        (ErrorFilter(("OTHER",)), False),
        (ErrorFilter(fields=("name",)), True),
        (ErrorFilter(fields=("City",)), False),
        (ErrorFilter(("REQUIRED_FIELD_MISSING",), ("Name",)), True),
        (ErrorFilter(("REQUIRED_FIELD_MISSING",), ("City",)), False),
        (ErrorFilter(("OTHER", "REQUIRED_FIELD_MISSING"), ("City", "NAME")), True),
        (ErrorFilter(("OTHER", "ANOTHER")), False),
    ],
)
def test_a_row_is_chosen_where_code_and_field_are_those_of_its_error(errors: ErrorFilter, is_chosen: bool) -> None:
    assert errors.matches(MISSING) is is_chosen


def test_an_empty_filter_chooses_a_row_without_an_error_and_another_does_not() -> None:
    assert ErrorFilter().is_empty and ErrorFilter().matches("")
    assert not ErrorFilter(("A",)).is_empty and not ErrorFilter(("A",)).matches("")
    assert ErrorFilter(("UNKNOWN",)).matches("no form at all")
