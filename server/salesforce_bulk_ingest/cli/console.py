"""The output of the commands, the question before a step, and the end of a command after a usage error."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from salesforce_bulk_ingest.base.text import visible
from salesforce_bulk_ingest.local_paths import APP_NAME
from salesforce_bulk_ingest.settings_sources import BadSetting

PROGRAM = APP_NAME
USAGE_ERROR = 2
"""The exit code after an error that the user can correct."""

WORD = re.compile(r"\S+\s*")

out = Console()


def say(text: str | Text, console: Console = out) -> None:
    """Print a text: on a terminal its lines are broken between words, elsewhere they stay as they are.

    Args:
        text: the text, which has no marks of rich; a line that goes on below begins there as far in as it does itself.
        console: where to print it.
    """
    for line in (text if isinstance(text, Text) else Text(text)).split("\n", allow_blank=True):
        _say_line(line, len(line.plain) - len(line.plain.lstrip()), console)


def say_as_it_is(text: str) -> None:
    """Print a text that is for another program, such as a line for the shell: no line is broken on a terminal either."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def _say_line(line: Text, indent: int, console: Console) -> None:
    """Print one line, with those parts that do not fit below it, as far in as `indent` says; no word is broken."""
    fits = not console.is_terminal or len(line.plain) <= console.width
    for part in [line] if fits else _broken(line, indent, console.width):
        console.print(part, highlight=False, soft_wrap=True)


def _broken(line: Text, indent: int, width: int) -> Iterator[Text]:
    """Yield a line in parts that fit, each but the first as far in as `indent` says; a longer word is a part by itself."""
    breaks, column = [], indent
    for word in WORD.finditer(line.plain, indent):
        if column > indent and column + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            column = indent
        column += cell_len(word[0])
    for number, part in enumerate(line.divide(breaks)):
        part.rstrip()
        yield part if number == 0 else Text.assemble(" " * indent, part)


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    facts = list(facts)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        _say_line(Text(f"{name:<{width}}  {visible(value)}"), width + 2, out)


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
    if shown := context.get_help():  # empty on a terminal, where it is printed already
        say(shown)
    raise typer.Exit(USAGE_ERROR)


def complain(message: str) -> None:
    """Print a message to stderr, in one line that begins with the program's name."""
    say(f"{PROGRAM}: {on_one_line(message)}", Console(stderr=True))


def on_one_line(message: str) -> str:
    """Return the message without line breaks and hidden characters."""
    return visible(" ".join(message.split()))
