"""Refusals of a load, which tell what was found in its rows, or which job they were for."""

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.salesforce.errors import SalesforceError


class RowsRefused(InvalidArgument):
    """The rows would make the job fail, or are more than it takes.

    Args:
        message: why, in a sentence.
        plan: of the rows.
    """

    def __init__(self, message: str, plan: Plan) -> None:
        super().__init__(message)
        self.plan = plan


class FilledJobFailed(IngestError):
    """A job was made, and its rows did not get there, or may not have.

    Args:
        job_id: of the job, which is open.
        error: what went wrong.
        is_empty: whether it is certain that the job has no rows.
    """

    def __init__(self, job_id: str, error: SalesforceError | IngestError, *, is_empty: bool) -> None:
        super().__init__(str(error))
        self.job_id = job_id
        self.error = error
        self.is_empty = is_empty
