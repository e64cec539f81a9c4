"""The rules that every close has to pass, through tools and through `/v1` alike."""

from dataclasses import replace

from salesforce_bulk_ingest.base.errors import RefusedByPolicy
from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.cache.ledger import UploadRecord
from salesforce_bulk_ingest.operations.audit import AuditedWrite
from salesforce_bulk_ingest.operations.confirmation import Closing, Confirmations, Consent
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.state_change import is_reached
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org

UNSEEN = "This server did not count the rows of the upload to this job."


class CloseGuard:
    """The rules of closes: Salesforce loads the rows of a job when it is closed, and not before.

    The policy is applied at the create as well, but the job may have been made elsewhere, or under another policy.

    Args:
        policy: the rules that the operator set.
        uploads: the uploads to jobs, as far as this server knows them.
        confirmations: the closes that a person has to confirm.
    """

    def __init__(self, policy: Policy, uploads: Uploads, confirmations: Confirmations) -> None:
        self._policy = policy
        self._uploads = uploads
        self._confirmations = confirmations

    @property
    def has_rules(self) -> bool:
        """Whether there is a close that would be refused, or has to be confirmed."""
        return self._policy.has_rules or self._confirmations.is_asked

    def foreseen(self, closing: Closing) -> tuple[Finding, ...]:
        """Return what a dry run says about a close: that a person has to confirm it, if that is so."""
        if not self._confirmations.names(closing):
            return ()
        what = f"Closing the job has to be confirmed by a person: {closing.change}."
        return (Finding("warning", what, "Ask the user before that; the rows can be uploaded without it."),)

    def check_multipart(self, org: Org | None, operation: str | None, sobject: str | None) -> None:
        """Raise RefusedByPolicy for a request that makes, fills and closes a job at once, if a person must confirm it."""
        if self._confirmations.names(Closing(org, "", operation, sobject)):
            raise RefusedByPolicy(
                "This request would close its job at once, and a person has to confirm such a close: create, upload and "
                "close in three requests."
            )

    async def check(
        self, org: Org | None, job: Job, consent: Consent, audited: AuditedWrite, *, undo: str = ""
    ) -> None:
        """Check whether a job may be closed, and note its rows, and how the close is confirmed.

        Args:
            org: the org of the job; None if it can't be learned.
            job: the job, as it was just read from Salesforce.
            consent: what the caller brings to a close that has to be confirmed.
            audited: the close, for the audit.
            undo: what the job undoes, and whether it can be undone afterwards, as the rest of a sentence for the person who
                confirms it.

        Raises:
            RefusedByPolicy: the job may not be closed.
            UploadConflict: rows are on their way to a job whose rows have to be counted.
            UnexpectedAnswer: Salesforce did not tell what the job is judged by.
            ConfirmationNeeded: a person has to confirm the close.
            NotConfirmed: the person did not agree.
        """
        upload = None if org is None else await self._uploads.record_of(org, job.id)
        is_undo = await self._is_undo(org, job, upload)
        self._policy.check_job(job, is_undo=is_undo)
        if upload is not None:
            audited.write = replace(audited.write, rows=upload.rows, sha256=upload.sha256 or None)
        self._check_recipe(upload)
        await self._check_bounds(org, job, upload)
        if not (job.is_terminal or is_reached(job, "UploadComplete")):
            closing = replace(Closing.of(org, job, upload), undo=undo, is_undo=is_undo)
            confirmed = await self._confirmations.check(closing, consent)
            audited.write = replace(audited.write, confirmation=confirmed)

    async def _is_undo(self, org: Org | None, job: Job, upload: UploadRecord | None) -> bool:
        """Return whether a job that is refused otherwise has ids of what jobs of this server created, and nothing else."""
        if org is None or upload is None or upload.part is None or not self._policy.lets_undo_through(job.operation):
            return False
        return await self._uploads.are_of_own_jobs(org, upload.part.origin)

    def _check_recipe(self, upload: UploadRecord | None) -> None:
        part = None if upload is None else upload.part
        if self._policy.only_recipes and (part is None or part.origin.recipe is None):
            raise RefusedByPolicy(
                "The rows of this job went in without a recipe, as far as this server knows, and rows are loaded by recipes "
                "alone here (--only-recipes)."
            )

    async def _check_bounds(self, org: Org | None, job: Job, upload: UploadRecord | None) -> None:
        bounds = self._policy.bounds_of(job.object, job.operation, job.external_id_field_name)
        if bounds is None:
            return
        if org is not None:
            await self._uploads.check_closable(org, job.id)
        bounds.check(*(upload.rows, upload.bytes, upload.columns) if upload else (None, 0, None), UNSEEN)
