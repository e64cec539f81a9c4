"""The rules that every close has to pass, through tools and through `/v1` alike."""

from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org


class CloseGuard:
    """The rules of closes: Salesforce loads the rows of a job when it is closed, and not before.

    The policy is applied at the create as well, but the job may have been made elsewhere, or under another policy.

    Args:
        policy: the rules that the operator set.
        uploads: the uploads to jobs, as far as this server knows them.
    """

    def __init__(self, policy: Policy, uploads: Uploads) -> None:
        self._policy = policy
        self._uploads = uploads

    @property
    def has_rules(self) -> bool:
        """Whether there is a close that would be refused."""
        return bool(self._policy.refused_operations)

    async def check(self, org: Org | None, job: Job) -> None:
        """Raise RefusedByPolicy for a job that may not be closed.

        Args:
            org: the org of the job; None if it can't be learned.
            job: the job, as it was just read from Salesforce.
        """
        self._policy.check_operation(job.operation)
