"""Findings name the rows that they are about."""

import pytest

from salesforce_bulk_ingest.base.findings import Finding, NamedRow
from salesforce_bulk_ingest.validation.column_profiles import ProfiledColumn
from salesforce_bulk_ingest.validation.named_rows import with_rows
from tests.validation.describing import field

NAME = ProfiledColumn("Name", "Name")
KEY = ProfiledColumn("Nr", "Erp_Id__c", is_key=True)
TIER = ProfiledColumn("Tier__c", "Tier__c")
CITY = ProfiledColumn("Ort", None, proposed="BillingCity")
LAST_NAME = ProfiledColumn("Nachname", None, proposed="LastName")
ERP = ProfiledColumn("Nr", "Erp_Id__c", field=field("Erp_Id__c", externalId=True))
SECRET = ProfiledColumn("SSN__c", "SSN__c", is_hidden=True)


def named(columns: list[ProfiledColumn], row: list[str], column: str | None) -> NamedRow | None:
    """The row on line 2 in a finding about a column."""
    finding = Finding("warning", "What.", "Do.", column, (2,), 1, kind="blank")
    names = [each.fills or each.address or "" for each in columns]
    (with_row,) = with_rows([finding], 5, {2: row}, names, columns)
    return with_row.rows[0] if with_row.rows else None


@pytest.mark.parametrize(
    ("columns", "row", "name"),
    [
        ([TIER, NAME, KEY], ["gold!", "Acme", "E-1"], "E-1"),
        ([TIER, NAME, KEY], ["gold!", "Acme", " "], "Acme"),
        ([TIER, NAME], ["gold!", "Acme"], "Acme"),
        ([TIER, CITY, LAST_NAME], ["gold!", "Oslo", "Noether"], "Noether"),
        ([TIER, CITY], ["gold!", "Oslo"], "Oslo"),
        ([TIER, CITY, ERP], ["gold!", "Oslo", "E-1"], "E-1"),
        ([TIER, ERP, LAST_NAME], ["gold!", "E-1", "Noether"], "Noether"),
        ([TIER, SECRET, CITY], ["gold!", "hush", "Oslo"], "Oslo"),
        ([TIER, SECRET], ["gold!", "hush"], ""),
        ([TIER, NAME], ["gold!"], ""),
    ],
)
def test_a_row_is_named_by_its_key_else_its_name_else_an_external_id_else_its_first_cell(
    columns: list[ProfiledColumn], row: list[str], name: str
) -> None:
    assert named(columns, row, "Tier__c") == NamedRow(name, "gold!")


def test_a_key_at_fault_is_the_cell_and_the_name_names_the_row() -> None:
    assert named([KEY, NAME], ["E-1", "Acme"], "Erp_Id__c") == NamedRow("Acme", "E-1")


def test_a_finding_about_no_column_has_no_cell() -> None:
    assert named([NAME], ["Acme"], None) == NamedRow("Acme", None)


def test_hidden_cells_are_masked_and_long_ones_cut() -> None:
    assert named([NAME, SECRET], ["n" * 50, "hush"], "SSN__c") == NamedRow(
        f"{'n' * 40}…[+10]", "[hidden, 4 characters]"
    )


def test_only_the_first_lines_are_named_and_a_line_without_a_row_keeps_its_place() -> None:
    finding = Finding("warning", "What.", "Do.", "Name", (1, 2, 3), 3, kind="blank")
    (with_row,) = with_rows([finding], 2, {2: ["Acme"], 3: ["Duo"]}, ["Name"], [NAME])
    assert (with_row.rows, with_row.lines) == ((None, NamedRow("", "Acme")), (1, 2, 3))
    header = Finding("warning", "What.", "Do.", None, (1,), 1, kind="title")
    (without,) = with_rows([header], 2, {2: ["Acme"]}, ["Name"], [NAME])
    assert without.rows == ()


def test_rows_of_another_source_are_not_named() -> None:
    """What is left out of a retry has the lines of the file that its job had."""
    note = Finding("warning", "Left out of a job.", "Do.", None, (2,), 1)
    assert list(with_rows([note], 2, {2: ["Acme"]}, ["Name"], [NAME])) == [note]
