"""A page keeps its limits, whatever the cells hold."""

import json
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.text import cut
from salesforce_bulk_ingest.csvio.writer import format_record
from salesforce_bulk_ingest.results.page_size import (
    DEFAULT_ROWS,
    MOST_ROWS,
    PageRoom,
    PageSize,
    default_page_size,
    fit_columns,
    requested_page_size,
)

kinds = st.sampled_from(["x", "é", "字", "😀", '"', "\x00", "\n", "\\", ",", "\u2028"])
cell = st.builds(lambda kind, times: kind * times, kinds, st.one_of(st.integers(0, 40), st.integers(0, 131_072)))
names = st.builds(lambda kind, times: kind * times, kinds, st.integers(0, 600))
wide = st.builds(
    lambda name, times: [name] * times, st.sampled_from(["", "x", "é", '"', "Name"]), st.integers(900, 5_000)
)
MESSAGE_BYTES = 512 * 1024


def _page(columns: Sequence[str], rows: Sequence[Sequence[str]], page_size: PageSize) -> list[tuple[str, ...]]:
    room = PageRoom(page_size, len(columns))
    shown = []
    for row in rows:
        admitted = room.admit(row)
        if admitted is None:
            break
        shown.append(admitted)
    return shown


def _check(columns: Sequence[str], rows: Sequence[Sequence[str]], page_size: PageSize) -> None:
    as_json = json.dumps(rows, ensure_ascii=False)
    as_csv = "".join(format_record(row) for row in rows)
    assert len(as_json) <= page_size.half_chars + 2
    assert len(as_csv) <= page_size.half_chars
    assert len(json.dumps(rows)) + len(json.dumps(as_csv)) <= page_size.wire_bytes + 2 * len(rows) + 4
    longest_name = len(json.dumps("😀" * page_size.name_chars)) + 20
    assert len(json.dumps(columns)) <= max(page_size.header_chars, longest_name) + 2 * len(columns)
    assert len(rows) <= page_size.rows


@given(st.lists(names, min_size=1, max_size=40), st.lists(st.lists(cell, max_size=40), max_size=4))
def test_no_default_page_exceeds_its_limits(columns: list[str], rows: list[list[str]]) -> None:
    page_size = default_page_size()
    fitting = fit_columns(columns, page_size)
    shown = _page(fitting, rows, page_size)
    _check(fitting, shown, page_size)
    assert bool(shown) == bool(rows), "the first row always fits, or a reader would never get on"


@settings(max_examples=25)  # each takes long to make
@given(wide, cell)
@example([""] * 1_601, "\x00")
def test_no_default_page_of_a_very_wide_result_exceeds_its_limits(columns: list[str], value: str) -> None:
    page_size = default_page_size()
    fitting = fit_columns(columns, page_size)
    shown = _page(fitting, [[value] * len(columns)] * 2, page_size)
    _check(fitting, shown, page_size)
    assert shown


@given(st.lists(st.lists(cell, min_size=1, max_size=4), min_size=1, max_size=4))
def test_an_explicit_page_fits_into_one_message(rows: list[list[str]]) -> None:
    page_size = requested_page_size(1_000_000)
    shown = _page([""] * 4, rows, page_size)
    assert shown
    assert len(json.dumps(shown)) + len(json.dumps("".join(format_record(row) for row in shown))) < MESSAGE_BYTES


awkward = st.text(st.sampled_from('ab ,"\\\r\n\t\x7f\u2028é😀'), max_size=8)
narrow = st.builds(
    PageSize,
    rows=st.integers(1, 12),
    half_chars=st.integers(60, 400),
    wire_bytes=st.integers(450, 1_500),
    header_chars=st.just(100),
    name_chars=st.just(100),
)
few = st.lists(st.lists(awkward | st.sampled_from(["Oslo", "a, b"]), max_size=4), max_size=6)


@given(narrow, few, few, few)
def test_rows_have_room_together_where_they_have_it_one_by_one(
    page_size: PageSize, before: list[list[str]], rows: list[list[str]], after: list[list[str]]
) -> None:
    together, singly = PageRoom(page_size, 3), PageRoom(page_size, 3)
    for row in before:
        assert together.admit(row) == singly.admit(row)
    shown = together.admit_all(rows)
    if shown is None:
        assert [singly.admit(row) for row in rows] != [tuple(row[:3]) for row in rows]
        assert [together.admit(row) for row in rows] != [tuple(row[:3]) for row in rows]
    else:
        assert shown == [singly.admit(row) for row in rows]
    assert [together.admit(row) for row in after] == [singly.admit(row) for row in after]


def test_small_rows_are_limited_by_number() -> None:
    rows = [["a", "b"]] * 2_000
    assert len(_page(["A", "B"], rows, default_page_size())) == DEFAULT_ROWS
    assert len(_page(["A", "B"], rows, requested_page_size(7))) == 7
    assert len(_page(["A", "B"], rows, requested_page_size(5_000))) == MOST_ROWS


def test_rows_are_whole_and_one_that_is_too_long_for_any_page_is_one_of_its_own() -> None:
    long = ["x" * 15_000]
    assert _page(["A"], [["a"], long, ["b"]], default_page_size()) == [("a",), tuple(long), ("b",)]
    endless = ["x" * 1_000_000]
    assert _page(["A"], [["a"], endless, ["b"]], default_page_size()) == [("a",)]
    (row,) = _page(["A"], [endless, ["b"]], default_page_size())
    assert "…[+" in row[0]


def test_a_cut_cell_says_how_much_of_it_is_missing() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abcd…[+2]"
    (row,) = _page(["A"] * 40, [["x" * 100_000] * 40], default_page_size())
    shown, _, missing = row[0].partition("…[+")
    assert len(shown) + int(missing.rstrip("]")) == 100_000


def test_cells_without_a_column_that_is_shown_are_left_out() -> None:
    assert _page(["A", "B"], [["1", "2", "3"], ["1"]], default_page_size()) == [("1", "2"), ("1",)]


def test_columns_beyond_the_page_size_are_left_out_but_never_all() -> None:
    assert fit_columns(["A", "B"], default_page_size()) == ("A", "B")
    assert fit_columns(["😀" * 5_000, "B"], default_page_size()) == (cut("😀" * 5_000, 500),)
    assert 100 < len(fit_columns([f"Field_{number}__c" for number in range(5_000)], default_page_size())) < 400
    assert fit_columns([], default_page_size()) == ()


@given(
    narrow,
    few.filter(lambda rows: all(map(len, rows))),
    st.sampled_from(",\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_quoted_rows_have_room_by_their_csv_where_they_have_it_by_their_cells(
    page_size: PageSize, rows: list[list[str]], delimiter: str, newline: str, has_last_line_end: bool
) -> None:
    plain = [tuple(cell.replace('"', "") for cell in (*row, "", "", "")[:3]) for row in rows] or [("a", "b", "c")]
    text = newline.join(delimiter.join(f'"{cell}"' for cell in row) for row in plain)
    by_csv, by_cells = PageRoom(page_size, 3), PageRoom(page_size, 3)
    data = (text + newline * has_last_line_end).encode()
    assert by_csv.admit_quoted(plain, data, delimiter) == (by_cells.admit_all(plain) is not None)
    assert [by_csv.admit(row) for row in plain] == [by_cells.admit(row) for row in plain]
