"""The answer about an upload of rows to an existing job."""

from typing import Self

from salesforce_bulk_ingest.base.text import as_name
from salesforce_bulk_ingest.mcp_server.answers.job import bounded
from salesforce_bulk_ingest.mcp_server.answers.load import LoadAnswer, load_fields, load_summary
from salesforce_bulk_ingest.mcp_server.answers.next_call import GivenCall
from salesforce_bulk_ingest.operations.load_outcome import UploadOutcome


class UploadAnswer(LoadAnswer):
    """What became of an upload."""

    job_id: str
    state: str
    org: str

    @classmethod
    def of_outcome(cls, outcome: UploadOutcome, given: GivenCall) -> Self:
        """Return the answer about the outcome of an upload, which has a job."""
        job = outcome.job
        assert job is not None
        return cls(
            job_id=job.id,
            state=bounded(job).state,
            org=str(outcome.org),
            summary=load_summary(outcome, given),
            **load_fields(outcome, given),
        )

    def text(self) -> str:
        return f"{super().text()}\nState: {as_name(self.state)}."
