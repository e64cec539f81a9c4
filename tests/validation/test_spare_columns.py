"""Columns that can be left out with no cell lost, and those between whose cells somebody has to choose."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.spare_columns import SpareColumns
from tests.validation.checking import as_lines

PHONES = {"Phone": [1, 2]}
cells = st.sampled_from(["", " ", "1", "2"])
tables = st.lists(st.lists(cells, min_size=4, max_size=4), max_size=4)


def checked(rows: Sequence[list[str]]) -> tuple[SpareColumns, list[str]]:
    """The check of a column, two for one field, and one without a name, row by row, with its findings."""
    findings = Findings()
    spare = SpareColumns(PHONES, [3], ["Name", "#2", "#3", "#4"], findings)
    for row in rows:
        spare.check(ParsedBlock(4, lambda: [2], rows=[row]))
    spare.finish()
    return spare, as_lines(findings.sorted())


def test_a_field_that_set_gives_every_row_beside_a_column_for_it_is_told_as_that() -> None:
    findings = Findings()
    spare = SpareColumns({"Phone": [1, 0]}, [], ["Tel", None], findings)
    spare.check(ParsedBlock(2, lambda: [2], rows=[["1", "2"]]))
    spare.finish()
    assert as_lines(findings.sorted()) == snapshot(
        [
            'error Phone: Several columns are Phone, and only one can be: "Tel" and what set gives every row. | Leave Phone out of set, or set {"Tel": null} in columns to leave the cells there out. (1,) x1'
        ]
    )


@given(tables)
def test_no_cell_is_lost_with_the_spare_columns(rows: list[list[str]]) -> None:
    spare, _ = checked(rows)
    kept = {1, 2, 3} - set(spare.spare)
    for row in rows:
        told = {cell for index, cell in enumerate(row) if index in (1, 2) and cell.strip()}
        assert told <= {row[index] for index in kept - {3}} and (3 in kept or not row[3].strip())
    assert set(spare.unsettled) == (kept & {3}) | ({2} if {1, 2} <= kept else set())


def test_what_others_have_and_what_is_blank_is_left_out() -> None:
    spare, findings = checked([["a", "", "1", ""], ["b", "2", "2", " "]])
    assert spare.spare == (1, 3)
    assert findings == snapshot(
        [
            'error Phone: Several columns are Phone, and only one can be: "#2", "#3". | The others have no other cells: leave them out with {"#2": null} in columns. (1,) x1',
            'error None: A column has no name and blank cells alone: the whole job fails. | Leave out what is blank: {"#4": null} in columns. (1,) x1',
        ]
    )


def test_columns_whose_cells_differ_are_for_the_user_to_choose_from() -> None:
    spare, findings = checked([["a", "3", "1", ""], ["b", "2", "", "x"]])
    assert spare.spare == () and spare.unsettled == (2, 3)
    assert findings == snapshot(
        [
            'error Phone: Several columns are Phone, and only one can be: "#2", "#3". Rows in which their cells differ: 1. | Set {"#3": "<another field>"} in columns, or {"#3": null} there to leave its cells out. (1,) x1',
            'error #4: A column has no name, which fails the whole job. Filled cells in it: 1. | Set {"#4": "<its field>"} in columns, or null there to leave its cells out. (1,) x1',
        ]
    )
    _, findings = checked([["a", "", "1", ""], ["b", "2", "", ""]])
    assert findings[0] == snapshot(
        'error Phone: Several columns are Phone, and only one can be: "#2", "#3". Each has cells that the others lack. | Set {"#3": "<another field>"} in columns, or {"#3": null} there to leave its cells out. (1,) x1'
    )


def test_many_columns_of_blanks_are_one_finding() -> None:
    findings = Findings()
    SpareColumns({}, range(50), [f"#{n + 1}" for n in range(50)], findings).finish()
    assert as_lines(findings.sorted()) == snapshot(
        [
            'error None: 50 columns have no name and blank cells alone: the whole job fails. | Leave out what is blank: {"#1": null, "#2": null, "#3": null, "#4": null, "#5": null, ...} in columns. (1,) x1'
        ]
    )
