"""Undoing a job: the jobs of these tools that delete what it created, insert again what it deleted, or give back what it
changed."""

from collections.abc import Set
from dataclasses import dataclass

from salesforce_bulk_ingest.base.errors import InvalidJobId
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import DELETES

INSERTS = frozenset({"insert"})
UPDATES = frozenset({"update"})


@dataclass(frozen=True, slots=True)
class UndoJob:
    """A job that was given the records of another job: those that it created, to delete them; those that it deleted, to
    insert them again; or those that it changed, to give them back what they held.

    Attributes:
        job: the job, as it is now.
        rows: the number of these records.
    """

    job: Job
    rows: int

    @property
    def undone(self) -> int:
        """The most of these records that the job can have undone: it may have been given those of other jobs, too."""
        return min(self.rows, self.job.number_records_loaded)

    @property
    def succeeded(self) -> bool:
        """Whether the job has undone each of them."""
        return self.job.state == "JobComplete" and not self.job.number_records_failed


async def undos_of(
    client: SalesforceClient, ledger: Ledger, org: Org, job_id: str, by: Set[str] = DELETES
) -> tuple[UndoJob, ...]:
    """Return the jobs that undid a job, or may still; those that are gone are not known to.

    Args:
        client: the client of the org.
        ledger: the record of undos.
        org: the org.
        job_id: the id of the job that was undone.
        by: the operations that undo it: deletes undo what it created, `INSERTS` what it deleted, `UPDATES` what it changed.
    """
    undos = list[UndoJob]()
    for by_job, rows in (await ledger.undos_of(org.key, job_id)).items():
        try:
            job = await client.get_job(by_job)
        except (NotFound, InvalidJobId):
            continue
        if job.operation in by and not (job.is_terminal and job.number_records_loaded <= 0):
            undos.append(UndoJob(job, rows))
    return tuple(undos)


async def is_undone(client: SalesforceClient, ledger: Ledger, org: Org, job: Job) -> bool:
    """Return whether deletes have undone all that a job created, and no insert has given it back since."""
    undone = 0
    for undo in await undos_of(client, ledger, org, job.id):
        if undo.succeeded and not await undos_of(client, ledger, org, undo.job.id, INSERTS):
            undone += undo.rows
    return undone >= job.number_records_loaded


async def given_back_by(client: SalesforceClient, ledger: Ledger, org: Org, job_id: str) -> UndoJob | None:
    """Return the last job that gave records back what they held before a job, unless it was undone in turn; else None."""
    ended = [undo for undo in await undos_of(client, ledger, org, job_id, UPDATES) if undo.job.is_terminal]
    standing = [undo for undo in ended if await given_back_by(client, ledger, org, undo.job.id) is None]
    return standing[-1] if standing else None
