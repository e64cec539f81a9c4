"""What is in the columns of one upload."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.column_profiles import (
    FEW_ROWS,
    FIRST_ROWS,
    MOST_CHARACTERS,
    MOST_DISTINCT,
    MOST_VALUES,
    ColumnProfile,
    FirstRows,
    ProfiledColumn,
    RowsProfile,
    RowsTally,
)


def block(rows: list[list[str]], width: int) -> ParsedBlock:
    return ParsedBlock(width, lambda: range(2, 2 + len(rows)), rows=rows)


def profiled(*blocks: list[list[str]], width: int = 1, hidden: bool = False) -> RowsProfile:
    tally = RowsTally(width)
    for rows in blocks:
        tally.add(block(rows, width), block(rows, width))
    return tally.profile([ProfiledColumn(f"C{index}", f"C{index}", is_hidden=hidden) for index in range(width)])


def first_rows(*blocks: list[list[str]], width: int = 1, hidden: bool = False) -> Sequence[Sequence[str]]:
    first = FirstRows(width)
    for rows in blocks:
        first.add(block(rows, width))
    return first.shown([ProfiledColumn(f"C{index}", f"C{index}", is_hidden=hidden) for index in range(width)])


def of_cells(*blocks: list[str], hidden: bool = False) -> ColumnProfile:
    return profiled(*([[cell] for cell in cells] for cells in blocks), hidden=hidden).columns[0]


cells = st.lists(st.sampled_from(["", "#N/A", "a", "b", "c", "d", "e", "f", "g"]))


@given(st.lists(cells, min_size=1, max_size=4))
def test_cells_are_counted_alike_however_they_come(blocks: list[list[str]]) -> None:
    whole = [cell for of_block in blocks for cell in of_block]
    profile = of_cells(*blocks)
    counts = Counter(whole)
    values = {cell: count for cell, count in counts.items() if cell not in ("", "#N/A")}
    assert (profile.empty, profile.clears) == (counts[""], counts["#N/A"])
    assert (profile.distinct, profile.is_exact) == (len(values), True)
    told = dict(profile.most_frequent)
    assert told == (values if len(values) <= 5 else {cell: count for cell, count in values.items() if count > 1})
    assert list(told.values()) == sorted(told.values(), reverse=True)


def test_of_too_many_values_the_empty_and_the_clearing_cells_are_counted_to_the_end() -> None:
    many = [f"value {number}" for number in range(MOST_DISTINCT)]
    profile = of_cells(["", "#N/A", *many], [*many, "", "new"], ["#N/A", "", "newer"])
    assert (profile.empty, profile.clears, profile.is_exact, profile.most_frequent) == (3, 2, False, ())
    assert profile.distinct == MOST_DISTINCT


def test_long_values_are_not_kept() -> None:
    long = ["x" * (MOST_CHARACTERS // 2), "y" * (MOST_CHARACTERS // 2), "z"]
    assert not of_cells(long).is_exact
    assert of_cells(long[:2]).is_exact


def test_a_wide_file_has_fewer_values_of_each_column() -> None:
    width = MOST_VALUES // 100
    rows = [[str(number)] * width for number in range(101)]
    profile = profiled(rows, width=width)
    assert {(column.distinct, column.is_exact) for column in profile.columns} == {(101, False)}


@pytest.mark.parametrize(
    ("count", "shown"), [(0, 0), (4, 4), (FEW_ROWS, FEW_ROWS), (FEW_ROWS + 1, FIRST_ROWS), (99, 3)]
)
def test_all_of_a_few_rows_are_shown_and_the_first_of_more(count: int, shown: int) -> None:
    rows = [[str(number)] for number in range(count)]
    for blocks in ([rows], [[row] for row in rows]):
        assert first_rows(*blocks) == tuple((str(number),) for number in range(shown))


def test_short_rows_are_filled_in_what_is_shown_of_them() -> None:
    shown = first_rows([["a", "b"]], [["c"]], [["e", "f", "g"], ["h", "i"]], width=2)
    assert shown == (("a", "b"), ("c", ""), ("e", "f"), ("h", "i"))


def test_of_a_hidden_column_nothing_but_counts_and_lengths_is_told() -> None:
    profile = profiled([["secret"], ["secret"], [""]], hidden=True)
    assert profile.columns[0].most_frequent == () and profile.columns[0].distinct == 1
    assert first_rows([["secret"], [""]], hidden=True) == (("[hidden, 6 characters]",), ("",))


def test_filled_cells_of_columns_that_are_not_uploaded_are_counted() -> None:
    tally = RowsTally(1, unused=[1, 2])
    tally.add(block([["a"], ["b"]], 1), block([["a", "", "x"], ["b", "", " "]], 3))
    tally.add(block([["c"]], 1), block([["c", "", ""]], 3))
    assert tally.profile([ProfiledColumn("A", "A")], ["B", "C"]).left_out == {"B": 0, "C": 2}
