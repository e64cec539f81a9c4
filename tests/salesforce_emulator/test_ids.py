"""Ids of jobs and records."""

from hypothesis import given
from hypothesis import strategies as st

from salesforce_emulator import ids
from tests.salesforce_emulator.behaviours import doc, own


@doc("Salesforce help: 15-character and 18-character ids")
def test_the_suffix_holds_the_case_of_the_fifteen_letters() -> None:
    assert ids.to_18("750XX0000004Ab1") == "750XX0000004Ab1YAE"
    assert ids.to_18("001000000000001") == "001000000000001AAA"


@own
@given(st.integers(0, 62**10 - 1))
def test_ids_ascend_with_their_numbers_and_are_found_in_both_lengths(serial: int) -> None:
    record_id = ids.make("001", serial)
    assert ids.normal(record_id) == ids.normal(record_id[:15]) == record_id
    assert ids.make("001", max(0, serial - 1)) <= record_id


@own
def test_what_is_not_an_id_has_no_normal_form() -> None:
    for text in ("", "001", "001000000000001AAB", "0" * 16, "00100000000000é", "001-00000000001"):
        assert ids.normal(text) is None
