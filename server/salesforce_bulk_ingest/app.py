"""The composition root: opens the services once, builds both surfaces on them, runs the ports.

settings -> embedded org (if asked for) -> services -> MCP server and REST app -> ports
"""

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import uvicorn
from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import ASGIApp

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from salesforce_bulk_ingest.ingest.gateway import Gateway
from salesforce_bulk_ingest.ingest.jobs import IngestJobs
from salesforce_bulk_ingest.ingest.ledger import Ledger
from salesforce_bulk_ingest.ingest.policy import GUARDED_OPERATIONS, Policy
from salesforce_bulk_ingest.ingest.transfers import Transfers
from salesforce_bulk_ingest.salesforce.auth import (
    CliLogin,
    Credentials,
    CredentialSource,
    FixedCredentials,
    MissingCredentials,
    is_loopback,
)
from salesforce_bulk_ingest.salesforce.client import SalesforceClient, open_http
from salesforce_bulk_ingest.settings import Settings, default_settings_file, embedded_org_dir, state_dir
from salesforce_bulk_ingest.surfaces.hostguard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.surfaces.resources import add_resources
from salesforce_bulk_ingest.surfaces.rest import build_rest
from salesforce_bulk_ingest.surfaces.tools import INSTRUCTIONS, IngestTools

SERVER_NAME = "salesforce-bulk-ingest-jobs"
MAX_MCP_BODY_BYTES = 32 * 1024 * 1024
"""Above the 4 MB of rows that a tool call may carry, however they are escaped."""

TOOL_LIST_TTL_MS = 300_000

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than the pauses of clients that poll: a connection must not be closed just as the next request is sent."""

SHUTDOWN_SECONDS = 2
"""What a request in flight gets when the server is told to stop."""


class PortBusy(Exception):
    """An address can't be listened on; the message is one line."""


@dataclass(frozen=True, slots=True)
class Services:
    """What both surfaces share."""

    client: SalesforceClient
    jobs: IngestJobs
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running server is reached."""

    mcp_url: str
    rest_url: str
    org_url: str | None


class Listener(uvicorn.Server):
    """One port, served from a socket that is already bound. Signals are not its business."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, lifespan: bool = False) -> None:
        config = uvicorn.Config(
            app,
            lifespan="on" if lifespan else "off",
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            # A gateway passes on what the upstream says about itself.
            server_header=False,
            date_header=False,
        )
        super().__init__(config)
        self.ready = anyio.Event()
        self._bound = bound

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def run_until_told(self) -> None:
        """Serve until `should_exit` is set: cancelled, uvicorn would cut its lifespan off and log a traceback."""
        with anyio.CancelScope(shield=True):
            await self.serve(sockets=[self._bound])


@contextmanager
def bound_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket.

    Raises:
        PortBusy: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol spelled out: asyncio switches Nagle's algorithm off (40 ms a request) only where it can read it.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            bound.listen(BACKLOG)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is in use by another program: stop it or choose another port" if taken else str(error.strerror)
            raise PortBusy(f"{host}:{port} {reason}.") from None
        yield bound


@asynccontextmanager
async def listening(listeners: Sequence[Listener]) -> AsyncIterator[None]:
    """Run the ports for the time of the block."""
    async with anyio.create_task_group() as tasks:
        try:
            for listener in listeners:
                tasks.start_soon(listener.run_until_told)
            for listener in listeners:
                await listener.ready.wait()
            yield
        finally:
            for listener in listeners:
                listener.should_exit = True


@asynccontextmanager
async def embedded_org(data_dir: Path | None, *, port: int = 0) -> AsyncIterator[str]:
    """Run the emulator on this machine; without a folder its org is gone afterwards.

    Yields:
        Its base URL.
    """
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="salesforce-bulk-org-")))
        bound = stack.enter_context(bound_socket("127.0.0.1", port))
        guarded = HostGuard(create_app(EmulatorConfig(data_dir=folder)), AllowedCallers.local_and())
        async with listening([Listener(guarded, bound, lifespan=True)]):
            yield _url("127.0.0.1", bound)


@asynccontextmanager
async def open_services(settings: Settings, org_url: str | None = None) -> AsyncIterator[Services]:
    """Open the HTTP client and everything that works through it.

    Args:
        settings: as loaded.
        org_url: the embedded org, which replaces any other.
    """
    upstream = org_url or settings.upstream_url
    if org_url is not None and not is_loopback(org_url):
        raise ValueError("an embedded org is on this machine")
    source = _embedded_credentials(org_url) if org_url else credential_source(settings)
    policy = policy_of(settings)
    with ExitStack() as stack:
        folder = state_dir()
        if org_url is not None:
            folder = settings.data_dir or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="salesforce-bulk-"))
            )
        async with (
            open_http(trust_env=not (upstream and is_loopback(upstream))) as http,
            anyio.create_task_group() as tasks,
        ):
            client = SalesforceClient(http, source, settings.api_version)
            ledger = Ledger(folder / "uploads.sqlite3")
            jobs = IngestJobs(client, policy, ledger, Transfers(tasks), embedded=org_url is not None)
            try:
                yield Services(client, jobs, Gateway(client, policy))
            finally:
                tasks.cancel_scope.cancel()


def policy_of(settings: Settings) -> Policy:
    """What callers may do; nothing in the embedded org needs guarding."""
    allowed = GUARDED_OPERATIONS if settings.emulator else settings.allow_operation
    return Policy(read_only=settings.read_only, allowed_operations=frozenset(allowed))


def credential_source(settings: Settings) -> CredentialSource:
    """How to log in, or the reason why that is not possible."""
    if settings.org is not None:
        return CliLogin(settings.org, settings.cli)
    if settings.access_token is not None and settings.upstream_url is not None:
        return FixedCredentials(Credentials(settings.upstream_url, settings.access_token))
    missing = "No Salesforce org is configured."
    if settings.access_token is not None:
        missing = "There is an access token but no instance."
    if settings.upstream_url is not None:
        missing = "There is an instance but no access token."
    return MissingCredentials(
        f"{missing} Set SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (an access token), or "
        "SALESFORCE_ORG (an alias of the Salesforce CLI's login), in the environment or as instance, access_token and "
        f"org in {default_settings_file()}; or start the server with --emulator to try it on an embedded org."
    )


def build_mcp(jobs: IngestJobs, rest_url: str | None) -> MCPServer[None]:
    """The MCP server with its tools and resources."""
    server = MCPServer[None](
        SERVER_NAME,
        title="Salesforce bulk ingest",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=IngestTools(jobs, rest_url).as_list(),
        # The list depends on the operator's settings alone, so it lasts as long as the process.
        cache_hints={"tools/list": CacheHint(ttl_ms=TOOL_LIST_TTL_MS, scope="public")},
        log_level="WARNING",
    )
    add_resources(server, jobs)
    return server


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Addresses]:
    """Run both ports, and the embedded org if asked for, for the time of the block.

    Raises:
        PortBusy: before anything is started.
    """
    with (
        bound_socket(settings.mcp_host, settings.mcp_port) as mcp_socket,
        bound_socket(settings.rest_host, settings.rest_port) as rest_socket,
    ):
        mcp_url, rest_url = f"{_url_for(settings, mcp_socket)}/mcp", f"{_url_for(settings, rest_socket)}/v1"
        async with _org_of(settings, settings.data_dir) as org_url, open_services(settings, org_url) as services:
            server = build_mcp(services.jobs, rest_url)
            listeners = [
                Listener(_mcp_app(server, settings), mcp_socket),
                Listener(HostGuard(build_rest(services.gateway), _allowed(settings)), rest_socket),
            ]
            async with server.session_manager.run(), listening(listeners):
                yield Addresses(mcp_url, rest_url, org_url)


async def serve_stdio(settings: Settings) -> None:
    """Serve one client over stdin and stdout, until it closes them."""
    async with _org_of(settings, settings.data_dir or embedded_org_dir()) as org_url:
        async with open_services(settings, org_url) as services:
            await build_mcp(services.jobs, None).run_stdio_async()


@asynccontextmanager
async def _org_of(settings: Settings, data_dir: Path | None) -> AsyncIterator[str | None]:
    if not settings.emulator:
        yield None
        return
    async with embedded_org(data_dir) as url:
        yield url


def _embedded_credentials(org_url: str) -> CredentialSource:
    return FixedCredentials(Credentials(org_url, SecretStr(ACCESS_TOKEN)))


def _mcp_app(server: MCPServer[None], settings: Settings) -> Starlette:
    allowed = _allowed(settings)
    return server.streamable_http_app(
        max_request_body_size=MAX_MCP_BODY_BYTES,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[form for host in allowed.hosts for form in (host, f"{host}:*")],
            allowed_origins=[form for origin in allowed.origins for form in (origin, f"{origin}:*")],
        ),
    )


def _allowed(settings: Settings) -> AllowedCallers:
    return AllowedCallers.local_and(settings.allowed_host, settings.allowed_origin)


def _url_for(settings: Settings, bound: socket.socket) -> str:
    """The address to give to others: of a server for other machines, the name it goes by."""
    host = str(bound.getsockname()[0])
    return _url(host if host in {"127.0.0.1", "::1"} else settings.allowed_host[0], bound)


def _url(host: str, bound: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
