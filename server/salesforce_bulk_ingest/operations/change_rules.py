"""The rules that every change of a job is held to, through tools and through `/v1` alike."""

from dataclasses import dataclass

from salesforce_bulk_ingest.operations.audit import Audit
from salesforce_bulk_ingest.operations.close_guard import CloseGuard
from salesforce_bulk_ingest.operations.policy import Policy


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """The operator's rules for changes.

    Attributes:
        policy: what callers may do.
        close_guard: which jobs may be closed, and which closes a person has to confirm.
        audit: notes each change, tried or refused.
    """

    policy: Policy
    close_guard: CloseGuard
    audit: Audit
