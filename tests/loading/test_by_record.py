"""Rows that are left out by their records, once it is known which: wherever the source is read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.loading.by_record import ByRecord, LeftOutLines, lines_from_text, lines_to_text
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import CountedLines, LeaveOut
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import Bytes, findings_of, plan_of, read_rows, sent_parts


def without(unmatched: list[int], unchanged: list[int]) -> ColumnMapping:
    by_record = ByRecord("updateOnly", True, LeftOutLines(tuple(unmatched), tuple(unchanged)))
    return ColumnMapping(leave_out=LeaveOut(by_record=by_record))


def test_rows_are_left_out_by_the_lines_that_a_look_found() -> None:
    rows = b'Name,Phone\nAnn,1\n"Bob\nB.",2\n\nCid,3\nDee,4\n'
    planned = plan_of(Bytes(rows), without([3], [7]), Destination())
    assert [read_rows(part)[1:] for part in sent_parts(planned)] == [[["Ann", "1"], ["Cid", "3"]]]
    assert (planned.left_out.match, planned.left_out.changed_only) == (CountedLines(1, (3,)), CountedLines(1, (7,)))
    assert (planned.rows, planned.left_out.rows) == (2, 2)


def test_it_is_no_mistake_that_a_look_left_all_rows_out() -> None:
    assert findings_of(b"Name\nAnn\nBob\n", mapping=without([2], [3])) == []


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(40, 120))
def test_every_row_is_in_one_part_or_left_out(left_out: list[bool], limit: int) -> None:
    rows = [f"Row {number}" for number in range(len(left_out))]
    content = "".join(f"{row}\n" for row in ["Name", *rows]).encode()
    lines = [line for line, is_left_out in enumerate(left_out, 2) if is_left_out]
    planned = plan_of(Bytes(content), without(lines[::2], lines[1::2]), Destination(limit=limit))
    sent = [row[0] for part in sent_parts(planned) for row in read_rows(part)[1:]]
    assert sent == [row for row, is_left_out in zip(rows, left_out, strict=True) if not is_left_out]
    assert planned.left_out.rows + planned.rows == len(rows)
    assert list(planned.source_rows_of(None)) == [number for number, left in enumerate(left_out) if not left]


@given(st.sets(st.integers(1, 2**40)))
def test_lines_are_the_same_after_they_were_written(lines: set[int]) -> None:
    assert list(lines_from_text(lines_to_text(sorted(lines)))) == sorted(lines)


@pytest.mark.parametrize("text", ["x", "-1", "5 -2", "5 0", "fffffffffffffffff", "ffffffffffffffff 1"])
def test_a_text_that_is_of_no_lines_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|in their order|beyond every source"):
        lines_from_text(text)
