"""The commands: the only module that hands in the environment, prints and exits."""

import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import typer
from rich.console import Console
from rich.table import Table

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import PortBusy, embedded_org, running, serve_stdio
from salesforce_bulk_ingest.checkup import Checkup, check_up
from salesforce_bulk_ingest.demo import run_demo
from salesforce_bulk_ingest.emulator import ACCESS_TOKEN
from salesforce_bulk_ingest.hosts import host_entries
from salesforce_bulk_ingest.settings import BadSetting, Settings, default_settings_file, load_settings

USAGE_ERROR = 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Load data into Salesforce through Bulk API 2.0 ingest jobs: MCP server, REST gateway, embedded org.",
)
out = Console()

Emulator = Annotated[bool, typer.Option("--emulator", help="Use the embedded org; ignores every SALESFORCE_* value.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded org.", file_okay=False)]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Offer the five reading tools only; /v1 refuses changes.")]
AllowOperation = Annotated[
    list[str] | None, typer.Option(metavar="[delete|hardDelete]", help="Allow this operation; repeatable.")
]
McpPort = Annotated[int | None, typer.Option(help="Port of MCP (9090); 0 for any free one.")]
RestPort = Annotated[int | None, typer.Option(help="Port of /v1 (8080); 0 for any free one.")]
McpHost = Annotated[str | None, typer.Option(help="Address of MCP (127.0.0.1).")]
RestHost = Annotated[str | None, typer.Option(help="Address of /v1 (127.0.0.1).")]
AllowUnauthenticated = Annotated[
    bool, typer.Option("--allow-unauthenticated", help="Serve other machines too, although nobody signs in.")
]
AllowedHost = Annotated[list[str] | None, typer.Option(help="Name under which other machines call; repeatable.")]
AllowedOrigin = Annotated[list[str] | None, typer.Option(help="Origin of pages that may call; repeatable.")]


def main() -> None:
    """Entry point: every error that a user can cause is one line and exit code 2."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    app()


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        out.print(f"salesforce-bulk-ingest {__version__}", highlight=False)
        raise typer.Exit


@app.command()
def serve(
    mcp_port: McpPort = None,
    rest_port: RestPort = None,
    mcp_host: McpHost = None,
    rest_host: RestHost = None,
    emulator: Emulator = False,
    data_dir: DataDir = None,
    read_only: ReadOnly = False,
    allow_operation: AllowOperation = None,
    allow_unauthenticated: AllowUnauthenticated = False,
    allowed_host: AllowedHost = None,
    allowed_origin: AllowedOrigin = None,
) -> None:
    """Serve MCP over HTTP and the REST gateway, until interrupted."""
    _run(_serve, _settings(locals()))


@app.command()
def stdio(
    emulator: Emulator = False,
    data_dir: DataDir = None,
    read_only: ReadOnly = False,
    allow_operation: AllowOperation = None,
) -> None:
    """Serve one MCP client over stdin and stdout; this is what desktop hosts start."""
    settings = _settings(locals())

    async def until_closed_or_told() -> None:
        await _until_signal(serve_stdio(settings))

    _run(until_closed_or_told)
    # A cancelled read of stdin leaves its thread behind, which would keep the process until the next line.
    sys.stdout.flush()
    os._exit(0)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(help="Port; 0 for any free one.")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Run the embedded org alone, for your own loader to load into, until interrupted."""
    _run(_emulator, port, data_dir)


@app.command()
def demo() -> None:
    """Load a sample file into the embedded org and look at what happened."""
    _run(run_demo, out)


@app.command()
def config(emulator: Emulator = False, read_only: ReadOnly = False) -> None:
    """Print the entry for this machine's Claude Desktop, Claude Code, VS Code and Cursor."""
    arguments = ["stdio", *(["--emulator"] if emulator else []), *(["--read-only"] if read_only else [])]
    command = str(Path(sys.argv[0]).absolute())
    for entry in host_entries(command, arguments, Path.home(), os.environ):
        out.rule(f"{entry.host}: {entry.where}", align="left")
        out.print(entry.text, highlight=False, markup=False, soft_wrap=True)
        out.print()


@app.command()
def check(emulator: Emulator = False, read_only: ReadOnly = False, allow_operation: AllowOperation = None) -> None:
    """Show which org, which user, which policy, and what is wrong. Changes nothing."""
    found: Checkup = _run(_check, _settings(locals()))
    table = Table.grid(padding=(0, 2))
    for name, value in found.facts:
        table.add_row(name, value)
    out.print(table)
    for problem in found.problems:
        out.print(f"\n[bold red]wrong:[/] {problem}", highlight=False)
    if found.problems:
        raise typer.Exit(1)
    out.print("\n[green]Nothing is wrong.[/]")


async def _serve(settings: Settings) -> None:
    async with running(settings) as addresses:
        org = "embedded org, gone when this ends" if settings.emulator and not settings.data_dir else None
        table = Table.grid(padding=(0, 2))
        table.add_row("MCP", addresses.mcp_url)
        table.add_row("REST", addresses.rest_url)
        table.add_row(
            "org", org or addresses.org_url or settings.org or settings.upstream_url or "none yet: see `check`"
        )
        if addresses.org_url:
            table.add_row("org's URL", addresses.org_url)
        if settings.read_only:
            table.add_row("policy", "read-only")
        out.print(table)
        out.print("Ctrl-C ends it.")
        await _signal()


async def _emulator(port: int, data_dir: Path | None) -> None:
    async with embedded_org(data_dir, port=port) as url:
        out.print(f"base URL  {url}", highlight=False, soft_wrap=True)
        out.print(f"token     {ACCESS_TOKEN}", highlight=False, soft_wrap=True)
        out.print("Ctrl-C ends it.")
        await _signal()


async def _check(settings: Settings) -> Checkup:
    if not settings.emulator:
        return await check_up(settings, None)
    async with embedded_org(None) as url:
        return await check_up(settings, url)


async def _signal() -> None:
    """Until the user or the system asks to stop."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return


async def _until_signal(work: Awaitable[None]) -> None:
    async with anyio.create_task_group() as tasks:

        async def stop() -> None:
            await _signal()
            tasks.cancel_scope.cancel()

        tasks.start_soon(stop)
        await work
        tasks.cancel_scope.cancel()


def _settings(flags: dict[str, Any]) -> Settings:
    given = {name: value for name, value in flags.items() if value not in (None, False, [])}
    file = None if given.get("emulator") and not default_settings_file().exists() else default_settings_file()
    try:
        return load_settings(given, os.environ, file)
    except BadSetting as error:
        _fail(str(error))


def _run(action: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    try:
        return anyio.run(action, *args)
    except* PortBusy as busy:
        message = str(busy.exceptions[0])
    except* KeyboardInterrupt:
        raise typer.Exit(130) from None
    _fail(message)


def _fail(message: str) -> NoReturn:
    Console(stderr=True).print(f"salesforce-bulk-ingest: {message}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(USAGE_ERROR)
