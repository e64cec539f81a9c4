"""What is out of bounds is tested through the tools: tests/scenarios/test_the_same_load_each_week.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.errors import OutOfBounds
from salesforce_bulk_ingest.comparison.load_bounds import LoadBounds, Most
from salesforce_bulk_ingest.loading.mapped_source import open_upload_source
from salesforce_bulk_ingest.loading.plan import make_plan
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import UNCHANGED, Bytes

counts = st.integers(0, 10**6)


@given(counts, counts, counts)
def test_a_number_is_exceeded_by_more_of_any_number(most: int, count: int, of: int) -> None:
    assert Most.parse(str(most)).is_exceeded(count, of) == (count > most)


@given(st.integers(0, 100), counts, counts)
def test_a_share_is_exceeded_by_more_of_a_hundred(percent: int, count: int, of: int) -> None:
    assert Most.parse(f"{percent}%").is_exceeded(count, of) == (count * 100 > percent * of)


@pytest.mark.parametrize("text", ["", "5 rows", "0.5", "-1", "101%", "many", "5%%", "1,000"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a whole number, or a share as 5%"):
        Most.parse(text)


def test_a_share_may_have_a_fraction_and_is_shown_as_it_is_written() -> None:
    assert [str(Most.parse(text)) for text in ("0.5%", "20 %", "1200")] == ["0.5%", "20%", "1,200"]


@pytest.mark.parametrize(
    ("sobject", "operation", "key"),
    [
        ("Contact", "upsert", "Erp__c"),
        ("Account", "update", None),
        ("Account", "upsert", "Id"),
        ("Account", None, "Erp__c"),
        (None, "upsert", "Erp__c"),
    ],
)
def test_a_job_of_another_kind_is_out_of_bounds(sobject: str | None, operation: str | None, key: str | None) -> None:
    bounds = LoadBounds("weekly", "Account", "upsert", "Erp__c")
    bounds.check_job("account", "upsert", "ERP__C")
    with pytest.raises(OutOfBounds, match="the recipe weekly: it is for a job of another kind"):
        bounds.check_job(sobject, operation, key)


def test_the_key_of_a_job_that_is_no_upsert_does_not_count() -> None:
    LoadBounds("weekly", "Account", "update").check_job("Account", "update", "Erp__c")


@pytest.mark.parametrize(
    ("header", "why"), [("Name", "no column names their records"), ("Id", "the fields of the object could not be read")]
)
def test_rows_that_were_compared_with_no_record_are_refused_with_the_reason(header: str, why: str) -> None:
    source, destination = Bytes(f"{header}\n001\n".encode()), Destination("update")
    with open_upload_source(source, UNCHANGED, destination) as upload:
        plan = make_plan(upload, destination, sampled=10)
    with pytest.raises(OutOfBounds, match=f"is not known: {why}"):
        LoadBounds("weekly", "Account", "update", changed=Most(0)).check(plan, None, writes=True)
