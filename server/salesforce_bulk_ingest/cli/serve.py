"""The command `serve`: both ports, until a signal comes."""

import anyio

from salesforce_bulk_ingest.app.chosen_callers import describe_callers
from salesforce_bulk_ingest.app.chosen_files import describe_files, describe_saved_rows
from salesforce_bulk_ingest.cli.console import PROGRAM, say, show_facts
from salesforce_bulk_ingest.cli.interrupts import until_interrupted
from salesforce_bulk_ingest.cli.loading import loading
from salesforce_bulk_ingest.cli.log import log_requests
from salesforce_bulk_ingest.cli.options import (
    PORT_SETTINGS,
    SERVER_SETTINGS,
    settings_from,
    settings_options,
    warn_at_start,
)
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.settings import Settings

NO_ORG = f"none yet: see `{PROGRAM} check`"


@settings_options(*SERVER_SETTINGS, *PORT_SETTINGS)
def serve(**flags: object) -> None:
    """Serve MCP over HTTP and the REST gateway, until interrupted."""
    settings = settings_from(flags)
    warn_at_start(settings)
    if settings.verbose:
        log_requests()
    anyio.run(_serve, settings)


async def _serve(settings: Settings) -> None:
    # Loaded only here: every other command would wait for the MCP SDK.
    with loading():
        from salesforce_bulk_ingest.app.ports import running

    with until_interrupted() as wait_for_signal:
        async with running(settings, default_local_paths()) as addresses:
            facts = [("MCP", addresses.mcp_url), ("REST", addresses.rest_url), ("org", _org(settings))]
            if addresses.org_url:
                facts += [("org's URL", addresses.org_url), ("window", f"{addresses.org_url}/")]
            if not settings.read_only:
                facts.append(("files", describe_files(settings, default_local_paths())))
            if settings.save_roots:
                facts.append(("saved rows", describe_saved_rows(settings)))
            facts.append(("callers", describe_callers(settings, default_local_paths())))
            if settings.read_only:
                facts.append(("policy", "read-only"))
            show_facts(facts)
            say("Ctrl-C ends it.")
            await wait_for_signal()


def _org(settings: Settings) -> str:
    if settings.emulator:
        return f"embedded org in {settings.data_dir}" if settings.data_dir else "embedded org, gone when this ends"
    host = settings.org or settings.upstream_url or (settings.ways_to_log_in and settings.login_url) or NO_ORG
    return f"{settings.org_name}, {host}" if settings.org_name else host
