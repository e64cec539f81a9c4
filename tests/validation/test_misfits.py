"""Findings about cells that do not fit the format of their column."""

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.validation.formats import format_of
from salesforce_bulk_ingest.validation.misfits import CORRECT_THEM, Misfit, MisfitChecks
from tests.loading.making import as_line


def found(column: str, text: str, *cells: str, hidden: tuple[str, ...] = ()) -> list[str]:
    findings = Findings()
    checks = MisfitChecks(findings, frozenset(hidden))
    for line, cell in enumerate(cells, 2):
        checks.add(column, Misfit(format_of(text), cell, line))
    checks.finish()
    return [as_line(finding).removesuffix(f" {CORRECT_THEM}") for finding in findings.sorted()]


def test_cells_that_fail_their_rows_are_a_warning_and_other_numbers_are_an_error() -> None:
    assert found("Amount", "1.234,5", "viel", "1.5", "12") == [
        'error Amount at 3, 4 (2): Cells do not fit the format "1.234,5", and would be taken as other numbers than it means: "1.5", "12".',
        'warning Amount at 2 (1): Cells do not fit the format "1.234,5", and go as they are: "viel".',
    ]
    # Salesforce takes no other digits than 0 to 9 for a number.
    assert [line.split()[0] for line in found("Amount", "1.234,5", "\u0661.\u0665")] == ["warning"]
    assert found("Day", "DD.MM.YYYY", "20260131") == [
        'warning Day at 2 (1): Cells do not fit the format "DD.MM.YYYY", and go as they are: "20260131".'
    ]


def test_hidden_cells_are_not_shown() -> None:
    assert found("Birthdate", "DD.MM.YYYY", "31.02.1990", hidden=("Birthdate",)) == [
        'warning Birthdate at 2 (1): Cells do not fit the format "DD.MM.YYYY", and go as they are: [hidden, 10 characters].'
    ]
