"""Where the rows of a job are, in answers: under the same names, and in the same sentence, in each of them."""

from typing import Self

from pydantic import ConfigDict

from salesforce_bulk_ingest.base.text import counted
from salesforce_bulk_ingest.mcp_server.answers.answer import AnswerPart
from salesforce_bulk_ingest.mcp_server.portable_schema import LISTED_AS
from salesforce_bulk_ingest.results.row_counts import RowAccounting


class RowCountsAnswer(AnswerPart):
    """The number of rows that were sent to a job, and where they are; five tools list it, so the list does not name them."""

    model_config = ConfigDict(
        json_schema_extra={LISTED_AS: {"type": "object", "additionalProperties": {"type": "integer"}}}
    )

    sent: int
    successful: int
    failed: int
    unprocessed: int
    in_no_result: int
    created: int | None = None
    updated: int | None = None

    @classmethod
    def of(cls, accounting: RowAccounting | None, created: int | None = None, *, updates: bool = True) -> Self | None:
        """Return the counts, with the number of new records, if that is known; None where they are not known."""
        if accounting is None or accounting.counts is None:
            return None
        counts = accounting.counts
        return cls(
            sent=counts.sent,
            successful=counts.successful,
            failed=counts.failed,
            unprocessed=counts.unprocessed,
            in_no_result=counts.in_no_result,
            created=created,
            updated=counts.successful - created if updates and created is not None else None,
        )


def rows_sentence(accounting: RowAccounting | None) -> str:
    """Return the sentence about rows that neither succeeded nor failed; empty where there are none, or nothing is known."""
    if accounting is None:
        return ""
    counts = accounting.counts
    if counts is None:
        return f" Where each of {counted(accounting.sent, 'row')} sent is, is not known yet: a later call tells it."
    if not counts.unprocessed and not counts.in_no_result:
        return ""
    return f" O{str(counts).removeprefix('o')}."


def rows_in_no_result(accounting: RowAccounting | None) -> int:
    """Return the number of rows that are known to be in no result."""
    return 0 if accounting is None or accounting.counts is None else accounting.counts.in_no_result
