"""The output of the commands, the question before a step, and the end of a command after a usage error."""

import sys
from collections.abc import Iterable
from typing import NoReturn

import typer
from rich.console import Console

from salesforce_bulk_ingest.base.text import visible
from salesforce_bulk_ingest.local_paths import APP_NAME
from salesforce_bulk_ingest.settings_sources import BadSetting

PROGRAM = APP_NAME
USAGE_ERROR = 2
"""The exit code after an error that the user can correct."""

out = Console()


def say(text: str) -> None:
    """Print a text as it is, without marks and colours, and leave long lines to the terminal."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        say(f"{name:<{width}}  {visible(value)}")


def agrees(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees, as `--yes` or the answer on the terminal says.

    Args:
        question: what the user is asked; no answer is a no.
        yes: whether `--yes` was given.

    Raises:
        BadSetting: there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadSetting("nothing was done, since there is no terminal to ask on: add --yes to agree.")
    return typer.confirm(question, default=False)


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
