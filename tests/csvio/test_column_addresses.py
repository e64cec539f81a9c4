"""Addresses of columns: names, and places where names repeat."""

from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.column_addresses import ColumnAddresses

names = st.text(st.sampled_from("#0123aA \u200b\n"), max_size=4)


@given(st.lists(names, min_size=1, max_size=6))
def test_each_column_has_an_address_at_which_it_alone_is_found(header: list[str]) -> None:
    addresses = ColumnAddresses(header)
    assert [addresses.find(addresses.of(index)) for index in range(len(header))] == [[n] for n in range(len(header))]


def test_a_name_stands_for_all_columns_that_have_it_and_a_place_for_one() -> None:
    addresses = ColumnAddresses(["Name", "Phone", "Phone", "#1", "", "Billing\nCity", "x" * 300])
    assert [addresses.of(index) for index in range(7)] == ["Name", "#2", "#3", "#1", "#5", "Billing City", "#7"]
    assert addresses.find("Phone") == [1, 2] and addresses.find("#3") == [2] and addresses.find("#1") == [3]
    assert addresses.find("#0") == addresses.find("#8") == addresses.find("Fax") == addresses.find("#") == []
