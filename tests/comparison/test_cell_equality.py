"""When a cell of the rows is what a record of the org has already."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.comparison.cell_equality import value_forms
from tests.comparison.describing import field

LEVEL = field("Level__c", "picklist", restricted_picklist=True)


def equal(of: Any, cell: str, value: object) -> bool:
    forms = value_forms(of)
    return forms.of_cell(cell) == forms.of_value(value)


@pytest.mark.parametrize(
    ("of", "cell", "value"),
    [
        (field("Name"), " Acme\t", "Acme"),
        (field("Name"), "#N/A", None),
        (field("Name"), "   ", None),
        (field("Name", "textarea"), "two\r\nlines", "two\nlines"),
        (field("Amount", "currency", precision=18, scale=2), "1e3", 1000.0),
        (field("Amount", "currency", precision=18, scale=2), "12.345", 12.35),
        (field("Amount", "currency", precision=18, scale=2), "12.345", 12.345),
        (field("Amount", "double", precision=18, scale=0), "-0.4", 0),
        (field("Count", "int"), "+007", 7),
        (field("Active", "boolean"), "1", True),
        (field("Active", "boolean"), "FALSE", False),
        (field("Active", "boolean"), "#N/A", False),
        (field("Day", "date"), "2026-01-31Z", "2026-01-31"),
        (field("Moment", "datetime"), "2026-01-31T10:30:00+01:00", "2026-01-31T09:30:00.000+0000"),
        (field("Moment", "datetime"), "2026-01-31T09:30:00.7Z", "2026-01-31T09:30:00.000+0000"),
        (field("Opens", "time"), "09:30:00", "09:30:00.000Z"),
        (field("Parent", "reference"), "001000000000001", "001000000000001AAA"),
        (field("Parent", "reference"), "001aaaaaaaaaaaay55", "001AAAAAAAAAAAAY55"),
        (field("Tags", "multipicklist"), "Red; Blue", "Blue;Red"),
        (field("Email", "email"), "Ann@ACME.example", "ann@acme.example"),
        (LEVEL, "high", "High"),
    ],
)  # fmt: skip
def test_a_cell_equals_what_is_stored_of_it(of: Any, cell: str, value: object) -> None:
    assert equal(of, cell, value)


@pytest.mark.parametrize(
    ("of", "cell", "value"),
    [
        (field("Name"), "acme", "Acme"),
        (field("Name"), "#N/A", "Acme"),
        (field("Name"), "Acme", None),
        (field("Name"), "#n/a", None),
        (field("Amount", "currency", precision=18, scale=2), "12.34", 12.35),
        (field("Amount", "currency", precision=18, scale=2), "dear", 12.35),
        (field("Amount", "currency", precision=18, scale=2), "1e999", 12.35),
        (field("Active", "boolean"), "Yes", True),
        (field("Moment", "datetime"), "2026-01-31T10:30:00Z", "2026-01-31T09:30:00.000+0000"),
        (field("Moment", "datetime"), "0001-01-01T00:00:00+14:00", "2026-01-31T09:30:00.000+0000"),
        (field("Moment", "datetime"), "today", "2026-01-31T09:30:00.000+0000"),
        (field("Level", "picklist"), "high", "High"),
        (field("Tags", "multipicklist"), "Red", "Blue;Red"),
    ],
)  # fmt: skip
def test_a_cell_does_not_equal_another_value(of: Any, cell: str, value: object) -> None:
    assert not equal(of, cell, value)


@given(number=st.floats(-(10**15), 10**15), scale=st.integers(0, 4))
def test_a_number_equals_itself_however_it_is_written(number: float, scale: int) -> None:
    forms = value_forms(field("Amount", "double", precision=18, scale=scale))
    assert forms.of_cell(repr(number)) == forms.of_value(number) == forms.of_cell(f" {Decimal(repr(number)):f} ")
