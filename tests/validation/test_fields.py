"""Checks against a describe: the key of an upload, and what is reported of its cells."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.validation.destination import NO_PARENTS, LoadTarget
from salesforce_bulk_ingest.validation.fields import FieldChecks
from tests.validation.checking import as_lines, found
from tests.validation.describing import CONTACT, field, sobject


def key_index(operation: str, header: Sequence[str], key: str | None = None) -> int | None:
    checks = FieldChecks(LoadTarget.of(CONTACT, operation, key), header, Findings(), NO_PARENTS)
    return None if checks.key_column is None else checks.key_column.index


def test_the_key_is_the_id_or_the_external_id_and_an_insert_has_none() -> None:
    assert key_index("insert", ["Id", "LastName"]) is None
    assert key_index("update", ["LastName", "ID"]) == 1
    assert key_index("delete", ["id"]) == 0
    assert key_index("upsert", ["Id", "CODE__C"], "Code__c") == 1
    assert key_index("upsert", ["LastName"], "Code__c") is None


def test_the_first_values_and_lines_are_shown_and_all_are_counted() -> None:
    rows = [[f"00300000000000{number}", f"Level {number % 7}"] for number in range(9)]
    assert as_lines(
        found(CONTACT, "update", ["Id", "Level__c"], rows, rows, [["003000000000001", "x" * 500]])
    ) == snapshot(
        [
            'warning Level__c: Level__c takes only the active values of its picklist, and rows with others fail: "Level 0", "Level 1", "Level 2", "Level 3", "Level 4". | Map them with values: it takes "Primary", "Secondary". (2, 3, 4, 5, 6) x19'
        ]
    )


def test_of_hidden_cells_the_lengths_are_shown() -> None:
    rows = [["003000000000001", "Unheard of"], ["003000000000001", "Unknown"]]
    hidden = {"Level__c"}
    assert as_lines(found(CONTACT, "update", ["Id", "Level__c"], rows, hidden=hidden)) == snapshot(
        [
            'warning Level__c: Level__c takes only the active values of its picklist, and rows with others fail: [hidden, 10 characters], [hidden, 7 characters]. | Map them with values: it takes "Primary", "Secondary". (2, 3) x2'
        ]
    )


def test_rows_that_are_too_narrow_or_too_wide_are_checked_as_far_as_they_go() -> None:
    rows = [["003000000000001"], ["003000000000001", "Old", "more"], ["003000000000001", "Primary"]]
    [finding] = found(CONTACT, "update", ["Id", "Level__c"], rows)
    assert (finding.lines, finding.count) == ((3,), 1)


def test_cells_of_columns_that_fail_the_job_or_a_delete_are_not_looked_at() -> None:
    assert [each.level for each in found(CONTACT, "update", ["Id", "What"], [["003000000000001", "x"]])] == ["error"]
    findings = found(CONTACT, "delete", ["Id", "Level__c"], [["003000000000001", "None"]])
    assert [each.level for each in findings] == ["error"]


def test_a_format_is_proposed_only_if_the_field_takes_what_it_reads() -> None:
    rows = [["A", "25.0", "31.12.1200"], ["B", "1,000.0", "1.2.1201"]]
    header = ["Name", "NumberOfEmployees", "Day__c"]
    thing = sobject("Thing__c", field("Name"), field("NumberOfEmployees", "int"), field("Day__c", "date"))
    assert [each.do for each in found(thing, "insert", header, rows)] == snapshot(
        [
            'Write 25, without decimals. Or give formats: {"NumberOfEmployees": "1,234.5"} reads "1,000.0" as 1000.',
            'Write dates as 2026-01-31. Or give formats: {"Day__c": "DD.MM.YYYY"} reads "1.2.1201" as 1201-02-01.',
        ]
    )
    for cells in (["25.5", "10.5"], ["1e3"]):  # what a format reads in these is no whole number either
        [finding] = found(thing, "insert", ["NumberOfEmployees"], [[cell] for cell in cells])
        assert finding.do == 'Write 25, without decimals. Or name their form in formats, such as "1.234,5".'


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@given(
    name=st.sampled_from([each.name for each in CONTACT.fields]),
    blocks=st.lists(st.lists(TEXT | st.sampled_from(["1.5", "2026-01-31", "Primary", "true", "#N/A", ""]))),
)
def test_each_wrong_cell_is_counted_once_however_the_rows_are_cut_into_blocks(
    name: str, blocks: list[list[str]]
) -> None:
    def without_newlines(cell: str) -> str:
        return cell.replace("\n", " ")  # a number with a line break is the one thing that may slip through

    rows = [[[without_newlines(cell)] for cell in block] for block in blocks]
    together = found(CONTACT, "update", [name], *rows)
    one_by_one = found(CONTACT, "update", [name], *([row] for block in rows for row in block))
    assert together == one_by_one
