"""The commands: the only module that hands in the environment, prints and exits."""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import anyio
import typer
from rich.console import Console
from rich.text import Text

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import Configured, embedded_org, running, serve_stdio
from salesforce_bulk_ingest.cli.cautions import settings_warnings
from salesforce_bulk_ingest.cli.check import Checkup, check_up
from salesforce_bulk_ingest.cli.config import host_entries
from salesforce_bulk_ingest.cli.demo import run_demo
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.serving.signals import stdin_that_can_end, told_to_stop
from salesforce_bulk_ingest.settings import (
    APP_NAME,
    BadSetting,
    Settings,
    default_local_paths,
    load_settings,
)
from salesforce_emulator import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    Assumptions,
    BadChoice,
    Choices,
    EmulatorConfig,
    Limits,
    chosen,
)
from salesforce_emulator import public_key as checked_key
from salesforce_emulator.org import ORG_FILE

PROGRAM = APP_NAME
USAGE_ERROR = 2
INTERRUPTED = 130
UNHEARD = 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Load data into Salesforce through Bulk API 2.0 ingest jobs: MCP server, REST gateway, embedded org.",
)
out = Console()

NO_ORG = f"none yet: see `{PROGRAM} check`"

Emulator = Annotated[bool, typer.Option("--emulator", help="Use the embedded org; ignores every SALESFORCE_* value.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded org.", file_okay=False)]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", help="YAML with objects, fields and rules of your own.", exists=True, dir_okay=False),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Offer the five reading tools only; /v1 refuses changes.")]
AllowOperation = Annotated[
    list[str] | None, typer.Option(metavar="[delete|hardDelete]", help="Allow this operation; repeatable.")
]
UploadRoots = Annotated[
    list[Path] | None,
    typer.Option("--upload-root", metavar="DIR", help="Folder whose files may be uploaded; repeatable."),
]
MaxUploadBytes = Annotated[int | None, typer.Option(help="Most bytes of one upload through the tools (100,000,000).")]
NoSpool = Annotated[bool, typer.Option("--no-spool", help="Keep nothing of jobs on this machine.")]
NoKeptUploads = Annotated[bool, typer.Option("--no-kept-uploads", help="Keep no uploads on this machine.")]
SpoolMaxBytes = Annotated[int | None, typer.Option(help="Most bytes of results and uploads kept (2,000,000,000).")]
SpoolDays = Annotated[int | None, typer.Option(help="Days for which a result or upload is kept that nobody reads (7).")]
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
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    logging.getLogger("stamina").setLevel(logging.ERROR)  # a second try is not a warning
    try:
        code = app(prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        show = getattr(error, "format_message", error.__str__)
        complaint = show()
        end = "" if complaint.endswith((".", "?")) else "."
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else PROGRAM
        _complain(f"{complaint}{end} See `{command} --help`.")
        code = USAGE_ERROR
    sys.exit(code)


def _is_news(record: logging.LogRecord) -> bool:
    """Not where a request was broken off at the end: uvicorn says how many in one line, then shows a trace of each."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        out.print(f"{PROGRAM} {__version__}", highlight=False)
        raise typer.Exit
    if context.invoked_subcommand is None:
        out.print(context.get_help(), end="")
        raise typer.Exit(USAGE_ERROR)


@app.command()
def serve(
    mcp_port: McpPort = None,
    rest_port: RestPort = None,
    mcp_host: McpHost = None,
    rest_host: RestHost = None,
    emulator: Emulator = False,
    data_dir: DataDir = None,
    schema_file: SchemaFile = None,
    read_only: ReadOnly = False,
    allow_operation: AllowOperation = None,
    upload_roots: UploadRoots = None,
    max_upload_bytes: MaxUploadBytes = None,
    no_spool: NoSpool = False,
    no_kept_uploads: NoKeptUploads = False,
    spool_max_bytes: SpoolMaxBytes = None,
    spool_days: SpoolDays = None,
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
    schema_file: SchemaFile = None,
    read_only: ReadOnly = False,
    allow_operation: AllowOperation = None,
    upload_roots: UploadRoots = None,
    max_upload_bytes: MaxUploadBytes = None,
    no_spool: NoSpool = False,
    no_kept_uploads: NoKeptUploads = False,
    spool_max_bytes: SpoolMaxBytes = None,
    spool_days: SpoolDays = None,
) -> None:
    """Serve one MCP client over stdin and stdout; this is what desktop hosts start."""
    settings = _settings(locals())
    if settings.emulator:
        _check_folder(settings.data_dir or default_local_paths().org_dir)
    _run(_stdio, settings)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for any free one.")] = 0,
    data_dir: DataDir = None,
    schema_file: SchemaFile = None,
    seed: Annotated[int | None, typer.Option(help="Make ids and the order of results repeat, in a new org.")] = None,
    rows_per_second: Annotated[int | None, typer.Option(min=1, help="Pace of processing (as fast as it goes).")] = None,
    token_seconds: Annotated[int, typer.Option(min=1, help="How long tokens of /services/oauth2/token last.")] = 7200,
    public_key: Annotated[
        Path | None, typer.Option(help="PEM file of the key that checks JWT assertions.", exists=True, dir_okay=False)
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Plan of faults, in force from the start.", exists=True, dir_okay=False)
    ] = None,
    limit: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Set a limit; repeatable.")] = None,
    assume: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CHOICE", help="Switch an assumed behaviour; repeatable.")
    ] = None,
    hard_delete: Annotated[
        bool, typer.Option("--hard-delete/--no-hard-delete", help="Whether the user may hard-delete.")
    ] = True,
) -> None:
    """Run the embedded org alone, for your own loader to load into, until interrupted."""
    if data_dir is not None:
        _check_folder(data_dir)
    configured = partial(
        EmulatorConfig,
        schema_file=schema_file,
        seed=seed,
        rows_per_second=rows_per_second,
        token_seconds=token_seconds,
        client_public_key=_key_in(public_key) if public_key else None,
        faults_file=faults,
        hard_delete=hard_delete,
        limits=_chosen(Limits, "--limit", limit),
        assumptions=_chosen(Assumptions, "--assume", assume),
    )
    _run(_emulator, port, data_dir, configured)


@app.command()
def demo() -> None:
    """Load a sample file into the embedded org and look at what happened."""
    if not _run(_demo):
        _complain("interrupted; the demo's org is gone.")
        raise typer.Exit(INTERRUPTED)


@app.command()
def config(emulator: Emulator = False, read_only: ReadOnly = False, upload_roots: UploadRoots = None) -> None:
    """Print the entry for this machine's Claude Desktop, Claude Code, VS Code and Cursor."""
    command, *arguments = _this_program()
    arguments += ["stdio", *(["--emulator"] if emulator else []), *(["--read-only"] if read_only else [])]
    for root in _folders(upload_roots):
        arguments += ["--upload-root", str(root)]
    for entry in host_entries(command, arguments, Path.home(), os.environ):
        out.print(Text(f"{entry.host}: {entry.where}", style="bold"), soft_wrap=True)
        out.print(entry.text, highlight=False, markup=False, soft_wrap=True)
        out.print()


@app.command()
def check(
    emulator: Emulator = False,
    read_only: ReadOnly = False,
    allow_operation: AllowOperation = None,
    upload_roots: UploadRoots = None,
    max_upload_bytes: MaxUploadBytes = None,
) -> None:
    """Show which org, which user, which policy, and what is wrong. Changes nothing."""
    found: Checkup = _run(_check, _settings(locals()))
    _show_facts(found.facts)
    for problem in found.problems:
        out.print(Text.assemble("\n", ("wrong: ", "bold red"), problem))
    if found.problems:
        raise typer.Exit(1)
    out.print("\n[green]Nothing is wrong.[/]")


async def _serve(settings: Settings) -> None:
    with told_to_stop() as told:
        async with running(settings, default_local_paths()) as addresses:
            embedded = (
                f"embedded org in {settings.data_dir}" if settings.data_dir else "embedded org, gone when this ends"
            )
            known = embedded if settings.emulator else settings.org or settings.upstream_url
            facts = [("MCP", addresses.mcp_url), ("REST", addresses.rest_url), ("org", known or NO_ORG)]
            if addresses.org_url:
                facts += [("org's URL", addresses.org_url), ("window", f"{addresses.org_url}/")]
            if settings.read_only:
                facts.append(("policy", "read-only"))
            _show_facts(facts)
            out.print("Ctrl-C ends it.")
            await told()


async def _stdio(settings: Settings) -> None:
    with told_to_stop() as told, stdin_that_can_end() as end_stdin:
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                await told()
                end_stdin()

            tasks.start_soon(stop)
            await serve_stdio(settings, default_local_paths())
            tasks.cancel_scope.cancel()


async def _demo() -> bool:
    with told_to_stop() as told:
        return await run_demo(out, _as_typed(), default_local_paths(), told)


async def _emulator(port: int, data_dir: Path | None, configured: Configured) -> None:
    with told_to_stop() as told:
        async with embedded_org(data_dir, configured, port=port) as org:
            facts = [("base URL", org.url), ("token", ACCESS_TOKEN), ("client", f"{CLIENT_ID} / {CLIENT_SECRET}")]
            _show_facts([*facts, ("window", f"{org.url}/")])
            out.print("Ctrl-C ends it.")
            await told()


async def _check(settings: Settings) -> Checkup:
    if not settings.emulator:
        return await check_up(settings, default_local_paths(), None)
    async with embedded_org(None) as org:
        return await check_up(settings, default_local_paths(), org)


def _settings(flags: dict[str, Any]) -> Settings:
    given = {name: value for name, value in flags.items() if value is not None and value is not False and value != []}
    try:
        settings = load_settings(given, os.environ, default_local_paths().settings_file)
    except BadSetting as error:
        _fail(str(error))
    if settings.data_dir is not None:
        _check_folder(settings.data_dir)
    _warn(settings, os.environ)
    return settings


def _folders(named: list[Path] | None) -> tuple[Path, ...]:
    """Whole paths, which mean the same from any working folder."""
    try:
        settings = load_settings({"upload_roots": named}, {})
    except BadSetting as error:
        _fail(str(error))
    _warn(settings, {})
    return settings.upload_roots


def _warn(settings: Settings, environ: Mapping[str, str]) -> None:
    for caution in settings_warnings(settings, environ, Path.home()):
        _complain(f"warning: {caution}")


def _chosen(kind: type[Choices], flag: str, texts: Iterable[str] | None) -> Choices:
    try:
        return chosen(kind, texts or ())
    except BadChoice as error:
        _fail(f"{flag}: {error}.")


def _key_in(file: Path) -> str:
    try:
        text = file.read_text("utf-8", "replace")
        checked_key(text)
    except OSError as error:
        _fail(f"--public-key: {file} can't be read: {error.strerror}.")
    except ValueError as error:
        _fail(f"--public-key: {file}: {error}.")
    return text


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        holds_other_things = any(folder.iterdir()) and not (folder / ORG_FILE).exists()
    except OSError as error:
        _fail(f"the embedded org can't be kept in {folder}: {error.strerror}; choose another --data-dir.")
    if holds_other_things:
        _fail(f"{folder} holds other things and no org; choose an empty or a new folder as --data-dir.")


def _this_program() -> list[str]:
    """How a program with another PATH and another working folder starts this one."""
    if Path(sys.argv[0]).name == "__main__.py":
        return [sys.executable, "-m", "salesforce_bulk_ingest"]
    return [str(Path(shutil.which(sys.argv[0]) or sys.argv[0]).absolute())]


def _as_typed() -> str:
    """How the user starts this program."""
    command = _this_program()
    return PROGRAM if command[0] == shutil.which(PROGRAM) else " ".join([sys.argv[0]] if len(command) == 1 else command)


def _show_facts(facts: Iterable[tuple[str, str]]) -> None:
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        out.print(f"{name:<{width}}  {value}", highlight=False, markup=False, soft_wrap=True)


def _run(action: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    try:
        return anyio.run(action, *args)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (CantStart, BaseExceptionGroup) as error:
        if isinstance(error, BaseExceptionGroup) and error.subgroup(SystemExit):
            raise typer.Exit(UNHEARD) from None  # how rich ends where nobody reads what it prints, as in `... | head`
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if not isinstance(error, CantStart):
            raise
        message = str(error)
    _fail(message)


def _fail(message: str) -> NoReturn:
    _complain(message)
    raise typer.Exit(USAGE_ERROR)


def _complain(message: str) -> None:
    line = " ".join(message.split())
    Console(stderr=True).print(f"{PROGRAM}: {line}", highlight=False, markup=False, soft_wrap=True)
