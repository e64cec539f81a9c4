"""The answer about a job that was to be deleted."""

from typing import Self

from salesforce_bulk_ingest.mcp_server.answers.answer import Answer
from salesforce_bulk_ingest.mcp_server.answers.next_call import list_call
from salesforce_bulk_ingest.operations.jobs import Deletion


class DeletedJobAnswer(Answer):
    """Whether a job was removed."""

    job_id: str
    deleted: bool
    org: str

    @classmethod
    def of(cls, job_id: str, deletion: Deletion) -> Self:
        """Return the answer about the deletion of a job."""
        org = deletion.org
        summary = (
            f"Deleted job {job_id} with its stored rows and results from {org}; records are as they were."
            if deletion.deleted
            else f"There is no job {job_id} in {org} (any more); nothing was deleted."
        )
        return cls(
            job_id=job_id,
            deleted=deletion.deleted,
            org=str(org),
            summary=summary,
            next=f"{list_call()} shows the jobs that are left.",
        )
