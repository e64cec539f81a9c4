"""The gateway and what guards it, over a client of an org, with their files in a folder."""

from pathlib import Path

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.cache.approvals import Approvals
from salesforce_bulk_ingest.cache.audit_log import AuditLog
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.operations.audit import Audit
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.close_guard import CloseGuard
from salesforce_bulk_ingest.operations.confirmation import Confirmations
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.client import SalesforceClient


def audit_in(folder: Path, client: SalesforceClient) -> Audit:
    """An audit in the folder."""
    return Audit(AuditLog(folder / "audit.jsonl"), lambda: client.known_org)


def nothing_to_confirm(folder: Path) -> Confirmations:
    """Confirmations that name no close."""
    return Confirmations((), "sentence", lambda: b"", Approvals(folder / "approvals.sqlite3"))


def uploads_of(client: SalesforceClient, folder: Path, tasks: SharedTasks, ledger: Ledger | None = None) -> Uploads:
    """The uploads to jobs, with their ledger in the folder if no other is given."""
    return Uploads(client, ledger or Ledger(folder / "uploads.sqlite3"), audit_in(folder, client), tasks)


def gateway_over(client: SalesforceClient, uploads: Uploads, folder: Path, policy: Policy | None = None) -> Gateway:
    """A gateway with a policy, that of the product if no other is given, and without confirmations."""
    policy = policy or Policy()
    close_guard = CloseGuard(policy, uploads, nothing_to_confirm(folder))
    return Gateway(client, ChangeRules(policy, close_guard, audit_in(folder, client)), uploads)
