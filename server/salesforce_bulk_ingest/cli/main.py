"""The entry point: the commands under one name, and the end of a command after an error."""

import sys
from typing import Annotated

import typer

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.cli.check import check
from salesforce_bulk_ingest.cli.config import config
from salesforce_bulk_ingest.cli.console import PROGRAM, USAGE_ERROR, complain, out
from salesforce_bulk_ingest.cli.demo import demo
from salesforce_bulk_ingest.cli.emulator import emulator
from salesforce_bulk_ingest.cli.interrupts import INTERRUPTED, ending_its_line
from salesforce_bulk_ingest.cli.log import open_log
from salesforce_bulk_ingest.cli.serve import serve
from salesforce_bulk_ingest.cli.stdio import stdio
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings_sources import BadSetting

OUTPUT_CLOSED = 1
"""The exit code where nobody reads what a command prints, as in `... | head`; rich uses the same code."""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Load data into Salesforce through Bulk API 2.0 ingest jobs: MCP server, REST gateway, embedded org.",
)
for command in (serve, stdio, emulator, demo, config, check):
    app.command()(ending_its_line(command))


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


def main() -> None:
    """Run the command that `sys.argv` names, and exit. Every error that a user can cause is one line and exit code 2."""
    open_log()
    sys.exit(_exit_code())


def _exit_code() -> int | None:
    try:
        code: int | None = app(prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        complain(_usage_complaint(error))
    except (BadSetting, CantStart) as error:
        complain(str(error))
    except BaseExceptionGroup as group:
        if group.subgroup(SystemExit):
            return OUTPUT_CLOSED
        if group.subgroup(KeyboardInterrupt):
            return INTERRUPTED
        only = _only_error(group)
        if not isinstance(only, CantStart):
            raise
        complain(str(only))
    else:
        return code
    return USAGE_ERROR


def _usage_complaint(error: typer.TyperException) -> str:
    show = getattr(error, "format_message", error.__str__)
    complaint = show()
    end = "" if complaint.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else PROGRAM
    return f"{complaint}{end} See `{command} --help`."


def _only_error(error: BaseException) -> BaseException:
    """Return the only error of a group, or of the groups in it; the group itself if it has several errors."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
