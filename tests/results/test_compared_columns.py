"""Columns that an upload and a result both have are compared by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.results.compared_columns import (
    CandidateFilter,
    ComparedColumns,
    canonical_cell,
    canonical_cells,
    compared_columns,
)
from salesforce_bulk_ingest.validation.key_forms import same_id

NONE_BLANK = frozenset[int]()


def test_columns_are_compared_by_name_in_any_case_and_order() -> None:
    ours, theirs = compared_columns(("Name", "CODE__c", "Other"), ("code__c", "Name", "More"), NONE_BLANK, "Code__c")
    assert (ours, theirs) == (ComparedColumns((1, 0), 1), ComparedColumns((0, 1), 0))


def test_a_column_that_is_blank_in_all_of_a_result_is_not_compared_even_if_it_is_the_key() -> None:
    ours, theirs = compared_columns(("Name", "Id"), ("Name", "Id"), frozenset([1]), "Id")
    assert (ours, theirs) == (ComparedColumns((0,), None, same_id), ComparedColumns((0,), None, same_id))


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
    assert list(candidates.candidates((["b", "C", "A"], ["same"] * 3).__getitem__)) == [0, 2]


@pytest.mark.parametrize("key", [None, "Name"])
def test_every_row_is_a_candidate_where_the_result_has_too_many_cells(key: str | None) -> None:
    candidates = CandidateFilter(*compared_columns(("Name",), ("Name",), NONE_BLANK, key))
    candidates.MOST_CELLS = 2
    candidates.add_result_columns((["A", "B", "C"],))
    assert list(candidates.candidates((["X", "Y"],).__getitem__)) == [0, 1]


@pytest.mark.parametrize(
    ("as_sent", "as_returned"),
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
        ("a0BEm0000tNq0hU", "a0BEm0000tNq0hUMAR"),
    ],
)
def test_a_cell_that_was_typed_again_is_still_known(as_sent: str, as_returned: str) -> None:
    assert canonical_cell(as_sent) == canonical_cell(as_returned)


@pytest.mark.parametrize(
    "cell", ["1.2.3", "2026-13-45T99:00:00Z", "9" * 40 + "E999", "1E+", "+", ".", "٣", "0001-01-01T00:00:00+14:00"]
)
def test_a_cell_that_only_looks_like_a_number_or_time_is_itself(cell: str) -> None:
    assert canonical_cell(cell) != canonical_cell(cell + "1")


def test_text_of_18_characters_is_cut_only_where_it_is_an_id() -> None:
    assert canonical_cell("001Em0000tNq0hUIAR") == canonical_cell("001Em0000tNq0hU")
    assert canonical_cell("ABCDEFGHIJKLMNO001") == "ABCDEFGHIJKLMNO001"
    assert canonical_cell("001Em0000tNq0hUIAA") == "001Em0000tNq0hUIAA"


def test_the_cells_of_a_column_keep_their_order() -> None:
    assert list(canonical_cells(["1.0", "a", "1.0", ""])) == ["1", "a", "1", ""]


def test_external_ids_are_keys_in_any_case_and_as_any_number_and_record_ids_are_not() -> None:
    keys = ["Key 1", "KEY 1 ", "007", "7.0", "001Em0000tNq0hUIAR", "001Em0000tNq0hU", "001em0000tNq0hU", " #N/A"]
    external, _ = compared_columns(("Ext__c",), ("Ext__c",), NONE_BLANK, "ext__c")
    hashes = list(external.key_hashes((keys,)))
    assert hashes[0] == hashes[1] and hashes[2] == hashes[3] and hashes[7] is None
    of_records, _ = compared_columns(("Id",), ("Id",), NONE_BLANK, "Id")
    hashes = list(of_records.key_hashes((keys,)))
    assert hashes[4] == hashes[5] != hashes[6]


cells_of_a_column = st.lists(
    st.text(st.sampled_from("0129aEtT+-.:Z#/N \u00a0\u00b2\u0663\n"), max_size=6)
    | st.sampled_from(
        ["true", " FALSE", "#N/A", "a0BEm0000tNq0hUMAR", "001000000000001AAA", "2026-01-31T09:30:00Z", "+1 555"]
    )
)


@given(cells_of_a_column)
def test_the_cells_of_a_column_have_the_forms_that_each_has_alone(cells: list[str]) -> None:
    assert list(canonical_cells(cells)) == list(map(canonical_cell, cells))
