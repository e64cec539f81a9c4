"""A template fits the texts of errors that differ from one in values alone."""

import pytest

from salesforce_bulk_ingest.results.error_templates import CellTemplate, FormTemplate, QuotingTemplate

TOO_LONG = "STRING_TOO_LONG:Account Name: data value too large: {} (max length=10):Name --"
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION:{} of {} needs a phone number:Phone --"
LOCKED = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or {} records: {}:--"
LOCKED_PATTERN = "unable to obtain exclusive access to this record or {number} records: {id}"


def test_a_text_with_another_value_in_the_place_that_salesforce_quotes_fits() -> None:
    template = QuotingTemplate.of(TOO_LONG.format("Acme"))
    assert template is not None
    assert template.fits(TOO_LONG.format("Umbrella: (max length=10):Name --"), ())
    assert not template.fits(TOO_LONG.format("Acme").replace("10", "20"), ())


def test_a_text_that_is_shorter_than_both_ends_of_a_template_does_not_fit() -> None:
    template = QuotingTemplate.of("INVALID_FIELD:Due to, 'x' is not a valid value for the type xsd:date:--")
    assert template is not None
    assert not template.fits("INVALID_FIELD:Due to, ' is not a valid value for the type xsd:date:--", ())


@pytest.mark.parametrize("text", ["REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --", "odd", ""])
def test_a_text_in_which_salesforce_quotes_nothing_has_no_template(text: str) -> None:
    assert QuotingTemplate.of(text) is None


def test_a_rule_of_the_org_that_has_the_words_of_salesforce_quotes_nothing() -> None:
    assert QuotingTemplate.of("FIELD_CUSTOM_VALIDATION_EXCEPTION:invalid date: 30 February:--") is None


def test_a_text_with_the_cells_of_its_own_row_in_the_places_of_those_of_another_fits() -> None:
    text = RULE.format("Acme 17", "Oslo 0150")
    template = CellTemplate.of(text, ("", "", "Acme 17", "Oslo 0150"), ("Oslo 0150", "Acme 17"), ())
    assert template is not None
    other = RULE.format("Umbrella 9", "Rome 00100")
    assert template.fits(other, ("", other, "Umbrella 9", "Rome 00100"))
    assert not template.fits(other, ("", other, "Umbrella 8", "Rome 00100"))
    assert not template.fits(other, ("", other, "Umbrella 9"))


def test_cells_of_columns_that_are_not_at_fault_make_a_template_of_a_rule_of_the_org_alone() -> None:
    text, cells = "SOME_NEW_CODE:nobody knows Acme Corp:Name --", ("", "", "Acme Corp")
    assert CellTemplate.of(text, cells, ("Acme Corp",), (2,)) is not None
    assert CellTemplate.of(text, cells, ("Acme Corp",), ()) is None


def test_a_text_with_cells_and_ids_has_no_template_of_cells() -> None:
    text = RULE.format("Acme 17", "001Em0000tNq0hU")
    assert CellTemplate.of(text, ("", "", "Acme 17"), ("Acme 17",), ()) is None


def test_a_text_with_other_ids_and_numbers_fits() -> None:
    template = FormTemplate.of(LOCKED.format(1, "001Em0000tNq0hU"), LOCKED_PATTERN, (2,))
    assert template is not None
    other = LOCKED.format(2, "001Em0000tNq0hV,001Em0000tNq0hWAAA")
    assert template.fits(other, ("", other, "Acme"))
    assert not template.fits(LOCKED.format("no", "001Em0000tNq0hU"), ("", "", "Acme"))
    assert not template.fits(other.replace(":--", ":Name --"), ("", other, "Acme"))


def test_a_text_with_a_cell_of_the_fields_at_fault_is_known_by_no_form() -> None:
    template = FormTemplate.of(LOCKED.format(1, "001Em0000tNq0hU"), LOCKED_PATTERN, (2,))
    assert template is not None
    other = LOCKED.format(1, "001Em0000tNq0hV")
    assert not template.fits(other, ("", other, "001Em0000tNq0hV"))


@pytest.mark.parametrize("fingerprint", ["nothing else", "{value} of {number}", "{number}" * 200])
def test_a_pattern_without_values_that_are_known_by_their_form_alone_has_no_template_of_forms(fingerprint: str) -> None:
    assert FormTemplate.of(TOO_LONG, fingerprint, ()) is None
