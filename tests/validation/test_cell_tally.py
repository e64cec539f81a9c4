"""Tallies of the cells that findings are about."""

from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.cell_tally import CellTally


def block(cells: list[str], first_line: int) -> ParsedBlock:
    lines = range(first_line, first_line + len(cells))
    return ParsedBlock(1, lambda: lines, columns=[cells])


def test_all_cells_are_counted_and_the_first_are_shown_however_they_come() -> None:
    cells = [f"wrong {number % 7}" if number % 3 else "right" for number in range(40)]
    one_by_one, by_column = CellTally(), CellTally()
    for line, cell in enumerate(cells, 2):
        if cell != "right":
            one_by_one.add(cell, line)
    for start in (0, 4, 30):
        of_block = cells[start : {0: 4, 4: 30, 30: 40}[start]]
        by_column.add_column(of_block, set(of_block) - {"right"}, block(of_block, start + 2))
    assert one_by_one == by_column
    lines = [line for line, cell in enumerate(cells, 2) if cell != "right"]
    assert (by_column.count, by_column.lines, by_column.all_values) == (
        26, lines, tuple(f"wrong {number}" for number in (1, 2, 4, 5, 0, 3, 6)),
    )  # fmt: skip


def test_hidden_cells_are_shown_by_their_lengths() -> None:
    tally = CellTally()
    tally.add("x" * 50, 2)
    tally.add('"', 3)
    assert tally.shown(are_hidden=True) == "[hidden, 50 characters], [hidden, 1 character]"
    assert tally.shown(are_hidden=False) == f'"{"x" * 40}…[+10]", "\\""'


def test_lines_are_not_looked_for_once_enough_are_known() -> None:
    """Finding the lines of a block means reading it again."""
    tally = CellTally()
    many = ["x"] * LINES_KEPT
    tally.add_column(many, {"x"}, block(many, 2))

    def find_lines() -> list[int]:
        raise NotImplementedError

    tally.add_column(["x"] * 5, {"x"}, ParsedBlock(1, find_lines, columns=[["x"] * 5]))
    assert (tally.count, tally.lines) == (LINES_KEPT + 5, list(range(2, 2 + LINES_KEPT)))
