"""A result is held to what its job counts: fewer rows, or a part of a row, are not the whole result."""

import pytest

from salesforce_bulk_ingest.results.completeness import Completeness, counted_rows, ends_within_row
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind


def job(state: str, processed: int | None = None, failed: int | None = None) -> Job:
    return Job(id="750000000000001AAA", state=state, number_records_processed=processed, number_records_failed=failed)


@pytest.mark.parametrize(
    ("counting", "kind", "sent", "counted"),
    [
        (job("JobComplete", 10, 3), "failedResults", None, 3),
        (job("JobComplete", 10, 3), "successfulResults", None, 7),
        (job("JobComplete", 10, 3), "unprocessedrecords", 50, 0),
        (job("Failed", 10, 3), "successfulResults", 50, 7),
        (job("Failed", 10, 3), "unprocessedrecords", 50, 40),
        (job("Aborted", 10, 3), "unprocessedrecords", 50, 40),
        (job("Failed", 10, 3), "unprocessedrecords", None, None),
        (job("Failed"), "unprocessedrecords", 50, None),
        (job("JobComplete"), "failedResults", 50, None),
        (job("JobComplete", 10), "failedResults", 50, 0),
        (job("InProgress", 10, 3), "failedResults", 50, None),
        (job("Failed", 3, 10), "successfulResults", 50, 0),
        (job("Failed", 60, 10), "unprocessedrecords", 50, 0),
    ],
)
def test_the_counters_of_an_ended_job_say_how_many_rows_a_result_has(
    counting: Job, kind: ResultKind, sent: int | None, counted: int | None
) -> None:
    assert counted_rows(counting, kind, sent) == counted


@pytest.mark.parametrize(
    ("found", "is_short"),
    [
        (Completeness(3, 10), True),
        (Completeness(10, 10), False),
        (Completeness(12, 10), False),
        (Completeness(3, None), False),
        (Completeness(10, 10, is_cut=True), True),
        (Completeness(0, 0, has_header=False), False),
        (Completeness(0, 1, has_header=False), True),
        (Completeness(0, None, has_header=False), True),
    ],
)
def test_a_result_is_short_where_there_must_or_may_be_more(found: Completeness, is_short: bool) -> None:
    assert (found.is_short, found.is_whole) == (is_short, not is_short)


HEADER = b'"sf__Id","sf__Error",Name,City\n'


@pytest.mark.parametrize(
    ("last", "kind", "is_part"),
    [
        (b'"","A:x:--","Acme","Oslo"\n', "failedResults", False),
        (b'"","A:x:--","Acme","Oslo"', "failedResults", False),
        (b'"","A:x:--","Acme","Os', "failedResults", True),
        (b'"","A:x:--","Acme",', "failedResults", False),
        (b'"","A:x:--","Acme"', "failedResults", True),
        (b'"","A:x', "failedResults", True),
        (b'"sf__Id","sf__Er', "failedResults", True),
        (b"a,b,c,d\n", "unprocessedrecords", False),
        (b"a,b,c,d", "unprocessedrecords", True),
        (b"a,b,c\n", "unprocessedrecords", True),
    ],
)
def test_a_record_without_its_end_is_told_from_a_whole_one(last: bytes, kind: ResultKind, is_part: bool) -> None:
    assert ends_within_row(last, HEADER, ",", kind) == is_part


def test_the_words_name_both_numbers() -> None:
    assert [
        str(found) for found in (Completeness(3, 10), Completeness(1, 1), Completeness(0, 2, has_header=False))
    ] == [
        "3 rows, where by the counters of the job there are 10",
        "1 row",
        "nothing, not even a header, where by the counters of the job there are 2",
    ]
    assert str(Completeness(3, 3, is_cut=True)) == "3 rows; the last row is cut off"
