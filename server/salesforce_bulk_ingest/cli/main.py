"""The entry point: the commands under one name, and the end of a command after an error."""

import sys
from typing import Annotated

import typer
from typer.main import get_command

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.cli.approve import approve
from salesforce_bulk_ingest.cli.check import check
from salesforce_bulk_ingest.cli.complaints import complaint_about
from salesforce_bulk_ingest.cli.config import config
from salesforce_bulk_ingest.cli.console import PROGRAM, USAGE_ERROR, complain, say, show_help
from salesforce_bulk_ingest.cli.demo import demo
from salesforce_bulk_ingest.cli.emulator import emulator
from salesforce_bulk_ingest.cli.help import HelpfulCommand, HelpfulGroup
from salesforce_bulk_ingest.cli.interrupts import INTERRUPTED, ending_its_line
from salesforce_bulk_ingest.cli.log import open_log
from salesforce_bulk_ingest.cli.login import login, logout
from salesforce_bulk_ingest.cli.purge import purge
from salesforce_bulk_ingest.cli.serve import serve
from salesforce_bulk_ingest.cli.stdio import stdio, tell_client
from salesforce_bulk_ingest.cli.token import token

OUTPUT_CLOSED = 1
"""The exit code where nobody reads what a command prints, as in `... | head`; rich uses the same code."""

app = typer.Typer(
    cls=HelpfulGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Load data into Salesforce through Bulk API 2.0 ingest jobs: MCP server, REST gateway, embedded org.",
)
for command in (serve, stdio, emulator, demo, config, check, login, logout, approve, purge):
    app.command(cls=HelpfulCommand)(ending_its_line(command))
app.add_typer(token, name="token")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        say(f"{PROGRAM} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        show_help(context)


commands = get_command(app)
"""All commands, made once: a call of `app` would make them anew each time."""


def main() -> None:
    """Run the command that `sys.argv` names, and exit. Every error that a user can cause is one line and exit code 2.

    On `stdio` there is a client to tell it, too.
    """
    open_log()
    sys.exit(_exit_code())


def _exit_code() -> int | None:
    try:
        code: int | None = commands(prog_name=PROGRAM, standalone_mode=False)
    except BaseException as error:
        complaint = complaint_about(error)
        if complaint is None:
            return _exit_code_after(error)
        complain(complaint)
    else:
        return code
    if sys.argv[1:2] != [stdio.__name__]:
        return USAGE_ERROR
    tell_client(complaint)
    return 0


def _exit_code_after(error: BaseException) -> int:
    """Return the exit code after an error that is no mistake of the user, or raise the error."""
    if isinstance(error, BaseExceptionGroup):
        if error.subgroup(SystemExit):
            return OUTPUT_CLOSED
        if error.subgroup(KeyboardInterrupt):
            return INTERRUPTED
    raise error
