"""Failed rows are chosen by status code and field."""

import pytest

from salesforce_bulk_ingest.results.error_filter import ErrorFilter

MISSING = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"


@pytest.mark.parametrize(
    ("errors", "is_chosen"),
    [
        (ErrorFilter(), True),
        (ErrorFilter("REQUIRED_FIELD_MISSING"), True),
        (ErrorFilter("OTHER"), False),
        (ErrorFilter(field="name"), True),
        (ErrorFilter(field="City"), False),
        (ErrorFilter("REQUIRED_FIELD_MISSING", "Name"), True),
        (ErrorFilter("REQUIRED_FIELD_MISSING", "City"), False),
    ],
)
def test_a_row_is_chosen_where_code_and_field_are_those_of_its_error(errors: ErrorFilter, is_chosen: bool) -> None:
    assert errors.matches(MISSING) is is_chosen


def test_an_empty_filter_chooses_a_row_without_an_error_and_another_does_not() -> None:
    assert ErrorFilter().is_empty and ErrorFilter().matches("")
    assert not ErrorFilter("A").is_empty and not ErrorFilter("A").matches("")
    assert ErrorFilter("UNKNOWN").matches("no form at all")
