"""A cell has the same canonical form as it was sent and as Salesforce gives it back."""

import pytest

from salesforce_bulk_ingest.results.canonical_cells import canonical_cell, canonical_cells, canonical_key


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


def test_external_ids_are_keys_in_any_case_and_record_ids_are_not() -> None:
    assert canonical_key("Key 1") == canonical_key("KEY 1")
    assert canonical_key("001Em0000tNq0hUIAR") == canonical_key("001Em0000tNq0hU") != canonical_key("001em0000tNq0hU")
