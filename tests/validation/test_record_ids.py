"""Record ids: their two lengths, and the case that the suffix tells."""

from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.validation.record_ids import are_record_ids, in_its_case, is_likely_id
from salesforce_emulator import ids

serials = st.integers(62**6, 62**8)


@given(serial=serials)
def test_an_id_in_any_case_gets_the_case_of_its_suffix(serial: int) -> None:
    record_id = ids.make("a0B", serial)
    assert {in_its_case(form) for form in (record_id, record_id.lower(), record_id.upper())} == {record_id}
    assert in_its_case(record_id[:15]) == record_id[:15]


def test_what_has_no_letter_where_the_suffix_tells_one_is_no_id() -> None:
    assert [
        in_its_case(text) for text in ("001000000000001AA", "001000000000001AA9", "001000000000001BAA", "Acme")
    ] == [None] * 4


def test_a_word_or_a_name_of_the_length_of_an_id_is_not_likely_to_be_one() -> None:
    words = ("Featherstonehag", "Internationale9", "Acme", "x")
    assert not any(map(is_likely_id, words)) and in_its_case(words[0])


@given(serial=serials)
def test_an_id_of_either_length_is_likely_to_be_one(serial: int) -> None:
    record_id = ids.make("001", serial)
    assert is_likely_id(record_id) and is_likely_id(record_id[:15])


@given(data=st.lists(st.tuples(serials, st.sampled_from(["18", "15", "lower", "blank"]))))
def test_a_column_is_right_when_each_of_its_ids_is(data: list[tuple[int, str]]) -> None:
    def form(serial: int, form: str) -> str:
        record_id = ids.make("a0B", serial)
        return {"18": record_id, "15": record_id[:15], "lower": record_id.lower(), "blank": ""}[form]

    cells = [form(*each) for each in data]
    assert are_record_ids(cells, "") == all(cell == "" or in_its_case(cell) == cell for cell in cells)
    assert are_record_ids(cells, "a0C") == (not any(cells))
