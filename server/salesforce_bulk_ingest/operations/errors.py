"""Errors of a load that carry the plan of its rows, or the id of the job that was made for them."""

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.salesforce.errors import SalesforceError


class RowsRefused(InvalidArgument):
    """The rows would make the job fail, or are more than one job takes.

    Args:
        message: the reason, a sentence.
        plan: the plan of the rows.
    """

    def __init__(self, message: str, plan: Plan) -> None:
        super().__init__(message)
        self.plan = plan


class FilledJobFailed(IngestError):
    """A job was made, but its rows did not arrive, or it is not known whether they did.

    Args:
        job_id: the id of the job, which is open.
        error: the error that ended the upload.
        is_empty: whether it is certain that the job has no rows.
    """

    def __init__(self, job_id: str, error: SalesforceError | IngestError, *, is_empty: bool) -> None:
        super().__init__(str(error))
        self.job_id = job_id
        self.error = error
        self.is_empty = is_empty
