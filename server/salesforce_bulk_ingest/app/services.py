"""The services that both surfaces share, opened once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import httpx2
from pydantic import SecretStr

from salesforce_bulk_ingest.app.chosen_files import (
    DAY_SECONDS,
    KeptFiles,
    recipe_folder_of,
    save_roots_of,
    upload_roots_of,
)
from salesforce_bulk_ingest.app.chosen_login import configured_org, credential_source, opened_http
from salesforce_bulk_ingest.app.chosen_rules import confirmations_of, policy_of
from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.loopback import is_loopback
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.audit_log import AuditLog
from salesforce_bulk_ingest.cache.settling import settle
from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.operations.audit import Audit
from salesforce_bulk_ingest.operations.before_images import BeforeImages
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.close_guard import CloseGuard
from salesforce_bulk_ingest.operations.create_once import CreateOnce
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.earlier_loads import EarlierLoads
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.load import LoadOperations
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.org_comparisons import OrgComparisons
from salesforce_bulk_ingest.operations.planning import Planner
from salesforce_bulk_ingest.operations.results import ResultOperations
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.operations.send_once import SendOnce
from salesforce_bulk_ingest.operations.suggestions import Suggestions
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.results.save_roots import NO_SAVE_ROOTS, SaveRoots
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.org import UNCONFIGURED, ConfiguredOrg
from salesforce_bulk_ingest.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What both surfaces share.

    Attributes:
        client: the client of the org.
        operations: the nine operations, for the MCP server.
        gateway: the nine operations as bytes, for `/v1`.
        roots: the folders that files may be uploaded from.
        org: the org as far as it is known without a call.
        save_roots: the folders that rows may be saved in.
        shared_key: the key that servers share which shall take over each other's questions; None for one server.
        recipes: the folder of recipes; None on a server without.
    """

    client: SalesforceClient
    operations: Operations
    gateway: Gateway
    roots: UploadRoots
    org: ConfiguredOrg = UNCONFIGURED
    save_roots: SaveRoots = NO_SAVE_ROOTS
    shared_key: SecretStr | None = None
    recipes: RecipeFolder | None = None


@asynccontextmanager
async def open_services(
    settings: Settings,
    paths: LocalPaths,
    org: EmbeddedOrg | None = None,
    *,
    transport: httpx2.AsyncBaseTransport | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> AsyncIterator[Services]:
    """Open the HTTP client and everything that works through it.

    Args:
        settings: the settings, as loaded.
        paths: the folders for the ledger and the cache; an embedded org has its own in its folder.
        org: the embedded org, in place of the org that the settings name.
        transport: sends the requests to the org, in place of the HTTP client's own transport.
        clock: the clock of this machine.

    Raises:
        CantStart: the environment's proxy or certificates can't be used.
        ValueError: the embedded org is not on this machine.
    """
    if org is not None and not is_loopback(org.url):
        raise ValueError("an embedded org is on this machine")
    org_url = org.url if org else None
    kept = KeptFiles.chosen(settings, paths.in_org(org.folder) if org else paths, clock)
    async with (
        opened_http(org_url or settings.upstream_url or settings.login_url, transport) as http,
        anyio.create_task_group() as task_group,
    ):
        tasks = SharedTasks(task_group)
        client = SalesforceClient(
            http,
            org.credentials if org else credential_source(settings, paths, http, tasks, clock),
            settings.api_version,
            embedded=org is not None,
            settle=partial(settle, ledger=kept.ledger, job_files=kept.job_files),
        )
        if kept.job_files is not None:
            task_group.start_soon(run_in_thread, kept.job_files.scan)
        operations, gateway = _Building(settings, kept, client, tasks, clock).both()
        try:
            yield Services(
                client,
                operations,
                gateway,
                upload_roots_of(settings, paths),
                configured_org(settings, paths, org_url),
                save_roots_of(settings, paths),
                settings.confirm_key,
                recipe_folder_of(settings),
            )
        finally:
            task_group.cancel_scope.cancel()


@dataclass(frozen=True, slots=True)
class _Building:
    """Builds the operations on one client, for both kinds of callers."""

    settings: Settings
    kept: KeptFiles
    client: SalesforceClient
    tasks: SharedTasks
    clock: Clock

    def both(self) -> tuple[Operations, Gateway]:
        """Return the operations for callers that want answers, and for those that want bytes, under the same rules."""
        audit = Audit(AuditLog(self.kept.audit_file), lambda: self.client.known_org, self.clock.now)
        uploads = Uploads(self.client, self.kept.ledger, audit, self.tasks, self.kept.job_files)
        rules = self._rules(audit, uploads)
        return self._operations(rules, uploads), Gateway(self.client, rules, uploads)

    def _rules(self, audit: Audit, uploads: Uploads) -> ChangeRules:
        policy = policy_of(self.settings)
        confirmations = confirmations_of(self.settings, self.kept.state_dir, self.clock)
        return ChangeRules(policy, CloseGuard(policy, uploads, confirmations), audit)

    def _operations(self, rules: ChangeRules, uploads: Uploads) -> Operations:
        hidden, kept = HiddenFields(self.settings.hide_fields), self.kept
        fetcher = (
            ResultFetcher(self.client, kept.job_files, kept.ledger, self.tasks, hidden) if kept.job_files else None
        )
        describes = DescribeCache(self.client, self.tasks, self.clock.monotonic)
        before = BeforeImages(self.client, describes, fetcher, self.tasks, self.settings.undo_rows)
        once = self._once(rules, uploads, fetcher, before)
        jobs = JobOperations(self.client, rules, uploads, fetcher, before, once.retries)
        return Operations(
            rules.policy,
            jobs,
            LoadOperations(
                self.client,
                rules,
                self._planner(describes, hidden),
                once,
                OrgComparisons(self.client, describes, self.tasks, hidden, most_rows=self.settings.compare_rows),
            ),
            ResultOperations(self.client, rules.audit, fetcher, once.retries, hidden=hidden),
            Suggestions(jobs, rules.policy, describes, fetcher, self.tasks, clock=self.clock.monotonic),
        )

    def _planner(self, describes: DescribeCache, hidden: HiddenFields) -> Planner:
        most_bytes, keeps = self.settings.max_upload_bytes, self.kept.keeps_uploads
        # Rows are known again for as long as uploads are kept.
        sampled = self.settings.compare_rows
        return Planner(describes, self.tasks, most_bytes, sketched=keeps, hidden=hidden, sampled=sampled)

    def _once(
        self, rules: ChangeRules, uploads: Uploads, fetcher: ResultFetcher | None, before: BeforeImages
    ) -> SendOnce:
        client, ledger, tasks = self.client, self.kept.ledger, self.tasks
        kept_seconds = self.settings.spool_days * DAY_SECONDS
        return SendOnce(
            uploads,
            CreateOnce(client, uploads, rules.audit, tasks, self.clock.monotonic),
            Retries(client, fetcher, ledger, before),
            EarlierLoads(client, fetcher, ledger, tasks, kept_seconds=kept_seconds, now=self.clock.now),
        )
