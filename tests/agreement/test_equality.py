"""A cell and the value that the org stores of it are equal, so that a dry run of the same rows finds nothing to change."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.comparison.cell_equality import UNSEEN_TYPES, value_forms
from tests.agreement.cells import CASES, Case
from tests.agreement.judging import Org, Refusal, field_of, object_of
from tests.agreement.test_properties import near_cases


def unequal(org: Org, cases: list[Case]) -> list[tuple[str, str, object]]:
    """The cells that the org takes, and that are not equal to what it stores."""
    found = list[tuple[str, str, object]]()
    for case, outcome in org.outcomes(cases).items():
        field = org.describe(object_of(case)).field(field_of(case))
        cell = org.sent(case.cell)
        if isinstance(outcome, Refusal) or not cell or field is None or field.type in UNSEEN_TYPES:
            continue
        forms = value_forms(field)
        if forms.of_cell(cell) != forms.of_value(outcome):
            found.append((case.field, cell, outcome))
    return found


def test_each_cell_of_the_table_equals_what_is_stored_of_it(org: Org) -> None:
    assert unequal(org, CASES) == []


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=st.lists(near_cases(), min_size=80, max_size=80))
def test_each_cell_that_is_nearly_one_of_the_table_equals_what_is_stored_of_it(org: Org, cases: list[Case]) -> None:
    assert unequal(org, cases) == []
