"""The answer about rows that were not sent, since the rows have errors or are more than a job takes."""

from typing import Self

from salesforce_bulk_ingest.mcp_server.answers.findings import found_in, next_for_unsent
from salesforce_bulk_ingest.mcp_server.answers.load import LoadAnswer
from salesforce_bulk_ingest.mcp_server.answers.next_call import GivenCall
from salesforce_bulk_ingest.operations.errors import RowsRefused


class RefusedRowsAnswer(LoadAnswer):
    """Rows that were refused. A model gets the text alone, since the answer is an error."""

    @classmethod
    def of_error(cls, error: RowsRefused, given: GivenCall) -> Self:
        """Return the answer about a refusal, with the results of the checks."""
        next_step = next_for_unsent(error.plan, given)
        return cls(
            summary=f"{error.code}: {error}",
            next=next_step,
            **found_in(error.plan, given, next_step),
        )

    def text(self) -> str:
        return "\n".join([self.summary, *self.found_lines(), f"Next: {self.next}"])
