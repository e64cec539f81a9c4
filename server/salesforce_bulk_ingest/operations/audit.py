"""The audit: which caller tried to change what, what was confirmed, and what became of it; never values of rows.

Before a change is sent to Salesforce, or rows are saved in a file, a line with the outcome `tried` is written, and the
change is refused if it can't be. What became of it follows in a second line with the same id. A change that the policy
refuses has one line, `refused`.
"""

import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import anyio

from salesforce_bulk_ingest.base.caller import current_caller
from salesforce_bulk_ingest.base.errors import IngestError, RefusedByPolicy, StorageFailure
from salesforce_bulk_ingest.cache.audit_log import AuditLog
from salesforce_bulk_ingest.operations.errors import ChangeUnanswered, CreateUnanswered
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.retries import may_have_happened

logger = logging.getLogger(__name__)

Action = Literal["create", "upload", "close", "abort", "delete", "create, upload and close", "write", "save"]
"""What is changed; a `write` is a change that was refused before it was looked at, a `save` writes rows of a result into a
file."""

Outcome = Literal["tried", "done", "refused", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A change that a caller asks for.

    Attributes:
        action: what is changed.
        operation: the operation of the job.
        sobject: the object of the job.
        job_id: the id of the job; None before it is made.
        rows: the number of rows; None where it is not known.
        sha256: SHA-256 of the rows, as sent; None where it is not known.
        confirmation: how a close was confirmed; None for anything else.
        file: the path of the file that rows are saved in; None for anything else.
    """

    action: Action
    operation: str | None = None
    sobject: str | None = None
    job_id: str | None = None
    rows: int | None = None
    sha256: str | None = None
    confirmation: str | None = None
    file: str | None = None

    @classmethod
    def to(cls, job: Job, action: Action) -> "Write":
        """Return a change of a job that is there already."""
        return cls(action=action, operation=job.operation, sobject=job.object, job_id=job.id)


class AuditedWrite:
    """A change while it is made; see `Audit.of`.

    Attributes:
        write: the change, to which is added what becomes known of it.
    """

    def __init__(self, audit: "Audit", write: Write) -> None:
        self.write = write
        self.is_tried = False
        self._audit = audit
        self._id = secrets.token_hex(8)
        self._outcome: Outcome = "done"
        self._status: str | None = None
        self._has_ended = False

    async def tried(self) -> None:
        """Note that the change is about to be sent.

        Raises:
            StorageFailure: that can't be noted, so the change must not be sent.
        """
        await self._audit.add(self._id, self.write, "tried", None)
        self.is_tried = True

    def answered(self, status: int) -> None:
        """Note the HTTP status of Salesforce's answer, where an answer is no error by itself."""
        self._outcome = "done" if status < 300 else "failed" if status < 500 else "unknown"
        self._status = None if status < 300 else str(status)

    async def end(self, error: BaseException | None) -> None:
        """Note what became of the change, once."""
        if self._has_ended or (not self.is_tried and not isinstance(error, RefusedByPolicy)):
            return
        self._has_ended = True
        outcome = self._outcome if error is None else _outcome_after(error, is_tried=self.is_tried)
        status = self._status if error is None else getattr(error, "code", type(error).__name__)
        try:
            with anyio.CancelScope(shield=True):
                await self._audit.add(self._id, self.write, outcome, status)
        except StorageFailure as failure:
            # The change can't be taken back, and its first line says that it was tried.
            logger.error("what became of a write is not in the audit log: %s", failure)


class Audit:
    """The audit of one server.

    Args:
        log: where the lines go.
        known_org: returns the org as far as it is known without a call.
        now: the clock, in seconds since 1970.
    """

    def __init__(
        self, log: AuditLog, known_org: Callable[[], Org | None], now: Callable[[], float] = time.time
    ) -> None:
        self._log = log
        self._known_org = known_org
        self._now = now

    @asynccontextmanager
    async def of(self, write: Write) -> AsyncIterator[AuditedWrite]:
        """Make a change in this block: it is noted that it is `tried`, what it ends with, and that the policy refused it."""
        audited = AuditedWrite(self, write)
        try:
            yield audited
        except BaseException as error:
            await audited.end(error)
            raise
        await audited.end(None)

    async def add(self, write_id: str, write: Write, outcome: Outcome, error: str | None) -> None:
        """Add a line.

        Raises:
            StorageFailure: the line can't be written.
        """
        caller, org = current_caller(), self._known_org()
        await self._log.add(
            {
                "time": datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds"),
                "id": write_id,
                "caller": caller.name,
                "through": "http" if caller.over_http else "local",
                "action": write.action,
                "outcome": outcome,
                "org": None if org is None else org.organization_id or org.host,
                "job": write.job_id,
                "operation": write.operation,
                "object": write.sobject,
                "rows": write.rows,
                "sha256": write.sha256,
                "confirmation": write.confirmation,
                "file": write.file,
                "error": error,
            }
        )


def _outcome_after(error: BaseException, *, is_tried: bool) -> Outcome:
    if not is_tried:
        return "refused"
    if isinstance(error, CreateUnanswered | ChangeUnanswered):
        return "unknown"
    if isinstance(error, SalesforceError):
        return "unknown" if may_have_happened(error) else "failed"
    return "failed" if isinstance(error, IngestError) else "unknown"
