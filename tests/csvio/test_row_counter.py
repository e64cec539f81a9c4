"""Records are counted as they pass: the same number as of whole files, however the bytes come in."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.records import count_rows
from salesforce_bulk_ingest.csvio.row_counter import RowCounter
from tests.csvio.awkward import text
from tests.loading.making import csv_bytes, dialects, quotings, tables


def counted(content: bytes, cuts: list[int], mark: str = ",") -> RowCounter:
    counter = RowCounter(mark)
    for start, end in pairwise([0, *sorted(cuts), max(len(content), 200)]):
        counter.add(content[start:end])
    return counter


cuts = st.lists(st.integers(0, 200), max_size=10)
awkward = st.lists(st.sampled_from([b"\n", b"\r", b'"', b",", b"a", b"\r\n", b'""', b'","', b"\0"]), max_size=40).map(
    b"".join
)


@settings(deadline=None)
@given(awkward | st.binary(max_size=200) | text.map(str.encode), cuts)
def test_it_counts_what_a_reader_of_whole_records_counts(content: bytes, cuts: list[int]) -> None:
    whole = counted(content, [])
    in_pieces = counted(content, cuts)
    assert in_pieces.count == whole.count == count_rows(content)
    assert in_pieces.is_certain == whole.is_certain
    assert in_pieces.is_in_quotes == (content.count(b'"') % 2 == 1)


@settings(deadline=None)
@given(st.data())
def test_csv_that_is_well_formed_is_counted_with_certainty(data: st.DataObject) -> None:
    dialect = data.draw(dialects)
    content = data.draw(st.builds(csv_bytes, tables(), st.just(dialect), quotings))
    counter = counted(content, data.draw(cuts), dialect.mark)
    assert counter.count == count_rows(content)
    assert counter.is_certain


@pytest.mark.parametrize(
    "content",
    [
        b'Name\n5" pipe\nhidden\n6" pipe\n',
        b'Name\n""a"\nhidden\n"b"\n',
        b'Name\n "a\nhidden"\n',
        b'Name\n"a" \n"b"x\n',
        b'Name\na","b\n',
        b'Name\n"a"","b\n"\n',
        b"Name\na\rhidden\n",
    ],
)
def test_where_readers_could_find_other_records_the_count_is_not_certain(content: bytes) -> None:
    for cut in range(len(content)):
        assert not counted(content, [cut]).is_certain
