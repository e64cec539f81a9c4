"""Both ports of a server, and the embedded org behind them if it is asked for."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from starlette.types import ASGIApp

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app.chosen_callers import allowed_callers, door_of, issuer_keys, public_names
from salesforce_bulk_ingest.app.embedded_org import embedded_org_of
from salesforce_bulk_ingest.app.mcp_surface import SERVER_NAME, ServerKind, build_mcp, streamable_http
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.text import as_sentence
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.mcp_server.server import DESCRIPTION, TITLE, IngestServer
from salesforce_bulk_ingest.operations.gateway import Gateway
from salesforce_bulk_ingest.rest.documents import build_documents
from salesforce_bulk_ingest.rest.endpoints import JOBS, rest_index
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.errors import Rejected, SalesforceError
from salesforce_bulk_ingest.serving.caller_guard import in_envelope, in_oauth_form, writes_by_method
from salesforce_bulk_ingest.serving.door import MCP_PATH, Door
from salesforce_bulk_ingest.serving.front import Front
from salesforce_bulk_ingest.serving.health import Readiness
from salesforce_bulk_ingest.serving.http_protocol import HttpLimits
from salesforce_bulk_ingest.serving.mcp_messages import WritesByTool
from salesforce_bulk_ingest.serving.mcp_paths import McpPaths, mcp_index
from salesforce_bulk_ingest.serving.port_index import PortIndex, Product
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening, url_of
from salesforce_bulk_ingest.serving.request_log import RequestLog
from salesforce_bulk_ingest.settings import Settings


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of a running server, and of its embedded org if there is one."""

    mcp_url: str
    rest_url: str
    org_url: str | None


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
        mcp_url, rest_url = f"{_url_for(settings, mcp_socket)}{MCP_PATH}", f"{_url_for(settings, rest_socket)}/v1"
        async with (
            embedded_org_of(settings, settings.data_dir) as org,
            open_services(settings, paths, org, clock=clock) as services,
            anyio.create_task_group() as questions,
        ):
            server = build_mcp(services, rest_url, kind, differs_by_caller=door.verifier is not None)
            readiness = Readiness(partial(_why_not_ready, services), SharedTasks(questions), clock.monotonic)
            note_refusal = services.operations.jobs.note_refusal
            front = Front(door, allowed_callers(settings), settings.allowed_origin, readiness, TITLE, note_refusal)
            product = Product(SERVER_NAME, TITLE, __version__, DESCRIPTION, settings.public_url)
            to_mcp = mcp_index(product, f"{_public(settings, rest_socket)}{JOBS}", door)
            to_rest = rest_index(product, f"{_public(settings, mcp_socket)}{MCP_PATH}", door)
            documents = build_documents(settings.public_url, signs_in=door.verifier is not None)
            listeners = [
                _listener(settings, _mcp_port(server, front, to_mcp), mcp_socket, "MCP"),
                _listener(settings, _rest_port(services.gateway, front, to_rest, documents), rest_socket, "REST"),
            ]
            async with server.session_manager.run(), listening(listeners):
                yield Addresses(mcp_url, rest_url, org.url if org else None)
            questions.cancel_scope.cancel()


def _mcp_port(server: IngestServer, front: Front, index: PortIndex) -> ASGIApp:
    paths = McpPaths(streamable_http(server), index)
    return front.before(paths, WritesByTool(server.reading_tools), in_oauth_form)


def _rest_port(gateway: Gateway, front: Front, index: PortIndex, documents: Mapping[str, ASGIApp]) -> ASGIApp:
    rest = build_rest(gateway)
    index.add_to(rest)
    return front.before(rest, writes_by_method, in_envelope, documents)


def _listener(settings: Settings, app: ASGIApp, bound: socket.socket, name: str) -> Listener:
    logged = RequestLog(app, name) if settings.verbose else app
    return Listener(logged, bound, limits=HttpLimits(connections=settings.max_connections))


async def _why_not_ready(services: Services) -> str | None:
    """Ask the org for its limits, which costs it little, and return why it can't be called, or None if it can."""
    try:
        await services.client.limits()
    except SalesforceError as error:
        # A refusal of no special kind: the org answers, and does not tell this user its limits.
        return None if type(error) is Rejected else as_sentence(str(error))
    return None


def _public(settings: Settings, bound: socket.socket) -> str:
    """Return the origin by which callers know a port: the one that the operator set for all ports, else its own."""
    return settings.public_url or _url_for(settings, bound)


def _url_for(settings: Settings, bound: socket.socket) -> str:
    """Return the URL for callers; where other machines call, it has the host name that they use."""
    host = str(bound.getsockname()[0])
    if host in LOOPBACK_HOSTS:
        return url_of(host, bound)
    name = public_names(settings)[0]
    return f"http://{name}" if name.rpartition(":")[2].isdigit() else url_of(name.strip("[]"), bound)
