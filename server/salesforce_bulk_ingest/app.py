"""The composition root: opens the services once, builds both surfaces on them, runs the ports.

settings -> embedded org (if asked for) -> services -> MCP server and REST app -> ports
"""

import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx2
from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp.server.request_state import RequestStateSecurity
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS, in_url, is_loopback
from salesforce_bulk_ingest.base.private_files import KEY_BYTES, key_in
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.text import as_sentence
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.approvals import Approvals
from salesforce_bulk_ingest.cache.audit_log import AuditLog
from salesforce_bulk_ingest.cache.job_files import JobFiles
from salesforce_bulk_ingest.cache.ledger import Ledger
from salesforce_bulk_ingest.cache.settling import settle
from salesforce_bulk_ingest.chosen_callers import (
    allowed_callers,
    door_of,
    is_for_this_machine,
    public_names,
)
from salesforce_bulk_ingest.chosen_login import configured_org, credential_source
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.local_paths import LEDGER_FILE, LocalPaths
from salesforce_bulk_ingest.mcp_server.completions import add_completions
from salesforce_bulk_ingest.mcp_server.misconfigured_server import MisconfiguredServer
from salesforce_bulk_ingest.mcp_server.resources import add_resources, listed_resources
from salesforce_bulk_ingest.mcp_server.server import DESCRIPTION, TITLE, IngestServer
from salesforce_bulk_ingest.mcp_server.subscriptions import JobSubscriptions
from salesforce_bulk_ingest.mcp_server.tools import IngestTools
from salesforce_bulk_ingest.operations.audit import Audit
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.close_guard import CloseGuard
from salesforce_bulk_ingest.operations.confirmation import Confirmations, ConfirmRule
from salesforce_bulk_ingest.operations.create_once import CreateOnce
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.earlier_loads import EarlierLoads
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.load import LoadOperations, SendOnce
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.planning import Planner
from salesforce_bulk_ingest.operations.policy import GUARDED_OPERATIONS, Policy
from salesforce_bulk_ingest.operations.results import ResultOperations
from salesforce_bulk_ingest.operations.retry import Retries
from salesforce_bulk_ingest.operations.suggestions import Suggestions
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.rest.documents import DOCUMENT_PATHS, build_documents
from salesforce_bulk_ingest.rest.endpoints import JOBS, rest_index
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import (
    Credentials,
    CredentialSource,
    FixedCredentials,
)
from salesforce_bulk_ingest.salesforce.errors import Rejected, SalesforceError
from salesforce_bulk_ingest.salesforce.org import UNCONFIGURED, ConfiguredOrg
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.serving.caller_guard import in_envelope, in_oauth_form, writes_by_method
from salesforce_bulk_ingest.serving.door import MCP_PATH, Door
from salesforce_bulk_ingest.serving.front import Front
from salesforce_bulk_ingest.serving.health import Readiness
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.serving.http_protocol import HttpLimits
from salesforce_bulk_ingest.serving.mcp_messages import WritesByTool
from salesforce_bulk_ingest.serving.mcp_paths import McpPaths, mcp_index
from salesforce_bulk_ingest.serving.port_index import Product
from salesforce_bulk_ingest.serving.ports import CantStart, Listener, bound_socket, listening
from salesforce_bulk_ingest.serving.request_log import RequestLog
from salesforce_bulk_ingest.settings import STDERR, Settings
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app

if TYPE_CHECKING:
    from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys

SERVER_NAME = "salesforce-bulk-ingest-jobs"
MAX_MCP_BODY_BYTES = 32 * 1024 * 1024
"""The most bytes of an MCP message: more than the 4 MB of rows that a tool call may carry, however they are escaped."""

TOOL_LIST_TTL_MS = 300_000
DAY_SECONDS = 24 * 3600


Configured = Callable[..., EmulatorConfig]

ServerKind = Callable[..., IngestServer]
"""A class of MCP servers, which takes what `IngestServer` takes."""


@dataclass(frozen=True, slots=True)
class Services:
    """What both surfaces share.

    Attributes:
        client: the client of the org.
        operations: the nine operations, for the MCP server.
        gateway: the nine operations as bytes, for `/v1`.
        roots: the folders that files may be uploaded from.
        org: the org as far as it is known without a call.
        shared_key: the key that servers share which shall take over each other's questions; None for one server.
    """

    client: SalesforceClient
    operations: Operations
    gateway: Gateway
    roots: UploadRoots
    org: ConfiguredOrg = UNCONFIGURED
    shared_key: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedOrg:
    """The emulator, running on this machine, with its base URL and the folder that its org lives in."""

    url: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of a running server, and of its embedded org if there is one."""

    mcp_url: str
    rest_url: str
    org_url: str | None


@asynccontextmanager
async def embedded_org(
    data_dir: Path | None, configured: Configured = EmulatorConfig, *, port: int = 0, port_flag: str = "--port"
) -> AsyncIterator[EmbeddedOrg]:
    """Run the emulator on this machine.

    Args:
        data_dir: the folder that its org lives in; without one, a temporary folder that is removed afterwards.
        configured: makes the org's configuration, with its folder as `data_dir`.
        port: the port to listen on; 0 for any free one.
        port_flag: option with which the user chooses the port.

    Raises:
        CantStart: the port is taken, the folder holds no org that can be opened, or its configuration is wrong.
    """
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="salesforce-bulk-org-")))
        name = "the embedded org" if data_dir is None else f"the embedded org in {folder}"
        bound = stack.enter_context(bound_socket("127.0.0.1", port, port_flag))
        guarded = HostGuard(create_app(configured(data_dir=folder)), AllowedCallers.local_and())
        async with listening([Listener(guarded, bound, name=name, lifespan=True)]):
            yield EmbeddedOrg(_url("127.0.0.1", bound), folder)


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
    upstream = org.url if org else settings.upstream_url
    kept = paths.in_org(org.folder) if org else paths
    spool, state_dir = None if settings.no_spool else kept.spool_dir, kept.state_dir
    ledger = Ledger(state_dir / LEDGER_FILE, spool, clock.now)
    policy, job_files = policy_of(settings), job_files_of(settings, spool, clock)
    hidden = HiddenFields(settings.hide_fields)
    async with (
        opened_http(upstream or settings.login_url, transport) as http,
        anyio.create_task_group() as task_group,
    ):
        tasks = SharedTasks(task_group)
        source = _embedded_credentials(org) if org else credential_source(settings, paths, http, tasks, clock)
        client = SalesforceClient(
            http,
            source,
            settings.api_version,
            embedded=org is not None,
            settle=partial(settle, ledger=ledger, job_files=job_files),
        )
        if job_files is not None:
            task_group.start_soon(run_in_thread, job_files.scan)
        audit = Audit(AuditLog(audit_file(settings, state_dir)), lambda: client.known_org, clock.now)
        uploads = Uploads(client, ledger, audit, tasks, job_files)
        # Rows are known again for as long as uploads are kept.
        sketched = job_files is not None and not settings.no_kept_uploads
        describes = DescribeCache(client, tasks, clock.monotonic)
        planner = Planner(
            describes,
            tasks,
            settings.max_upload_bytes,
            sketched=sketched,
            hidden=hidden,
        )
        fetcher = ResultFetcher(client, job_files, ledger, tasks, hidden) if job_files else None
        kept_seconds = settings.spool_days * DAY_SECONDS
        once = SendOnce(
            uploads,
            CreateOnce(client, uploads, audit, tasks, clock.monotonic),
            Retries(client, fetcher, ledger),
            EarlierLoads(client, fetcher, ledger, tasks, kept_seconds=kept_seconds, now=clock.now),
        )
        rules = ChangeRules(policy, CloseGuard(policy, uploads, confirmations_of(settings, state_dir, clock)), audit)
        jobs = JobOperations(client, rules, uploads, fetcher)
        operations = Operations(
            policy,
            jobs,
            LoadOperations(client, rules, planner, once),
            ResultOperations(client, fetcher, hidden=hidden),
            Suggestions(jobs, policy, describes, fetcher, tasks, clock=clock.monotonic),
        )
        try:
            yield Services(
                client,
                operations,
                Gateway(client, rules, uploads),
                upload_roots_of(settings, paths),
                configured_org(settings, paths, org.url if org else None),
                settings.confirm_key,
            )
        finally:
            task_group.cancel_scope.cancel()


def opened_http(url: str | None, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """Open the connection pool for an org or its login host; the proxies of the environment don't apply to this machine.

    Args:
        url: where the first requests go; None if that is not known yet.
        transport: sends the requests, in place of the pool's own transport.

    Raises:
        CantStart: the environment's proxy or certificates can't be used.
    """
    try:
        return open_http(trust_env=not (url and is_loopback(url)), transport=transport)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise CantStart(f"the proxy or certificate settings of the environment can't be used: {error}") from None


def policy_of(settings: Settings) -> Policy:
    """Return the policy that the settings ask for; in the embedded org, every operation is allowed that is not denied."""
    allowed = GUARDED_OPERATIONS if settings.emulator else settings.allow_operation
    return Policy(
        read_only=settings.read_only,
        allowed_operations=frozenset(allowed),
        denied_operations=frozenset(settings.deny_operations),
        allowed_objects=settings.allow_objects,
        denied_objects=settings.deny_objects,
        denied_fields=settings.deny_fields,
        most_rows=settings.max_job_rows,
        most_bytes=settings.max_job_bytes,
        allows_preflight_off=settings.allow_preflight_off,
    )


def confirmations_of(settings: Settings, state_dir: Path, clock: Clock = SYSTEM_CLOCK) -> Confirmations:
    """Return the confirmations that the settings ask for.

    Args:
        settings: the settings, as loaded.
        state_dir: folder of the key and of the approvals.
        clock: the clock of this machine.
    """
    return Confirmations(
        [ConfirmRule.parse(rule) for rule in confirm_rules(settings)],
        settings.confirm_without_dialog,
        cache(partial(confirm_key, settings, state_dir)),
        Approvals(approvals_file(state_dir), clock.now),
    )


def confirm_rules(settings: Settings) -> tuple[str, ...]:
    """Return the closes that have to be confirmed; in the embedded org none, unless they are set."""
    return () if settings.emulator and "confirm" not in settings.model_fields_set else settings.confirm


def confirm_key(settings: Settings, state_dir: Path) -> bytes:
    """Return the key of the codes in sentences: that of the settings, else one that is made once on this machine."""
    if settings.confirm_key is not None:
        return settings.confirm_key.get_secret_value().encode()
    try:
        return key_in(state_dir / "confirm.key")
    except OSError:
        # A sentence of this process is then no sentence of another, or of the next.
        return secrets.token_bytes(KEY_BYTES)


def audit_file(settings: Settings, state_dir: Path) -> Path | None:
    """Return the file of the audit log, or None for standard error."""
    if settings.audit == STDERR:
        return None
    return state_dir / "audit.jsonl" if settings.audit is None else Path(settings.audit)


def approvals_file(state_dir: Path) -> Path:
    """Return the file of approvals in the folder of a server's state."""
    return state_dir / "approvals.sqlite3"


def job_files_of(settings: Settings, folder: Path | None, clock: Clock = SYSTEM_CLOCK) -> JobFiles | None:
    """Return the cache of results and uploads in a folder, or None where there is no folder for it."""
    if folder is None:
        return None
    return JobFiles(
        folder,
        most_bytes=settings.spool_max_bytes,
        most_seconds=settings.spool_days * DAY_SECONDS,
        keeps_uploads=not settings.no_kept_uploads,
        now=clock.now,
    )


def upload_roots_of(settings: Settings, paths: LocalPaths) -> UploadRoots:
    """Return the folders that files may be uploaded from.

    Without folders in the settings, it is the working directory, unless other machines can call: an operator who names no
    folder has not agreed to uploads of files by other machines.
    """
    why_none, default = "it serves other machines", list[Path]()
    if isinstance(paths.working_dir, str):
        why_none = paths.working_dir
    elif is_for_this_machine(settings):
        default = [paths.working_dir]
    return UploadRoots(settings.upload_roots or default, paths.home, why_none)


def build_mcp(
    services: Services, rest_url: str | None, kind: ServerKind = IngestServer, *, differs_by_caller: bool = False
) -> IngestServer:
    """Return the MCP server with its tools and resources.

    Args:
        services: the services.
        rest_url: the URL of `/v1`; None if it is not served.
        kind: the server's class.
        differs_by_caller: whether there may be callers who may only read, whose list of tools is shorter.
    """
    subscriptions = JobSubscriptions(services.operations.jobs)
    server = kind(
        SERVER_NAME,
        IngestTools(services.operations, services.roots, rest_url),
        services.org,
        partial(listed_resources, services.operations.suggestions),
        version=__version__,
        # The list depends on the operator's settings and the caller alone, so it lasts as long as the process.
        cache_hints={
            "tools/list": CacheHint(ttl_ms=TOOL_LIST_TTL_MS, scope="private" if differs_by_caller else "public")
        },
        log_level="WARNING",
        request_state_security=_question_key(services.shared_key),
        subscriptions=subscriptions.bus,
    )
    if server.asks_org:
        server.middleware.append(subscriptions)
        add_completions(server, services.operations.suggestions)
    add_resources(server, services.operations)
    return server


def _question_key(shared: SecretStr | None) -> RequestStateSecurity | None:
    """Return what guards the questions that the answer of a call asks; None for a key of this process alone."""
    return None if shared is None else RequestStateSecurity(keys=[shared.get_secret_value()])


@asynccontextmanager
async def running(
    settings: Settings, paths: LocalPaths, *, clock: Clock = SYSTEM_CLOCK, kind: ServerKind = IngestServer
) -> AsyncIterator[Addresses]:
    """Run both ports, and the embedded org if asked for, for the time of the block; see `open_services`, `build_mcp`.

    Raises:
        CantStart: a port or the embedded org can't be used, or it is not settled who may call; nothing was served.
    """
    async with issuer_keys(settings, clock) as keys:
        async with _running_behind(door_of(settings, paths, keys), settings, paths, clock, kind) as addresses:
            yield addresses


@asynccontextmanager
async def _running_behind(
    door: Door, settings: Settings, paths: LocalPaths, clock: Clock, kind: ServerKind
) -> AsyncIterator[Addresses]:
    with (
        bound_socket(settings.mcp_host, settings.mcp_port, "--mcp-port") as mcp_socket,
        bound_socket(settings.rest_host, settings.rest_port, "--rest-port") as rest_socket,
    ):
        mcp_url, rest_url = f"{_url_for(settings, mcp_socket)}/mcp", f"{_url_for(settings, rest_socket)}/v1"
        async with (
            _org_of(settings, settings.data_dir) as org,
            open_services(settings, paths, org, clock=clock) as services,
            anyio.create_task_group() as questions,
        ):
            server = build_mcp(services, rest_url, kind, differs_by_caller=door.verifier is not None)
            readiness = Readiness(partial(_why_not_ready, services), SharedTasks(questions), clock.monotonic)
            note_refusal = services.operations.jobs.note_refusal
            front = Front(door, allowed_callers(settings), settings.allowed_origin, readiness, TITLE, note_refusal)
            limits = HttpLimits(connections=settings.max_connections)
            product = Product(SERVER_NAME, TITLE, __version__, DESCRIPTION, settings.public_url)
            mcp_paths = McpPaths(_mcp_app(server), mcp_index(product, f"{_public(settings, rest_socket)}{JOBS}", door))
            mcp_app = front.before(mcp_paths, WritesByTool(server.reading_tools), in_oauth_form)
            rest = build_rest(services.gateway)
            rest_index(product, f"{_public(settings, mcp_socket)}{MCP_PATH}", door).add_to(rest)
            described = build_documents(settings.public_url, signs_in=door.verifier is not None)
            documents = dict.fromkeys(DOCUMENT_PATHS, described)
            rest_app = front.before(rest, writes_by_method, in_envelope, documents)
            if settings.verbose:
                mcp_app, rest_app = RequestLog(mcp_app, "MCP"), RequestLog(rest_app, "REST")
            listeners = [Listener(mcp_app, mcp_socket, limits=limits), Listener(rest_app, rest_socket, limits=limits)]
            async with server.session_manager.run(), listening(listeners):
                yield Addresses(mcp_url, rest_url, org.url if org else None)
            questions.cancel_scope.cancel()


@asynccontextmanager
async def issuer_keys(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator["IssuerKeys | None"]:
    """Open what fetches the keys of the issuer of access tokens, or nothing where the settings name none.

    Raises:
        CantStart: the environment's proxy or certificates can't be used.
    """
    if settings.oauth_issuer is None:
        yield None
        return
    # Loaded only here, as in `door_of`: each start would wait for what reads JWTs, and most servers read none.
    from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys

    async with opened_http(settings.oauth_issuer) as http:
        yield IssuerKeys(settings.oauth_issuer, settings.oauth_jwks_url, http, clock.monotonic)


async def _why_not_ready(services: Services) -> str | None:
    """Ask the org for its limits, which costs it little, and return why it can't be called, or None if it can."""
    try:
        await services.client.limits()
    except SalesforceError as error:
        # A refusal of no special kind: the org answers, and does not tell this user its limits.
        return None if type(error) is Rejected else as_sentence(str(error))
    return None


async def serve_stdio(settings: Settings, paths: LocalPaths, tell_org: Callable[[EmbeddedOrg], object]) -> None:
    """Serve one client over stdin and stdout, until it closes them.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
        tell_org: called with the embedded org, where there is one.
    """
    async with _org_of(settings, settings.data_dir or paths.org_dir) as org:
        if org is not None:
            tell_org(org)
        async with open_services(settings, paths, org) as services:
            await build_mcp(services, None).run_stdio_async()


async def serve_mistake(mistake: str, paths: LocalPaths) -> None:
    """Serve one client over stdin and stdout, and answer each of its calls with what is wrong with the settings."""
    sends_nothing = httpx2.AsyncBaseTransport()
    async with open_services(Settings(no_spool=True), paths, transport=sends_nothing) as services:
        await build_mcp(services, None, partial(MisconfiguredServer, mistake=mistake)).run_stdio_async()


@asynccontextmanager
async def _org_of(settings: Settings, data_dir: Path | None) -> AsyncIterator[EmbeddedOrg | None]:
    if not settings.emulator:
        yield None
        return
    configured = partial(EmulatorConfig, schema_file=settings.schema_file)
    async with embedded_org(data_dir, configured, port=settings.emulator_port, port_flag="--emulator-port") as org:
        yield org


def _embedded_credentials(org: EmbeddedOrg) -> CredentialSource:
    return FixedCredentials(Credentials(org.url, SecretStr(ACCESS_TOKEN)))


def _mcp_app(server: MCPServer[None]) -> Starlette:
    # `HostGuard` checks the calls of every port; the SDK's own guard judges some hosts and origins differently.
    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(max_request_body_size=MAX_MCP_BODY_BYTES, transport_security=unguarded)


def _public(settings: Settings, bound: socket.socket) -> str:
    """Return the origin by which callers know a port: the one that the operator set for all ports, else its own."""
    return settings.public_url or _url_for(settings, bound)


def _url_for(settings: Settings, bound: socket.socket) -> str:
    """Return the URL for callers; where other machines call, it has the host name that they use."""
    host = str(bound.getsockname()[0])
    if host in LOOPBACK_HOSTS:
        return _url(host, bound)
    name = public_names(settings)[0]
    return f"http://{name}" if name.rpartition(":")[2].isdigit() else _url(name.strip("[]"), bound)


def _url(host: str, bound: socket.socket) -> str:
    return f"http://{in_url(host)}:{bound.getsockname()[1]}"
