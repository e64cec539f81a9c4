"""What comes back is tied to what was sent, or said not to be."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.results.row_matching import (
    CandidateFilter,
    MatchedRow,
    UploadedRow,
    compared_columns,
    plain,
    row_matcher_in,
)

Rows = Sequence[tuple[str, ...]]

cells = st.sampled_from(["", "a", "A", " b", "1", "1.0", "#N/A", "true", "x\ny"])
rows_of_three = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12)


def tied(
    sent: Rows, told: Rows, key: str | None = None, said: Sequence[str] = ()
) -> tuple[list[MatchedRow], list[int], list[int]]:
    """The ties between rows with the columns a, b and c: certain ones, unsure ones, and rows that are like none."""
    names = ("a", "b", "c")
    blank = frozenset(place for place in range(3) if not any(row[place] for row in told))
    mine, theirs = compared_columns(names, names, blank, key)
    with tempfile.TemporaryDirectory() as folder, row_matcher_in(Path(folder)) as ties:
        likely = CandidateFilter(mine, theirs)
        if told:
            columns = list(zip(*told, strict=True))
            likely.look(columns)
            ties.add_told(0, said or [str(number) for number in range(len(told))], columns, theirs)
        for first in range(0, len(sent), 5):
            some = sent[first : first + 5]
            rows = [first + place for place in likely.rows(list(zip(*some, strict=True)))]
            if rows:
                chosen = list(zip(*(sent[row] for row in rows), strict=True))
                ties.add_sent(
                    [UploadedRow(row, row + 2, hash(sent[row]), hash(sent[row])) for row in rows], chosen, mine
                )
        ties.tie()
        return list(ties.tied()), ties.unsure(), ties.untied()


@settings(max_examples=300)
@given(rows_of_three, st.data())
def test_rows_that_are_certain_are_the_very_rows_that_failed(sent: Rows, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(sent))))
    failed = order[: data.draw(st.integers(0, len(sent)))]
    blanked = data.draw(st.sets(st.integers(0, 2)))
    told = [tuple("" if place in blanked else plain(cell) for place, cell in enumerate(sent[row])) for row in failed]
    said = data.draw(st.lists(st.sampled_from("xy"), min_size=len(told), max_size=len(told)))
    sure, unsure, untied = tied(sent, told, said=said)
    assert untied == []
    assert sorted([*(tie.told for tie in sure), *unsure]) == list(range(len(told)))
    assert [tie.sent for tie in sure] == sorted({tie.sent for tie in sure})
    assert all(tie.line in (tie.sent + 2, None) and tie.said == said[tie.told] for tie in sure)
    # Which of several equal rows failed makes no difference.
    right = Counter((said[told], sent[row]) for told, row in enumerate(failed))
    assert not Counter((tie.said, sent[tie.sent]) for tie in sure if not tie.is_mixed) - right
    assert not Counter(sent[tie.sent] for tie in sure) - Counter(sent[row] for row in failed)


@given(st.lists(st.tuples(cells, cells), max_size=12), st.data())
def test_a_key_that_is_unique_ties_every_row(pairs: Sequence[tuple[str, str]], data: st.DataObject) -> None:
    sent = [(f"Key {number}", *pair) for number, pair in enumerate(pairs)]
    failed = data.draw(st.permutations(range(len(sent))))[: data.draw(st.integers(0, len(sent)))]
    # All but the key may come back as something else.
    told = [(sent[row][0].upper(), *data.draw(st.tuples(cells, cells))) for row in failed]
    sure, unsure, untied = tied(sent, told, "A")
    assert {(tie.told, tie.sent) for tie in sure} == set(enumerate(failed))
    assert unsure == untied == []


def test_rows_that_were_not_sent_are_tied_to_none() -> None:
    assert tied([("a", "", "")], [("b", "", ""), ("a", "", "")]) == ([MatchedRow(0, 2, 1, "1")], [], [0])
    assert tied([("a", "", "")], [("a", "", ""), ("a", "", "")]) == ([MatchedRow(0, 2, 0, "0")], [], [1])


@pytest.mark.parametrize(
    ("as_sent", "as_told"),
    [
        ("912260031", "9.12260031E8"),
        ("0010.50", "10.5"),
        ("-.5", "-0.5"),
        ("+7", "7"),
        ("0", "-0.0"),
        ("TRUE", "true"),
        ("1", "true"),
        ("#N/A", ""),
        (" Acme ", "Acme"),
        ("2026-01-31T09:30:00+01:00", "2026-01-31T08:30:00.000Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000+0000"),
        ("001000000000001", "001000000000001AAA"),
    ],
)
def test_a_cell_that_was_typed_again_is_still_known(as_sent: str, as_told: str) -> None:
    assert plain(as_sent) == plain(as_told)


@pytest.mark.parametrize(
    "cell", ["1.2.3", "2026-13-45T99:00:00Z", "9" * 40 + "E999", "1E+", "+", ".", "٣", "0001-01-01T00:00:00+14:00"]
)
def test_a_cell_that_only_looks_like_a_number_or_time_is_itself(cell: str) -> None:
    assert plain(cell) != plain(cell + "1")


def test_text_of_18_characters_is_cut_only_where_it_is_an_id() -> None:
    assert plain("001Em0000tNq0hUIAR") == plain("001Em0000tNq0hU")
    assert plain("ABCDEFGHIJKLMNO001") == "ABCDEFGHIJKLMNO001"
    assert plain("001Em0000tNq0hUIAA") == "001Em0000tNq0hUIAA"
