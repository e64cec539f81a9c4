"""The help of the commands: in panels on a terminal, and plain text, without boxes, colours and wrapping, elsewhere."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

OPTIONS, ARGUMENTS, COMMANDS = "Options", "Arguments", "Commands"


class HelpfulCommand(TyperCommand):
    """A command with help that reads well where it goes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left; a mistake in one is that of this command."""
        return _parsed(super().parse_args, ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help to a terminal, or write it to the formatter."""
        if sys.stdout.isatty():
            super().format_help(ctx, formatter)
        else:
            formatter.write(plain_help(self, ctx))


class HelpfulGroup(TyperGroup):
    """A group of commands with help that reads well where it goes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left; a mistake in one is that of this group."""
        return _parsed(super().parse_args, ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help to a terminal, or write it to the formatter."""
        if sys.stdout.isatty():
            super().format_help(ctx, formatter)
        else:
            formatter.write(plain_help(self, ctx))


def _parsed(parse: Callable[[Any, list[str]], list[str]], context: Any, args: list[str]) -> list[str]:
    try:
        return parse(context, args)
    except typer.TyperException as error:
        if getattr(error, "ctx", context) is None:  # the parser knows no command where an option lacks its value
            error.ctx = context  # type: ignore[attr-defined] # that of a usage error, whose class typer does not export
        raise


def plain_help(command: TyperCommand | TyperGroup, context: Any) -> str:
    """Return the help of a command as plain text, in which each option and command is a line.

    Args:
        command: the command.
        context: its context.
    """
    parts = [" ".join(command.get_usage(context).split()), " ".join((command.help or "").split())]
    sections: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], OPTIONS: []}
    for parameter in command.get_params(context):
        title = ARGUMENTS if parameter.param_type_name == "argument" else OPTIONS
        record = parameter.get_help_record(context)
        if record is not None:
            sections.setdefault(getattr(parameter, "rich_help_panel", None) or title, []).append(record)
    if isinstance(command, TyperGroup):
        sections[COMMANDS] = list(_commands(command, context))
    parts += ["\n".join([f"{title}:", *_table(rows)]) for title, rows in sections.items() if rows]
    return "\n\n".join(filter(None, parts))


def _commands(group: TyperGroup, context: Any) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            yield name, " ".join((command.help or "").split())


def _table(rows: list[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in rows)
    return (f"  {name:<{width}}  {text}".rstrip() for name, text in rows)
