"""The output of the commands, and the end of a command after a usage error."""

from collections.abc import Iterable
from typing import NoReturn

import typer
from rich.console import Console

from salesforce_bulk_ingest.base.text import visible
from salesforce_bulk_ingest.local_paths import APP_NAME

PROGRAM = APP_NAME
USAGE_ERROR = 2
"""The exit code after an error that the user can correct."""

out = Console()


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        out.print(f"{name:<{width}}  {visible(value)}", highlight=False, markup=False, soft_wrap=True)


def show_help(context: typer.Context) -> NoReturn:
    """Print the help of a command that has commands of its own and was called without one, and end with a usage error."""
    out.print(context.get_help(), end="")
    raise typer.Exit(USAGE_ERROR)


def complain(message: str) -> None:
    """Print a message to stderr, in one line that begins with the program's name."""
    Console(stderr=True).print(f"{PROGRAM}: {on_one_line(message)}", highlight=False, markup=False, soft_wrap=True)


def on_one_line(message: str) -> str:
    """Return the message without line breaks and hidden characters."""
    return visible(" ".join(message.split()))
