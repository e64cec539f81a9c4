"""Rows of a result are matched with the rows of the upload that they are, or reported as ambiguous or unmatched."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.results.compared_columns import (
    CandidateFilter,
    ComparedColumns,
    canonical_cell,
    compared_columns,
)
from salesforce_bulk_ingest.results.row_matching import MatchedRow, UploadedRow, row_matcher_in
from tests.support.full_disk import posix_only, printed_on_a_full_disk

Rows = Sequence[tuple[str, ...]]

cells = st.sampled_from(["", "a", "A", " b", "1", "1.0", "#N/A", "true", "x\ny"])
rows_of_three = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12)


def matched(
    uploaded: Rows, returned: Rows, key: str | None = None, outcomes: Sequence[bytes] = ()
) -> tuple[list[MatchedRow], list[int], list[int]]:
    """The matched, ambiguous and unmatched rows of a result with the columns a, b and c."""
    names = ("a", "b", "c")
    blank = frozenset(index for index in range(3) if not any(row[index] for row in returned))
    ours, theirs = compared_columns(names, names, blank, key)
    with tempfile.TemporaryDirectory() as folder, row_matcher_in(Path(folder)) as matcher:
        candidate_filter = CandidateFilter(ours, theirs)
        if returned:
            columns = list(zip(*returned, strict=True))
            candidate_filter.add_result_columns(columns)
            matcher.add_returned(0, outcomes or [b"%d" % number for number in range(len(returned))], columns, theirs)
        for first in range(0, len(uploaded), 5):
            some = uploaded[first : first + 5]
            rows = [first + index for index in candidate_filter.candidates(list(zip(*some, strict=True)).__getitem__)]
            if rows:
                columns = list(zip(*(uploaded[row] for row in rows), strict=True))
                hashed = [UploadedRow(row, row + 2, hash(uploaded[row]), hash(uploaded[row])) for row in rows]
                matcher.add_uploaded(hashed, columns, ours)
        matcher.match()
        return list(matcher.matched()), matcher.ambiguous(), matcher.unmatched()


@settings(max_examples=3 * settings().max_examples)
@given(rows_of_three, st.data())
def test_matched_rows_are_the_very_rows_that_failed(uploaded: Rows, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(uploaded))))
    failed = order[: data.draw(st.integers(0, len(uploaded)))]
    blank = data.draw(st.sets(st.integers(0, 2)))
    returned = [
        tuple("" if index in blank else canonical_cell(cell) for index, cell in enumerate(uploaded[row]))
        for row in failed
    ]
    outcomes = data.draw(st.lists(st.sampled_from([b"x", b"y"]), min_size=len(returned), max_size=len(returned)))
    matches, ambiguous, unmatched = matched(uploaded, returned, outcomes=outcomes)
    assert unmatched == []
    assert sorted([*(match.result_row for match in matches), *ambiguous]) == list(range(len(returned)))
    assert [match.uploaded_row for match in matches] == sorted({match.uploaded_row for match in matches})
    assert all(match.line in (match.uploaded_row + 2, None) for match in matches)
    assert all(match.outcome == outcomes[match.result_row] for match in matches)
    # Which of several equal rows failed makes no difference.
    right = Counter((outcomes[number], uploaded[row]) for number, row in enumerate(failed))
    sure = [match for match in matches if not match.is_outcome_unsure]
    assert not Counter((match.outcome, uploaded[match.uploaded_row]) for match in sure) - right
    assert not Counter(uploaded[match.uploaded_row] for match in matches) - Counter(uploaded[row] for row in failed)


@given(st.lists(st.tuples(cells, cells), max_size=12), st.data())
def test_a_unique_key_matches_every_row(pairs: Sequence[tuple[str, str]], data: st.DataObject) -> None:
    uploaded = [(f"Key {number}", *pair) for number, pair in enumerate(pairs)]
    failed = data.draw(st.permutations(range(len(uploaded))))[: data.draw(st.integers(0, len(uploaded)))]
    # All but the key may come back as something else.
    returned = [(uploaded[row][0].upper(), *data.draw(st.tuples(cells, cells))) for row in failed]
    matches, ambiguous, unmatched = matched(uploaded, returned, "A")
    assert {(match.result_row, match.uploaded_row) for match in matches} == set(enumerate(failed))
    assert ambiguous == unmatched == []


def test_rows_that_were_not_uploaded_are_unmatched() -> None:
    assert matched([("a", "", "")], [("b", "", ""), ("a", "", "")]) == ([MatchedRow(0, 2, 1, b"1")], [], [0])


def test_rows_that_came_more_often_than_they_were_sent_are_surplus_and_not_unmatched() -> None:
    assert matched([("a", "", "")], [("a", "", ""), ("a", "", "")]) == ([MatchedRow(0, 2, 0, b"0")], [], [])
    compared = ComparedColumns((0,), 0)
    with tempfile.TemporaryDirectory() as folder, row_matcher_in(Path(folder)) as matcher:
        matcher.add_returned(0, [b"x"] * 4, [["a", "b", "a", "c"]], compared)
        matcher.add_uploaded([UploadedRow(0, 2, 1, 1), UploadedRow(1, 3, 2, 2)], [["a", "b"]], compared)
        matcher.match()
        assert (matcher.surplus(), matcher.unmatched()) == ([2], [3])


def test_a_row_that_may_be_one_of_two_that_differ_is_ambiguous_and_their_lines_are_known() -> None:
    uploaded = [("a", "1", "x"), ("a", "1", "y")]
    assert matched(uploaded, [("a", "1", "")]) == ([], [0], [])


def test_the_outcomes_of_two_rows_that_both_came_back_alike_are_unsure_where_they_differ() -> None:
    uploaded, returned = [("a", "", "x"), ("a", "", "y")], [("a", "", ""), ("a", "", "")]
    matches, _, _ = matched(uploaded, returned, outcomes=[b"one", b"other"])
    assert [match.is_outcome_unsure for match in matches] == [True, True]
    matches, _, _ = matched(uploaded, returned, outcomes=[b"same", b"same"])
    assert [(match.is_outcome_unsure, match.line) for match in matches] == [(False, 2), (False, 3)]


MATCHING = """
import sys
from pathlib import Path
from salesforce_bulk_ingest.base.errors import StorageFailure
from salesforce_bulk_ingest.results.compared_columns import ComparedColumns
from salesforce_bulk_ingest.results.row_matching import UploadedRow, row_matcher_in
compared, rows = ComparedColumns((0,), None), range(150_000)  # more than the database holds in memory
limit_files(1_000_000)
try:
    with row_matcher_in(Path(sys.argv[1])) as matcher:
        matcher.add_uploaded([UploadedRow(row, row, hash(row), hash(row)) for row in rows], [list(map(str, rows))], compared)
        matcher.add_returned(0, [b"%d" % row for row in rows], [list(map(str, rows))], compared)
        matcher.match()
except StorageFailure as error:
    print(str(error).replace(sys.argv[1], "FOLDER"))
"""


@posix_only
def test_rows_that_can_not_be_matched_on_a_full_disk_are_an_error_of_the_disk(tmp_path: Path) -> None:
    [printed] = printed_on_a_full_disk(MATCHING, tmp_path)
    assert printed == snapshot(
        "Rows of a result can't be matched with those that were sent (FOLDER): the disk can't be read or written there. Check the disk, and the limits of this user (ulimit -a)."
    )
    assert list(tmp_path.iterdir()) == []
