"""The product on two ports that are guarded, and every route of both."""

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Mount, Route

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import ServerKind, build_mcp
from salesforce_bulk_ingest.app.ports import Addresses, running
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.mcp_server.server import IngestServer
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.serving.named_tokens import Access, TokenFile
from salesforce_bulk_ingest.settings import Settings
from tests.support.canary import look_for
from tests.support.orgs import UNKNOWN_JOB, paths_in

DAY = date(2026, 11, 29)
MCP_HEADERS = {"Accept": "application/json, text/event-stream"}
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
VALUES = {"{jobid}": UNKNOWN_JOB, "{version}": "63.0"}
ANY_METHOD = frozenset({"GET", "POST", "DELETE"})


@dataclass(frozen=True)
class Served:
    """A method of a path, of the MCP port or of the other one."""

    of_mcp: bool
    method: str
    path: str

    def url(self, addresses: Addresses) -> str:
        """Where it is served."""
        base = addresses.mcp_url.removesuffix("/mcp") if self.of_mcp else addresses.rest_url.removesuffix("/v1")
        return f"{base}{self.path}"


def token_in(folder: Path, name: str, access: Access = "write") -> str:
    """A new named token of the server that has its settings in this folder; no test may write it anywhere."""
    token = TokenFile(paths_in(folder).token_file).add(name, access, DAY)
    look_for(token)
    return token


def bearer(token: str) -> dict[str, str]:
    """The header in which a caller shows a token."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def serving(
    folder: Path, *, clock: Clock = SYSTEM_CLOCK, kind: ServerKind = IngestServer, **settings: Any
) -> AsyncIterator[Addresses]:
    """Both ports, before an embedded org, with the settings and the tokens of this folder."""
    chosen = Settings.model_validate({"emulator": True, "mcp_port": 0, "rest_port": 0, **settings})
    async with running(chosen, paths_in(folder), clock=clock, kind=kind) as addresses:
        yield addresses


async def every_route(org_url: str) -> list[Served]:
    """All methods of all paths that both applications list, mounts included."""
    with tempfile.TemporaryDirectory() as folder:
        paths = paths_in(Path(folder))
        async with open_services(Settings(emulator=True), paths, EmbeddedOrg(org_url, Path(folder))) as services:
            mcp, rest = build_mcp(services, None).streamable_http_app(), build_rest(services.gateway)
            return [*_listed(mcp.routes, of_mcp=True), *_listed(rest.routes, of_mcp=False)]


def _listed(routes: Iterable[BaseRoute], *, of_mcp: bool, before: str = "") -> Iterator[Served]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _listed(route.routes, of_mcp=of_mcp, before=f"{before}{route.path}")
        else:
            assert isinstance(route, Route), f"a kind of route that no test knows: {route}"
            path = f"{before}{route.path}"
            for name, value in VALUES.items():
                path = path.replace(name, value)
            assert "{" not in path, f"a part of a path that has no value here: {path}"
            for method in sorted(route.methods or ANY_METHOD):
                yield Served(of_mcp, method, path)
