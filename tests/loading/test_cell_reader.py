"""The reading of whole columns in a format."""

import tracemalloc

import pytest

from salesforce_bulk_ingest.loading.cell_reader import MOST_REMEMBERED, CellReader
from salesforce_bulk_ingest.loading.mapping import MOST_REMEMBERED_OF_ALL, ColumnMapping, apply_mapping
from salesforce_bulk_ingest.loading.row_filter import LeaveOut, LinesOut
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.formats import format_of
from tests.loading.making import Bytes, as_line, findings_of, plan_of, sent_parts

DATES = ColumnMapping(values={"Day": {"today": "31.01.2026"}}, formats={"Day": "DD.MM.YYYY"})


def test_cells_are_read_after_values_and_blank_ones_stay() -> None:
    content = b"Name,Day\nA,31.01.2026\nB,today\nC,\nD,#N/A\nE, 1.2.2026 \nF,soon\n"
    [part] = sent_parts(plan_of(Bytes(content), DATES, Destination()))
    assert part == b"Name,Day\nA,2026-01-31\nB,2026-01-31\nC,\nD,#N/A\nE,2026-02-01\nF,soon\n"


def test_cells_that_do_not_fit_are_counted_with_their_first_lines() -> None:
    rows = "".join(f"x,{number}.13.2026\n" for number in range(1, 100_001)) + "x,1.12.2026\n"
    [finding] = findings_of(f"Name,Day\n{rows}".encode(), Destination(), DATES)
    assert finding.startswith('warning Day at 2, 3, 4, 5, 6 (100000): Cells do not fit the format "DD.MM.YYYY"')


def test_cells_of_rows_that_are_left_out_are_no_misfits() -> None:
    mapping = ColumnMapping(formats={"Day": "DD.MM.YYYY"}, leave_out=LeaveOut({"Name": ("B",)}, LinesOut.parse("3")))
    [finding] = findings_of(b"Name,Day\nA,soon\nx,now\nB,later\nC,never\n", Destination(), mapping)
    assert finding.startswith("warning Day at 2, 5 (2)") and finding.count('"soon", "never"') == 1


def test_a_blank_cell_is_false_where_the_format_says_so() -> None:
    assert CellReader(format_of("x/")).read(["x", "", " ", "#N/A", "X"]) == ["true", "false", "false", "#N/A", "true"]


@pytest.mark.slow
def test_different_cells_without_end_are_read_in_constant_memory() -> None:
    reader = CellReader(format_of("1.234,5"))
    tracemalloc.start()
    for block in range(20):
        cells = [f"{number},5" for number in range(block * MOST_REMEMBERED // 5, (block + 1) * MOST_REMEMBERED // 5)]
        assert reader.read(cells) == [cell.replace(",", ".") for cell in cells]
    assert tracemalloc.get_traced_memory()[1] < 15_000_000 and not reader.has_misfits
    tracemalloc.stop()


def test_many_columns_remember_no_more_cells_together_than_a_few() -> None:
    names = [f"Amount{number}__c" for number in range(100)]
    applied = apply_mapping(ColumnMapping(formats=dict.fromkeys(names, "1.234,5")), names)
    readers = [column.reader for column in applied.columns if column.reader is not None]
    assert len(readers) == len(names)
    assert sum(reader.most_remembered for reader in readers) <= MOST_REMEMBERED_OF_ALL


def test_parts_of_rows_read_in_a_format_hold_each_row_once() -> None:
    content = "Name,Day\n" + "".join(f"n{number},{number % 28 + 1}.2.2026\n" for number in range(500))
    plan = plan_of(Bytes(content.encode()), DATES, Destination(limit=1_000))
    lines = [line for part in sent_parts(plan) for line in part.decode().splitlines()[1:]]
    assert lines == [f"n{number},2026-02-{number % 28 + 1:02}" for number in range(500)]
    assert not list(map(as_line, plan.findings))
