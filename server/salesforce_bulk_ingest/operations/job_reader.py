"""Reading the jobs that this server's record names, which may be gone from Salesforce."""

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.models import Job


class JobReader:
    """Reads jobs for one call, each once.

    Args:
        client: the client of the org.
    """

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._jobs: dict[str, Job | None] = {}

    async def find(self, job_id: str) -> Job | None:
        """Return the job, or None if it is gone.

        Raises:
            SalesforceError: Salesforce refused to tell, or can't be reached.
        """
        if job_id not in self._jobs:
            try:
                self._jobs[job_id] = await self._client.get_job(job_id)
            except (NotFound, InvalidJobId):  # an earlier version of this program recorded what came as an id
                self._jobs[job_id] = None
        return self._jobs[job_id]
