"""Columns that an upload and a result both have are compared by name."""

import pytest

from salesforce_bulk_ingest.results.compared_columns import CandidateFilter, ComparedColumns, compared_columns

NONE_BLANK = frozenset[int]()


def test_columns_are_compared_by_name_in_any_case_and_order() -> None:
    ours, theirs = compared_columns(("Name", "CODE__c", "Other"), ("code__c", "Name", "More"), NONE_BLANK, "Code__c")
    assert (ours, theirs) == (ComparedColumns((1, 0), 1), ComparedColumns((0, 1), 0))


def test_a_column_that_is_blank_in_all_of_a_result_is_not_compared_even_if_it_is_the_key() -> None:
    ours, theirs = compared_columns(("Name", "Id"), ("Name", "Id"), frozenset([1]), "Id")
    assert (ours, theirs) == (ComparedColumns((0,), None), ComparedColumns((0,), None))


def test_rows_with_the_same_cells_in_other_forms_have_the_same_hash() -> None:
    compared = ComparedColumns((0, 1), 0)
    columns = (["K", "k", ""], ["1.0", "1", "1"])
    first, second, third = compared.cell_hashes(columns)
    assert first != second
    keys = list(compared.key_hashes(columns))
    assert keys[0] == keys[1] is not None and keys[2] is None
    assert second != third


def test_where_nothing_is_compared_all_rows_are_alike() -> None:
    compared = ComparedColumns((), None)
    assert list(compared.cell_hashes((["a", "b"],))) == [0, 0]
    assert list(compared.key_hashes((["a", "b"],))) == [None, None]


def test_only_rows_with_a_cell_of_the_result_are_candidates() -> None:
    names = ("Name", "Site")
    candidates = CandidateFilter(*compared_columns(names, names, NONE_BLANK, None))
    candidates.add_result_columns((["A", "B"], ["same", "same"]))
    assert list(candidates.candidates((["b", "C", "A"], ["same"] * 3))) == [0, 2]


@pytest.mark.parametrize("key", [None, "Name"])
def test_every_row_is_a_candidate_where_the_result_has_too_many_cells(key: str | None) -> None:
    candidates = CandidateFilter(*compared_columns(("Name",), ("Name",), NONE_BLANK, key))
    candidates.MOST_CELLS = 2
    candidates.add_result_columns((["A", "B", "C"],))
    assert list(candidates.candidates((["X", "Y"],))) == [0, 1]
