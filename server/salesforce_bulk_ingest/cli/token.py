"""The commands `token add`, `token list` and `token revoke`: the named tokens of callers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from salesforce_bulk_ingest.app.chosen_callers import token_file
from salesforce_bulk_ingest.cli.console import PROGRAM, say, say_as_it_is, show_facts, show_help
from salesforce_bulk_ingest.cli.help import HelpfulCommand, HelpfulGroup
from salesforce_bulk_ingest.cli.interrupts import ending_its_line
from salesforce_bulk_ingest.cli.options import option, settings_from
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.serving.named_tokens import TokenFile

MAY = {"read": "reads", "write": "reads and writes"}

File = Annotated[Path | None, option("token_file")]
Name = Annotated[str, typer.Argument(help="Whom the token is for.", metavar="NAME", show_default=False)]

token = typer.Typer(cls=HelpfulGroup, help="Make, list and revoke the tokens by which callers of `serve` sign in.")


@token.callback(invoke_without_command=True)
def _token(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show_help(context)


def add(
    name: Name,
    read_only: Annotated[bool, typer.Option("--read-only", help="A token that may read only.")] = False,
    token_file: File = None,
) -> None:
    """Make a token and show it once."""
    file = _file(token_file)
    is_first = not file.exists()
    made = file.add(name, "read" if read_only else "write", datetime.now(UTC).date())
    say_as_it_is(made)
    say("It is not shown again. Callers send it as the header `Authorization: Bearer ...`.")
    if is_first:
        say("From the next start of `serve` on, no call without a token is answered.")


def list_(token_file: File = None) -> None:
    """List the tokens by their names."""
    file = _file(token_file)
    tokens = file.tokens() if file.exists() else ()
    if tokens:
        show_facts((one.name, f"{MAY[one.access]}, since {one.created}") for one in tokens)
    else:
        closed = f" `serve` asks callers for one as long as {file.path} exists." if file.exists() else ""
        say(f"There are no tokens; `{PROGRAM} token add NAME` makes one.{closed}")


def revoke(name: Name, token_file: File = None) -> None:
    """Revoke a token: from now on nobody can call with it."""
    file = _file(token_file)
    file.revoke(name)
    say(f"{name} is revoked.")
    if not file.tokens():
        say(
            f"It was the last: `serve` now answers nobody by a named token. `{PROGRAM} token add NAME` makes another; or "
            f"remove {file.path} and start `serve` again, to ask callers for none."
        )


def _file(given: Path | None) -> TokenFile:
    return token_file(settings_from({"token_file": given}), default_local_paths())


token.command("add", cls=HelpfulCommand)(ending_its_line(add))
token.command("list", cls=HelpfulCommand)(ending_its_line(list_))
token.command("revoke", cls=HelpfulCommand)(ending_its_line(revoke))
