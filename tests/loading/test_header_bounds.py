import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import OutOfBounds
from salesforce_bulk_ingest.loading.header_bounds import HeaderBounds

COLUMNS = {"Firm": "Name", "#2": None}


def out_of(bounds: HeaderBounds, *header: str) -> tuple[str, ...]:
    with pytest.raises(OutOfBounds) as raised:
        bounds.missing(COLUMNS, header)
    return raised.value.out


def test_a_header_with_exactly_the_known_columns_is_in_bounds() -> None:
    bounds = HeaderBounds(frozenset({"Phone", "Fax"}), ("Phone",))
    assert bounds.missing(COLUMNS, ["Firm", "anything", "Phone"]) == frozenset()
    assert bounds.missing(COLUMNS, ["Firm", "anything", "Phone", "Fax"]) == frozenset()


def test_what_is_new_and_what_is_missing_is_told_together() -> None:
    bounds = HeaderBounds(frozenset({"Phone"}), ("Phone",))
    assert out_of(bounds, "Company", "x", "Mobile") == snapshot(
        (
            'it lacks "Firm", "Phone" (missingHeaders)',
            'it has "Company", "Mobile", which the recipe does not know (newHeaders)',
        )
    )


def test_what_may_be_missing_is_returned() -> None:
    bounds = HeaderBounds(may_lack=True)
    assert bounds.missing(COLUMNS, ["Firm"]) == {"#2"}
    assert bounds.missing(COLUMNS, ["Firm", "x"]) == frozenset()


def test_a_header_without_any_known_column_is_out_of_bounds_whatever_may_be_missing() -> None:
    assert out_of(HeaderBounds(may_have_new=True, may_lack=True), "Other") == snapshot(
        ('it lacks every column of the recipe, such as "Firm"',)
    )


def test_columns_of_one_name_of_which_one_is_known_by_its_place_are_not_both_known() -> None:
    with pytest.raises(OutOfBounds, match="newHeaders"):
        HeaderBounds().missing({"#1": "Name"}, ["Firm", "Firm"])
