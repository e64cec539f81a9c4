"""Sketches of rows: rows are known again in any order and form, exactly while they are few, by a sample when they are many."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import Block
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_sketch import MOST_HASHES, KnownRows, RowSketch, RowSketcher
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    file_of,
    plan_of,
    quotings,
    tables,
    uploading,
)

HEADER = ["Name", "Site"]
MANY = 4 * MOST_HASHES


def sketch_of(content: bytes, mapping: ColumnMapping = UNCHANGED, dialect: Dialect | None = None) -> RowSketch:
    destination = Destination() if dialect is None else Destination(delimiter=dialect.delimiter)
    found = plan_of(Bytes(content), mapping, destination, preflight=False).sketch_of(None)
    assert found is not None
    return found


def rows_of(numbers: range) -> list[list[str]]:
    return [[f"Row {number}", "x"] for number in numbers]


def sketch_of_rows(rows: list[list[str]]) -> RowSketch:
    sketcher = RowSketcher(",")
    for start in range(0, len(rows), 1_000):
        some = rows[start : start + 1_000]
        sketcher.add(Block(b"".join(f"{','.join(row)}\n".encode() for row in some)), len(some))
    return sketcher.finish()


# A row of blank cells is no header: it would be refused as a blank line before one.
@given(tables().filter(lambda table: any(map(str.strip, table[0]))), quotings, quotings, st.randoms())
def test_the_same_rows_in_another_order_and_quoting_are_all_known(
    table: list[list[str]], one: Quoting, other: Quoting, chance: random.Random
) -> None:
    header, *rows = table
    shuffled = chance.sample(rows, len(rows))
    first, second = (
        # A header that is full of semicolons, and quoted or not, may show either delimiter: the job tells it.
        sketch_of(csv_bytes([header, *rows], quoting=one), dialect=Dialect()),
        sketch_of(csv_bytes([header, *shuffled], quoting=other), dialect=Dialect()),
    )
    known = second.known_in([first])
    # A row that has nothing but quotes and line ends in it is none to be known by.
    hashed = sum(1 for row in rows if len(row) > 1 or row[0].strip('"\r\n '))
    assert known.is_exact and hashed <= known.count <= len(rows)


@given(dialects, dialects)
def test_the_same_rows_with_another_delimiter_and_line_ending_are_all_known(one: Dialect, other: Dialect) -> None:
    rows = [HEADER, ["A, B", 'two\n"lines"'], ["C", ""]]
    first, second = (sketch_of(csv_bytes(rows, dialect), dialect=dialect) for dialect in (one, other))
    known = second.known_in([first]).count
    # The comma in a cell is the delimiter of one form and a character of the other.
    assert known == 2


def test_a_changed_cell_an_added_row_and_equal_rows_are_told_apart() -> None:
    before = sketch_of(csv_bytes([HEADER, ["A", "x"], ["A", "x"], ["B", "y"]]))
    after = sketch_of(csv_bytes([HEADER, ["A", "x"], ["A", "x"], ["A", "x"], ["B", "z"], ["C", ""]]))
    assert after.known_in([before]) == KnownRows(2, 5, is_exact=True)
    assert str(after.known_in([before])) == "2 of 5 rows"
    assert before.known_in([]) == KnownRows(0, 3, is_exact=True)


def test_rows_are_hashed_as_they_go_out() -> None:
    mapping = ColumnMapping(columns={"Company": "Name"}, constants={"Site": "x"})
    mapped = sketch_of(csv_bytes([["Company"], ["A"], ["B"]], quoting=csv.QUOTE_MINIMAL), mapping)
    assert mapped.known_in([sketch_of(csv_bytes([HEADER, ["B", "x"], ["A", "x"]]))]).count == 2


def test_each_part_has_the_sketch_of_its_own_rows(tmp_path: Path) -> None:
    rows = rows_of(range(100))
    path = file_of(tmp_path, csv_bytes([HEADER, *rows]))
    plan = plan_of(uploading(path), UNCHANGED, Destination(limit=500))
    assert len(plan.parts) > 2
    for part in plan.parts:
        own = plan.rows_of(part.number)
        sketch = plan.sketch_of(part.number)
        assert sketch is not None and sketch.rows == part.rows
        assert sketch.known_in([sketch_of_rows(rows[own.start : own.stop])]).count == part.rows
    assert plan_of(uploading(path), UNCHANGED, Destination(), sketched=False).sketch_of(1) is None


def test_of_many_rows_a_sample_tells_about_how_many_are_known() -> None:
    rows = rows_of(range(MANY))
    before = sketch_of_rows(rows)
    assert before.level and len(before.hashes) <= MOST_HASHES
    shuffled = random.Random(1).sample(rows, len(rows))
    assert sketch_of_rows(shuffled).known_in([before]) == KnownRows(MANY, MANY, is_exact=False)
    half = sketch_of_rows(rows_of(range(MANY // 2, MANY + MANY // 2))).known_in([before])
    assert abs(half.count - MANY // 2) < MANY // 50 and str(half).startswith("about ")
    none = sketch_of_rows(rows_of(range(MANY, 2 * MANY))).known_in([before])
    assert none.count == 0


def test_many_equal_rows_are_one_hash() -> None:
    sketch = sketch_of_rows([["A", "x"]] * MANY)
    assert (sketch.level, len(sketch.hashes), sketch.rows) == (0, 1, MANY)
    assert sketch_of_rows([["A", "x"]] * 3).known_in([sketch]).count == 3


def test_rows_of_several_uploads_are_counted_once_together_and_can_be_taken_away() -> None:
    one, two = sketch_of_rows(rows_of(range(10))), sketch_of_rows(rows_of(range(5, 20)))
    every = sketch_of_rows(rows_of(range(30)))
    assert every.known_in([one, two]).count == 20
    assert every.known_in([one.without(two)]).count == 5
    assert every.known_in([one.without(two).together_with(two)]).count == 20


@pytest.mark.parametrize(
    ("count", "of", "half"), [(0, 0, False), (0, 3, False), (1, 3, False), (2, 4, True), (3, 3, True)]
)
def test_half_of_the_rows_is_enough(count: int, of: int, half: bool) -> None:
    assert KnownRows(count, of, is_exact=True).are_half is half


def test_a_sketch_is_stored_and_what_is_none_is_refused() -> None:
    for rows in ([], rows_of(range(10)), rows_of(range(MANY))):
        sketch = sketch_of_rows(rows)
        stored = sketch.to_bytes()
        assert RowSketch.from_bytes(stored) == sketch and len(stored) < 400_000
        for broken in (b"", b"x", stored[:-1]):
            with pytest.raises(ValueError):
                RowSketch.from_bytes(broken)
