"""The rows sent to a job are those that succeeded, failed or were not processed, and those in no result."""

import pytest

from salesforce_bulk_ingest.results.completeness import Completeness
from salesforce_bulk_ingest.results.row_counts import RowCounts
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind


def results(successful: int, failed: int, unprocessed: int, counted: int = 0) -> dict[ResultKind, Completeness]:
    return {
        "successfulResults": Completeness(successful, counted),
        "failedResults": Completeness(failed, failed),
        "unprocessedrecords": Completeness(unprocessed, 0),
    }


@pytest.mark.parametrize(
    ("sent", "given", "counts"),
    [
        (50, results(10, 6, 4), RowCounts(50, 10, 6, 4, 30)),
        (50, results(40, 6, 4), RowCounts(50, 40, 6, 4, 0)),
        (50, results(40, 6, 4, counted=44), RowCounts(50, 40, 6, 4, 0)),
        (50, results(10, 6, 4, counted=30), RowCounts(50, 30, 6, 4, 10)),
        (50, results(60, 6, 4), RowCounts(50, 60, 6, 4, 0)),
    ],
)
def test_rows_that_the_job_counts_as_successful_do_not_pass_for_rows_in_no_result(
    sent: int, given: dict[ResultKind, Completeness], counts: RowCounts
) -> None:
    assert RowCounts.by_results(sent, given) == counts


@pytest.mark.parametrize("failed", [51, -1])
def test_counters_that_contradict_each_other_account_for_no_row(failed: int) -> None:
    job = Job(id="750000000000001AAA", state="JobComplete", number_records_processed=50).model_copy(
        update={"number_records_failed": failed}
    )
    assert RowCounts.by_counters(job, 50) is None


@pytest.mark.parametrize(
    ("state", "processed", "counts"),
    [
        ("JobComplete", 50, RowCounts(50, 44, 6, 0, 0)),
        ("JobComplete", 49, None),
        ("JobComplete", None, None),
        ("Failed", 50, None),
    ],
)
def test_the_counters_are_enough_where_they_account_for_every_row(
    state: str, processed: int | None, counts: RowCounts | None
) -> None:
    job = Job(id="750000000000001AAA", state=state, number_records_processed=processed, number_records_failed=6)
    assert RowCounts.by_counters(job, 50) == counts
