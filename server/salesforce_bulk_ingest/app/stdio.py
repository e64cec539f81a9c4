"""One client over stdin and stdout."""

from collections.abc import Callable
from functools import partial

import httpx2

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg, embedded_org_of
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.mcp_server.misconfigured_server import MisconfiguredServer
from salesforce_bulk_ingest.settings import Settings


async def serve_stdio(settings: Settings, paths: LocalPaths, tell_org: Callable[[EmbeddedOrg], object]) -> None:
    """Serve one client over stdin and stdout, until it closes them.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
        tell_org: called with the embedded org, where there is one.
    """
    async with embedded_org_of(settings, settings.data_dir or paths.org_dir) as org:
        if org is not None:
            tell_org(org)
        async with open_services(settings, paths, org) as services:
            await build_mcp(services, None).run_stdio_async()


async def serve_mistake(mistake: str, paths: LocalPaths) -> None:
    """Serve one client over stdin and stdout, and answer each of its calls with what is wrong with the settings."""
    sends_nothing = httpx2.AsyncBaseTransport()
    async with open_services(Settings(no_spool=True), paths, transport=sends_nothing) as services:
        await build_mcp(services, None, partial(MisconfiguredServer, mistake=mistake)).run_stdio_async()
