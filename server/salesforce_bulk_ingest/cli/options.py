"""The command-line options for settings, made from the flags that `Settings` declares."""

import os
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from pydantic import Field, TypeAdapter
from typer.models import OptionInfo

from salesforce_bulk_ingest.cli.console import complain
from salesforce_bulk_ingest.cli.org_folder import check_org_folder
from salesforce_bulk_ingest.cli.settings_warnings import (
    audit_warning,
    login_warning,
    misspelled_variable,
    production_warning,
    settings_warnings,
)
from salesforce_bulk_ingest.local_paths import LocalPaths, default_local_paths
from salesforce_bulk_ingest.settings import FLAGS, POLICY_SETTINGS, Settings
from salesforce_bulk_ingest.settings_sources import BadSetting, load_settings, value_of

Command = Callable[..., None]

UNDO_SETTINGS = ("undo_rows", "allow_undo")
"""The settings of undoing, apart from the rules: an option with two flags would leave their names no room on 80 columns."""

PANELS = {
    "Org": ("org_name", "emulator", "data_dir", "schema_file", "emulator_port"),
    "Rules": (
        *(name for name in POLICY_SETTINGS if name not in UNDO_SETTINGS),
        "hide_fields",
        "confirm",
        "confirm_without_dialog",
        "audit",
    ),
    "Undo": UNDO_SETTINGS,
    "Files": (
        "upload_roots",
        "save_roots",
        "recipes",
        "max_upload_bytes",
        "compare_rows",
        "no_spool",
        "no_kept_uploads",
        "spool_max_bytes",
        "spool_days",
    ),
    "Ports": ("mcp_port", "rest_port", "mcp_host", "rest_host", "max_connections", "verbose"),
    "Callers": (
        "token_file",
        "oauth_issuer",
        "public_url",
        "allow_unauthenticated",
        "allowed_host",
        "allowed_origin",
    ),
}
"""The settings that `--help` of the servers shows together, by the title."""

PORT_SETTINGS = ("emulator_port", *PANELS["Ports"], *PANELS["Callers"])
"""The settings that are options of `serve` alone: its ports, and who may call them."""

SERVER_SETTINGS = tuple(name for names in PANELS.values() for name in names if name not in PORT_SETTINGS)
"""The settings that are options of both `serve` and `stdio`, in the order in which `--help` shows them."""

_PANEL_OF = {name: title for title, names in PANELS.items() for name in names}


def settings_options(*names: str) -> Callable[[Command], Command]:
    """Return a decorator that gives a command, whose last parameter is `**flags: object`, the options of these settings.

    typer reads the options of a command from its signature, which has a parameter for each option, annotated with the type
    and the `typer.Option`. The decorator sets this signature; other parameters of the command stay.
    """
    parameters = [
        Parameter(
            name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[option_type(name), _in_its_panel(name)]
        )
        for name in names
    ]

    def decorate(command: Command) -> Command:
        own = [each for each in signature(command).parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
        together = Signature([*own, *parameters])
        command.__signature__ = together  # type: ignore[attr-defined] # read by inspect.signature (PEP 362)
        return command

    return decorate


def _in_its_panel(name: str) -> OptionInfo:
    declared = option(name)
    declared.rich_help_panel = _PANEL_OF.get(name)
    return declared


def option(name: str) -> OptionInfo:
    """Return the option of a setting, for the annotation of a command's parameter."""
    flag = FLAGS[name]
    parser = {None: None, "folder": folder, "existing file": existing_file}[flag.path]
    typed = flag.name if flag.off is None else f"{flag.name}/{flag.off}"
    declared: OptionInfo = typer.Option(typed, help=flag.help, metavar=flag.metavar, parser=parser)
    return declared


def whole_number(flag: str, help: str, *, at_least: int | None = None, at_most: int | None = None) -> OptionInfo:
    """Return an option for a whole number that is no setting.

    Its parser raises BadSetting: the value is no whole number, or out of bounds.
    """

    def parse(typed: str | int) -> int:
        return value_of(flag, typed, TypeAdapter(Annotated[int, Field(ge=at_least, le=at_most)]))

    declared: OptionInfo = typer.Option(flag, help=help, metavar="NUMBER", parser=parse)
    return declared


def existing_file(typed: str) -> Path:
    """Return the path that a user has typed; only a shell resolves `~`, and hosts start programs without one.

    Raises:
        typer.BadParameter: there is no such file.
    """
    path = _from_home(typed)
    if not path.exists():
        raise typer.BadParameter(f"File {typed!r} does not exist.")
    if path.is_dir():
        raise typer.BadParameter(f"File {typed!r} is a directory.")
    return path


def folder(typed: str) -> Path:
    """Return the path that a user has typed for a folder, which need not exist.

    Raises:
        typer.BadParameter: something else is in its place.
    """
    path = _from_home(typed)
    if path.exists() and not path.is_dir():
        raise typer.BadParameter(f"Directory {typed!r} is a file.")
    return path


def _from_home(typed: str) -> Path:
    try:
        return Path(typed).expanduser()
    except RuntimeError:  # `~name` of a user who does not exist
        return Path(typed)


def option_type(name: str) -> Any:
    """Return the type of a setting's option for typer: a list if the option can be repeated.

    Other values than switches and declared paths are texts for typer: `Settings` says in plainer words what is wrong.
    """
    annotation: Any = Settings.model_fields[name].annotation
    if get_origin(annotation) is tuple:
        return list[str] | None
    return annotation | None if annotation is bool or FLAGS[name].path else str | None


def settings_from(flags: Mapping[str, object]) -> Settings:
    """Return the settings from the flags, the environment and the settings file, and print the warnings about them.

    Raises:
        BadSetting: a setting can't be used.
        CantStart: the data folder can't hold an org.
    """
    settings = load_settings(flags, os.environ, default_local_paths().settings_file)
    misspelled = misspelled_variable(os.environ)
    if misspelled is not None:
        raise BadSetting(misspelled)
    if settings.data_dir is not None:
        check_org_folder(settings.data_dir)
    warn(settings, os.environ)
    return settings


def paths_of(settings: Settings) -> LocalPaths:
    """Return this user's files and folders; where the embedded org is chosen, with those of `stdio --emulator`."""
    paths = default_local_paths()
    return paths.in_org(settings.data_dir or paths.org_dir) if settings.emulator else paths


def warn(settings: Settings, environ: Mapping[str, str]) -> None:
    """Print the warnings about settings and variables to stderr."""
    for warning in settings_warnings(settings, environ, Path.home()):
        complain(f"warning: {warning}")


def warn_at_start(settings: Settings) -> None:
    """Print the warnings about a server that can't log in, may write into production, or can't note what it changes."""
    paths = default_local_paths()
    for warning in (
        login_warning(settings, paths),
        production_warning(settings, paths),
        audit_warning(settings, paths),
    ):
        if warning is not None:
            complain(f"warning: {warning}")
