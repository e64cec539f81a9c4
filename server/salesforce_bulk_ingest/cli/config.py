"""The command `config`: the entries for the configuration of the hosts that run MCP servers, printed or written."""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from rich.text import Text

from salesforce_bulk_ingest.base.text import visible
from salesforce_bulk_ingest.cli.console import agrees, complain, say, say_as_it_is
from salesforce_bulk_ingest.cli.host_file import change_of
from salesforce_bulk_ingest.cli.hosts import Host, HostName, Machine, entry_to_merge, hosts_of
from salesforce_bulk_ingest.cli.options import SERVER_SETTINGS, settings_options, warn
from salesforce_bulk_ingest.cli.program import as_typed, command_line
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.settings import FLAGS, Settings
from salesforce_bulk_ingest.settings_sources import BadSetting, load_settings

SERVER_KEY = "salesforce-bulk"
"""The key of this server in the entries; for one of several orgs, its name is added."""

MOST_KEY_CHARACTERS = 25
"""The most characters of the key: some hosts drop a tool if key and tool name together have 60 or more, and the longest of
our tools has 34."""

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""A key that all hosts take, if it is no longer than that: Claude Code has letters, digits, - and _ alone."""

UPLOAD_ROOT = FLAGS["upload_roots"].name

COLOURS = {"+": "green", "-": "red"}


@settings_options(*SERVER_SETTINGS)
def config(
    host: Annotated[
        str | None,
        typer.Argument(
            metavar="HOST",
            help=f"The host: {', '.join(HostName)}; without one, the entries of all are shown.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Merge the entry into the host's file, after the change was shown.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    name: Annotated[
        str | None, typer.Option("--name", help=f"Name of the server in the host ({SERVER_KEY}).", metavar="NAME")
    ] = None,
    **flags: object,
) -> None:
    """Show the entry for this machine's Claude Desktop, Claude Code, VS Code and Cursor, or write it to the host's file."""
    if yes and not write:
        raise BadSetting("--yes: it agrees to --write, so add that, or leave --yes out.")
    # The environment of this command is not read, since a host starts the server with another environment.
    settings = load_settings(flags, {}, default_local_paths().settings_file)
    warn(settings, {})
    key = _key(name, settings.org_name)
    named = list(_arguments(flags, settings))
    roots = settings.upload_roots if flags["upload_roots"] else _proposed_roots(settings)
    proposed = () if flags["upload_roots"] else (part for root in roots for part in (UPLOAD_ROOT, str(root)))
    command, *arguments = command_line(sys.argv[0])
    arguments += ["stdio", *named, *proposed]
    machine = Machine(Path.home(), os.environ, sys.platform)
    chosen = [one for one in hosts_of(machine) if host in (None, one.name)]
    if not chosen:
        raise BadSetting(f"HOST: expected {', '.join(HostName)}.")
    if write:
        if host is None:
            raise BadSetting(f"--write: name the host, one of {', '.join(HostName)}.")
        _write(chosen[0], key, chosen[0].entry(command, arguments), _folders(roots, settings), yes=yes)
        return
    for one in chosen:
        what_to_do, text = entry_to_merge(one, key, command, arguments, machine)
        say(Text(f"{one.title}: {what_to_do}", style="bold"))
        say_as_it_is(f"{text}\n")
    _say_what_else(host, [*named, *(["--name", name] if name else [])], roots, settings)


def _key(name: str | None, org_name: str | None) -> str:
    """Return the key of the server.

    Raises:
        BadSetting: it is none that all hosts take.
    """
    if name is not None and not KEY.fullmatch(name):
        raise BadSetting(
            "--name: expected letters, digits, - and _, with a letter or a digit first: some hosts take no other."
        )
    if name is not None and len(name) > MOST_KEY_CHARACTERS:
        raise BadSetting(
            f"--name: expected at most {MOST_KEY_CHARACTERS} characters: some hosts drop tools whose name has 60 or more "
            "characters with that of the server."
        )
    key = name or (SERVER_KEY if org_name is None else f"{SERVER_KEY}-{org_name}")
    if len(key) > MOST_KEY_CHARACTERS:
        raise BadSetting(
            f"--org: the server would be called {key!r}, and some hosts drop tools whose name has 60 or more characters "
            f"with that of the server. Choose another name, such as --name {f'bulk-{org_name}'[:MOST_KEY_CHARACTERS]}."
        )
    return key


def _proposed_roots(settings: Settings) -> tuple[Path, ...]:
    """Return the folder to upload files from where nobody has named one: that of the user's downloads, if there is one."""
    downloads = platformdirs.user_downloads_path()
    is_wide = Path.home().is_relative_to(downloads)
    if settings.upload_roots or settings.read_only or is_wide or not downloads.is_dir():
        return ()
    return (downloads.absolute(),)


def _arguments(flags: Mapping[str, object], settings: Settings) -> Iterator[str]:
    """Yield the options that were typed, for a server that starts in another folder: paths are whole."""
    for name, typed in flags.items():
        flag, used = FLAGS[name], getattr(settings, name)
        if isinstance(typed, bool):
            option = flag.name if typed else flag.off
            if option is not None:
                yield option
        elif isinstance(typed, list):
            are_paths = all(isinstance(value, Path) for value in used)
            for value in used if used and are_paths else typed:
                yield from (flag.name, str(value))
        elif typed is not None:
            yield from (flag.name, str(used.absolute() if isinstance(used, Path) else used))


def _write(host: Host, key: str, entry: dict[str, object], folders: str, *, yes: bool) -> None:
    change = change_of(Path(host.file), entry, host.servers, key)
    if change is None:
        say(f"{host.file} has this entry already.")
        return
    file = change.file
    place = f"{file}" if file == host.file else f"{file}, where {host.file} leads"
    for line in change.difference():
        say(Text(visible(line.expandtabs(4)), style=COLOURS.get(line[:1], "")))
    if folders:
        say(folders)
    if not file.parent.exists():
        complain(f"warning: there is no {file.parent}, so {host.title} may not be installed; writing makes the folder.")
    if not agrees(f"Write this to {place}?", yes=yes):
        say("Nothing was written.")
        raise typer.Exit(1)
    copy = change.write()
    say(f"Written to {place}{f'; as it was, it is {copy}' if copy else ''}. {host.afterwards}")


def _say_what_else(host: str | None, named: Sequence[str], roots: tuple[Path, ...], settings: Settings) -> None:
    """Say which files the entry lets the host load, and how the entry gets into the host's file.

    Args:
        host: the host that the user has named.
        named: the options that the user has named.
        roots: the folders in the entry.
        settings: the settings that the server of this entry would have.
    """
    if folders := _folders(roots, settings):
        say(folders)
    typed, of_a_host = (host, "") if host else ("HOST", " of a host")
    line = shlex.join(["config", typed, *named, "--write"])
    say(f"`{as_typed(sys.argv[0])} {line}` merges the entry{of_a_host}.")
    if host is None:
        say(f"HOST is {', '.join(HostName)}.")


def _folders(roots: tuple[Path, ...], settings: Settings) -> str:
    """Return the sentence about the files that the entry lets the host load; empty where that was chosen elsewhere."""
    if roots:
        return f"Files may be loaded from {' and '.join(map(str, roots))}: --upload-root DIR names another folder."
    if settings.upload_roots or settings.read_only:
        return ""
    return "No files may be loaded, since there is no folder of downloads here: --upload-root DIR names a folder."
