"""The command `stdio`: one MCP client over stdin and stdout."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial

import anyio

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.cli.complaints import complaint_about
from salesforce_bulk_ingest.cli.console import PROGRAM, complain, on_one_line
from salesforce_bulk_ingest.cli.interrupts import until_interrupted
from salesforce_bulk_ingest.cli.loading import loading
from salesforce_bulk_ingest.cli.options import SERVER_SETTINGS, settings_from, settings_options, warn_at_start
from salesforce_bulk_ingest.cli.org_folder import check_org_folder
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.serving.signals import stdin_that_can_end
from salesforce_bulk_ingest.settings import Settings


@settings_options(*SERVER_SETTINGS)
def stdio(**flags: object) -> None:
    """Serve one MCP client over stdin and stdout; this is what desktop hosts start."""
    settings = settings_from(flags)
    warn_at_start(settings)
    if settings.emulator:
        check_org_folder(settings.data_dir or default_local_paths().org_dir)
    if sys.stdin.isatty():
        _tell_a_person()
    anyio.run(_until_the_end, partial(_serve, settings))


def _tell_a_person() -> None:
    complain(
        f"this is for a host such as Claude Desktop, which starts it and speaks MCP over stdin and stdout; `{PROGRAM} "
        f"config` shows the entry for yours, and `{PROGRAM} serve` is for people and HTTP. Ctrl-D ends it."
    )


def _tell_org(org: EmbeddedOrg) -> None:
    complain(f"the embedded org is in {org.folder}, its window at {org.url}/")


def tell_client(mistake: str) -> None:
    """Serve a client whose every call is answered with what is wrong with the settings."""
    anyio.run(_until_the_end, partial(_serve_mistake, mistake))


async def _serve(settings: Settings) -> None:
    with loading():  # only here, as in `serve`
        from salesforce_bulk_ingest.app.stdio import serve_stdio

    try:
        await serve_stdio(settings, default_local_paths(), _tell_org)
    except Exception as error:
        mistake = complaint_about(error)
        if mistake is None:
            raise
        complain(mistake)
    else:
        return
    await _serve_mistake(mistake)


async def _serve_mistake(mistake: str) -> None:
    with loading():  # only here, as in `serve`
        from salesforce_bulk_ingest.app.stdio import serve_mistake

    await serve_mistake(on_one_line(mistake), default_local_paths())


async def _until_the_end(serve: Callable[[], Awaitable[None]]) -> None:
    """Serve until stdin ends, or until a signal comes and ends it."""
    with until_interrupted() as wait_for_signal, stdin_that_can_end() as end_stdin:
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                await wait_for_signal()
                end_stdin()

            tasks.start_soon(stop)
            await serve()
            tasks.cancel_scope.cancel()
