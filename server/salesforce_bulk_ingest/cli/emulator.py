"""The command `emulator`: the embedded org alone, with its own options."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer
from pydantic import TypeAdapter

from salesforce_bulk_ingest.app.embedded_org import Configured, embedded_org
from salesforce_bulk_ingest.cli.console import say, show_facts
from salesforce_bulk_ingest.cli.interrupts import until_interrupted
from salesforce_bulk_ingest.cli.options import existing_file, option, whole_number
from salesforce_bulk_ingest.cli.org_folder import check_org_folder
from salesforce_bulk_ingest.setting_types import Host
from salesforce_bulk_ingest.settings_sources import BadSetting, value_of
from salesforce_emulator import (
    ACCESS_TOKEN,
    CALLBACK_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    USERNAME,
    Assumptions,
    BadChoice,
    Choices,
    EmulatorConfig,
    Limits,
    check_public_key,
    is_callback_url,
    parse_choices,
)


def emulator(
    port: Annotated[int, whole_number("--port", "Port; 0 for any free one.", at_least=0, at_most=65_535)] = 0,
    data_dir: Annotated[Path | None, option("data_dir")] = None,
    schema_file: Annotated[Path | None, option("schema_file")] = None,
    seed: Annotated[
        int | None, whole_number("--seed", "Make ids and the order of results repeat, in a new org.")
    ] = None,
    rows_per_second: Annotated[
        int | None, whole_number("--rows-per-second", "Pace of processing (as fast as it goes).", at_least=1)
    ] = None,
    token_seconds: Annotated[
        int, whole_number("--token-seconds", "Seconds that tokens of a login last.", at_least=1)
    ] = 7200,
    public_key: Annotated[
        Path | None,
        typer.Option(help="PEM file of the key that checks JWT assertions.", metavar="FILE", parser=existing_file),
    ] = None,
    callback_url: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Callback URL of the app, in place of that of the official CLI; repeatable."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option(help="Plan of faults, in force from the start.", metavar="FILE", parser=existing_file),
    ] = None,
    limit: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Set a limit; repeatable.")] = None,
    assume: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CHOICE", help="Switch an assumed behaviour; repeatable.")
    ] = None,
    hard_delete: Annotated[
        bool, typer.Option("--hard-delete/--no-hard-delete", help="Whether the user may hard-delete.")
    ] = True,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Make a new org a sandbox.")] = False,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="Name beside this machine's under which callers address the org; repeatable."
        ),
    ] = None,
) -> None:
    """Run the embedded org alone, for your own loader to load into, until interrupted."""
    if data_dir is not None:
        check_org_folder(data_dir)
    configured = partial(
        EmulatorConfig,
        schema_file=schema_file,
        seed=seed,
        rows_per_second=rows_per_second,
        token_seconds=token_seconds,
        callback_urls=tuple(map(_callback_url, callback_url or (CALLBACK_URL,))),
        client_public_key=_key_in(public_key) if public_key else None,
        faults_file=faults,
        hard_delete=hard_delete,
        sandbox=sandbox,
        limits=_chosen(Limits, "--limit", limit),
        assumptions=_chosen(Assumptions, "--assume", assume),
    )
    hosts = value_of("--allowed-host", allowed_host or [], TypeAdapter(list[Host]))
    anyio.run(_emulator, port, data_dir, configured, hosts)


async def _emulator(port: int, data_dir: Path | None, configured: Configured, hosts: Sequence[str]) -> None:
    with until_interrupted() as wait_for_signal:
        async with embedded_org(data_dir, configured, port=port, hosts=hosts) as org:
            facts = [("base URL", org.url), ("token", ACCESS_TOKEN), ("client", f"{CLIENT_ID} / {CLIENT_SECRET}")]
            show_facts([*facts, ("user", f"{USERNAME} / {PASSWORD}"), ("window", f"{org.url}/")])
            say("Ctrl-C ends it.")
            await wait_for_signal()


def _chosen(kind: type[Choices], flag: str, texts: Iterable[str] | None) -> Choices:
    try:
        return parse_choices(kind, texts or ())
    except BadChoice as error:
        raise BadSetting(f"{flag}: {error}.") from None


def _callback_url(text: str) -> str:
    if not is_callback_url(text):
        raise BadSetting(f"--callback-url: expected a URL such as {CALLBACK_URL}, without a fragment.")
    return text


def _key_in(file: Path) -> str:
    try:
        text = file.read_text("utf-8", "replace")
        check_public_key(text)
    except OSError as error:
        raise BadSetting(f"--public-key: {file} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise BadSetting(f"--public-key: {file}: {error}.") from None
    return text
