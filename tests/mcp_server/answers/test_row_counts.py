"""The sentence about the rows of a job, where some neither succeeded nor failed."""

import pytest

from salesforce_bulk_ingest.mcp_server.answers.row_counts import RowCountsAnswer, rows_in_no_result, rows_sentence
from salesforce_bulk_ingest.results.row_counts import RowAccounting, RowCounts

HEAPS = RowAccounting(50, RowCounts(50, 10, 6, 4, 30))


@pytest.mark.parametrize(
    ("accounting", "sentence"),
    [
        (HEAPS, " Of 50 rows sent, 10 succeeded, 6 failed, 4 not processed, 30 in no result."),
        (
            RowAccounting(1, RowCounts(1, 0, 0, 1, 0)),
            " Of 1 row sent, 0 succeeded, 0 failed, 1 not processed, 0 in no result.",
        ),
        (RowAccounting(50, RowCounts(50, 44, 6, 0, 0)), ""),
        (RowAccounting(50, None), " Where each of 50 rows sent is, is not known yet: a later call tells it."),
        (None, ""),
    ],
)
def test_rows_without_an_outcome_are_told(accounting: RowAccounting | None, sentence: str) -> None:
    assert rows_sentence(accounting) == sentence


def test_the_structure_has_the_same_numbers() -> None:
    answer = RowCountsAnswer.of(HEAPS)
    assert answer is not None
    assert answer.model_dump(by_alias=True, exclude_none=True) == {
        "sent": 50, "successful": 10, "failed": 6, "unprocessed": 4, "inNoResult": 30,
    }  # fmt: skip
    assert rows_in_no_result(HEAPS) == 30
    assert (RowCountsAnswer.of(None), rows_in_no_result(None)) == (None, 0)
