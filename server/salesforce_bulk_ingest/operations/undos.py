"""Undoing what a job created: the jobs of these tools that delete its records."""

from collections.abc import Iterable
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES


@dataclass(frozen=True, slots=True)
class UndoJob:
    """A delete job that was given ids of records which another job created.

    Attributes:
        job: the delete job, as it is now.
        rows: the number of these ids.
    """

    job: Job
    rows: int

    @property
    def deleted_all(self) -> bool:
        """Whether the job has deleted the record of each id."""
        return self.job.state == "JobComplete" and not self.job.number_records_failed


async def undos_of(client: SalesforceClient, ledger: Ledger, org: Org, job_id: str) -> tuple[UndoJob, ...]:
    """Return the jobs that deleted records which a job created, or may still; those that are gone are not known to."""
    undos = list[UndoJob]()
    for by_job, rows in (await ledger.undos_of(org.key, job_id)).items():
        try:
            job = await client.get_job(by_job)
        except (NotFound, InvalidJobId):
            continue
        if job.operation in DELETES and not (job.is_terminal and job.number_records_loaded <= 0):
            undos.append(UndoJob(job, rows))
    return tuple(undos)


def are_all_undone(job: Job, undos: Iterable[UndoJob]) -> bool:
    """Return whether the undos have deleted all records that the job wrote."""
    return sum(undo.rows for undo in undos if undo.deleted_all) >= job.number_records_loaded
