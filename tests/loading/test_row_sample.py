"""An even sample of rows in constant memory."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.cells import parse_block
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.row_sample import LONGEST_RUN, MOST_BYTES, RowSample, RowSampler


def sampled(most_rows: int, blocks: list[int], cell: str = "") -> RowSample:
    sampler, number = RowSampler(2, most_rows, has_lines=True), 0
    for size in blocks:
        text = "".join(f"{row},{cell}{row}\n" for row in range(number, number + size))
        sampler.add(parse_block(text, Dialect(), 2, first_line=number + 2))
        number += size
    sample = sampler.sample()
    assert sample is not None
    return sample


@given(most_rows=st.integers(1, 90), blocks=st.lists(st.integers(0, 300), max_size=6))
def test_a_sample_has_all_rows_or_runs_of_them_at_even_distances(most_rows: int, blocks: list[int]) -> None:
    sample, run = sampled(most_rows, blocks), min(most_rows, LONGEST_RUN)
    assert sample.total == sum(blocks) and len(sample) <= most_rows
    assert list(sample.columns[0]) == [str(number) for number in sample.numbers] == list(sample.columns[1])
    if sample.total <= most_rows:
        assert len(sample) == sample.total
        assert list(sample.lines) == [number + 2 for number in sample.numbers]
    else:
        assert not sample.lines
    runs = sorted({number // run for number in sample.numbers})
    assert len({after - before for before, after in pairwise(runs)}) <= 1


def test_rows_of_long_cells_are_fewer() -> None:
    sample = sampled(10_000, [50] * 10, "x" * 100_000)
    assert 0 < len(sample) * 100_000 <= MOST_BYTES


def test_no_rows_are_sampled_where_none_are_to_be_compared() -> None:
    assert RowSampler(2, 0).sample() is None
