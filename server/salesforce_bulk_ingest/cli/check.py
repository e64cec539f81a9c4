"""The command `check`: which org, which user, which policy, and what is wrong."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx2
import typer
from rich.text import Text

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app.chosen_callers import check_callers, describe_callers, issuer_keys
from salesforce_bulk_ingest.app.chosen_files import audit_file, describe_files, describe_saved_rows
from salesforce_bulk_ingest.app.chosen_rules import confirm_rules, policy_of
from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg, embedded_org
from salesforce_bulk_ingest.base.loopback import in_url
from salesforce_bulk_ingest.base.text import as_sentence, quoted, visible
from salesforce_bulk_ingest.cli.console import PROGRAM, say, show_facts
from salesforce_bulk_ingest.cli.loading import loading
from salesforce_bulk_ingest.cli.options import PORT_SETTINGS, SERVER_SETTINGS, settings_from, settings_options
from salesforce_bulk_ingest.cli.settings_warnings import audit_warning, place_of_org
from salesforce_bulk_ingest.local_paths import LocalPaths, default_local_paths
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    LocalShortage,
    NoCredentials,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    SessionRefused,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from salesforce_bulk_ingest.salesforce.models import Identity
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.serving.bearer_tokens import Undecided
from salesforce_bulk_ingest.serving.health import LIVE
from salesforce_bulk_ingest.serving.ports import CantStart, PortBusy, bound_socket
from salesforce_bulk_ingest.settings import ENV_NAMES, Settings
from salesforce_bulk_ingest.settings_sources import as_table
from salesforce_emulator import ORG_FILE, EmulatorConfig

if TYPE_CHECKING:
    from salesforce_bulk_ingest.app.services import Services

# Advice for the user of this machine, by the class of the error, the most specific class first. The advice for models is in
# mcp_server/answers.
_WHAT_TO_DO: tuple[tuple[type[SalesforceError], str], ...] = (
    (
        SessionExpired,
        "Put a new access token where the old one was, {token}, or log in again with the Salesforce CLI.",
    ),
    (
        SessionRefused,
        "A new access token of this kind would be refused, too: log in another way (docs/credentials.md).",
    ),
    (
        NotFound,
        "The host answers, but not as a Salesforce org: check {address}.",
    ),
    (LimitReached, "The org takes no more requests for now: try again later."),
    (LocalShortage, ""),  # its message says what to do
    (Unreachable, "Check {address}, the network and the proxy."),
    (UnexpectedAnswer, "Check {address}."),
    (Unavailable, "Salesforce is out of order for now: try again later."),
    (Rejected, "If this is the right host, ask the org's administrator whether this user may use the API."),
)


ORGANIZATION = "organization"
"""The name of the fact about the organization's id."""

VERSIONS = "/services/data"
"""A path at which every org answers whoever asks."""

ANSWER_SECONDS = 3
"""How long a server on this machine may take to answer."""

API_DISABLED = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
"""The codes of a refusal for want of the API (SOAP API guide, ExceptionCode)."""

NO_API = (
    'The user needs the permission "API Enabled" (in Setup, in a permission set or the profile), and the org an edition '
    "with the API."
)
NO_HARD_DELETE = (
    'hardDelete is allowed here, but the user lacks the permission "Bulk API Hard Delete": add it in Setup, in a '
    "permission set, or take hardDelete out of allow_operation."
)


@dataclass(slots=True)
class Checkup:
    """The findings of one check.

    Attributes:
        facts: names and values in the order to show them.
        problems: a text for each problem: what is wrong, and what to do about it.
    """

    facts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@settings_options(*SERVER_SETTINGS, *PORT_SETTINGS)
def check(**flags: object) -> None:
    """Show which org, which user, which policy, and what is wrong, with the options of `serve`. Changes nothing."""
    settings = settings_from(flags)
    with _no_warnings():
        found = anyio.run(_check, settings)
    show_facts(found.facts)
    for problem in found.problems:
        say(Text.assemble("\n", ("wrong: ", "bold red"), visible(problem)))
    if found.problems:
        raise typer.Exit(1)
    say(Text("\nNothing is wrong.", style="green"))


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Log no warnings within the block: the facts say what they would say."""
    logger = logging.getLogger("salesforce_bulk_ingest")
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(logging.NOTSET)


async def _check(settings: Settings) -> Checkup:
    paths = default_local_paths()
    if not settings.emulator:
        return await check_up(settings, paths, None)
    folder = settings.data_dir or paths.org_dir
    is_there = (folder / ORG_FILE).exists()
    configured = partial(EmulatorConfig, schema_file=settings.schema_file)
    async with embedded_org(folder if is_there else None, configured) as org:
        found = await check_up(settings, paths, org)
    made_when = ""
    if not is_there:
        made_when = " (not there yet: `stdio --emulator` makes it at its first start)"
        found.facts = [fact for fact in found.facts if fact[0] != ORGANIZATION]  # that of an org which is gone by now
    found.facts.insert(2, ("org's folder", f"{_below_home(folder)}{made_when}"))
    return found


async def check_up(settings: Settings, paths: LocalPaths, org: EmbeddedOrg | None) -> Checkup:
    """Return the findings about the settings, the org and the ports; nothing is changed in the org or in the settings.

    Args:
        settings: the settings as they were loaded.
        paths: files and folders of this user.
        org: the embedded org, which replaces the org of the settings; None for the org of the settings.
    """
    found = Checkup()
    file = paths.settings_file
    found.facts.append(("version", f"{__version__}, API version {settings.api_version}"))
    found.facts.append(("settings file", f"{_below_home(file)}{'' if file.exists() else ' (not there)'}"))
    await _check_org(settings, paths, org, found)
    found.facts.extend(policy_of(settings).describe())
    found.facts.append(("confirmation", _confirmation(settings)))
    found.facts.append(("audit", _audit(settings, paths, org)))
    if (unwritable := audit_warning(settings, paths)) is not None:
        found.problems.append(unwritable)
    if settings.hide_fields:
        found.facts.append(("hidden fields", f"{', '.join(settings.hide_fields)}; files and /v1 have their cells"))
    found.facts.append(("files", describe_files(settings, paths)))
    if settings.save_roots:
        found.facts.append(("saved rows", describe_saved_rows(settings)))
    await _check_callers(settings, paths, found)
    await _check_ports(settings, found)
    return found


async def _check_org(settings: Settings, paths: LocalPaths, org: EmbeddedOrg | None, found: Checkup) -> None:
    with loading():  # only here, as in `serve`
        from salesforce_bulk_ingest.app.services import open_services

    async with open_services(settings, paths, org) as services:
        try:
            known = await _identified(settings, services, found)
            found.facts.append(("ingest jobs", await _ingest_jobs(settings, services)))
            found.facts.append(("limits", await _limits(services)))
            found.facts.append(("permissions", await _permissions(services, found)))
            if known.may_be_production and not settings.read_only and settings.expect_org is None:
                found.facts.append(("expect_org", _line_to_paste(known, place_of_org(settings, paths.settings_file))))
        except NoCredentials as error:
            configured = services.org
            found.facts.append(("org", str(configured.org or configured.login or "none")))
            found.problems.append(str(error))
        except _NoSuchVersion as error:
            found.problems.append(str(error))
        except SalesforceError as error:
            found.problems.append(f"{as_sentence(str(error))} {_advice(error, settings)}".strip())


async def _identified(settings: Settings, services: "Services", found: Checkup) -> Org:
    """Return the org, and note which one it is and who the user is: its address at least, where it does not answer."""
    address = await services.client.address()
    try:
        org = await services.client.org()
    except SalesforceError:
        found.facts.append(("org", str(address)))
        raise
    expected = " (the expected one)" if settings.expect_org is not None else ""
    found.facts.append(("org", str(org)))
    found.facts.append((ORGANIZATION, f"{_organization(org)}{expected}"))
    found.facts.append(("user", _user(await services.client.identity())))
    return org


def _advice(error: SalesforceError, settings: Settings) -> str:
    if error.code in API_DISABLED:
        return NO_API
    advice = next((text for kind, text in _WHAT_TO_DO if isinstance(error, kind)), "")
    return advice.format(address=_address(settings), token=_setting(settings, "access_token"))


async def _limits(services: "Services") -> str:
    """Return what is left for today; who may not see it can load all the same."""
    try:
        told = await services.client.limits()
    except SalesforceError:
        return "not told to this user: that takes the permission View Setup and Configuration"
    kinds = (("API requests", told.daily_api_requests), ("batches", told.daily_bulk_api_batches))
    left = [f"{kind.remaining:,} of {kind.max:,} {name}" for name, kind in kinds if kind is not None]
    return f"{' and '.join(left)} left for 24 hours" if left else "not told"


async def _permissions(services: "Services", found: Checkup) -> str:
    """Return which permissions for loads the user has, and note as a problem what the policy allows and the org does not."""
    api = "API Enabled: yes"  # the API has just answered
    policy = services.operations.policy
    if policy.read_only or "hardDelete" in policy.refused_operations:
        return api
    try:
        hard_delete = (await services.client.permissions()).permissions_bulk_api_hard_delete
    except SalesforceError:
        hard_delete = None
    if hard_delete is False:
        found.problems.append(NO_HARD_DELETE)
    return f"{api}, Bulk API Hard Delete: {'not known' if hard_delete is None else 'yes' if hard_delete else 'no'}"


def _line_to_paste(org: Org, place: str) -> str:
    """Return what holds a server that may write into production to this org."""
    if org.organization_id is None:
        return "not set, and can't be: this login does not tell its organization"
    return (
        f'not set: any org that the login opens is written to; paste into {place}: expect_org = "{org.organization_id}"'
    )


def _user(user: Identity | None) -> str:
    if user is None or user.preferred_username is None:
        return "not told to this login"
    name = quoted(user.name) if user.name else "unnamed"
    return f"{name} ({quoted(user.preferred_username)})"


def _organization(org: Org) -> str:
    if org.organization_id is None:
        return f"not told to this login, so rows sent again are known by the host name {org.host} alone"
    return org.organization_id


class _NoSuchVersion(Exception):
    """The org does not have the API version of the settings; the message says what to do."""


async def _ingest_jobs(settings: Settings, services: "Services") -> str:
    try:
        listing = await services.operations.jobs.list(job_type="V2Ingest")
    except NotFound:
        if await services.client.identity() is None:
            raise
        # The host has just identified the user, so it is an org, and only a wrong API version explains a 404.
        version = services.client.api_version
        raise _NoSuchVersion(
            f"The org has no API version {version}: choose one that it has in {_setting(settings, 'api_version')}, such as "
            "63.0."
        ) from None
    return f"{listing.on_page} on the first page"


def _address(settings: Settings) -> str:
    """Return the names of the settings that the addresses of the org and its login host come from."""
    if settings.org is not None:
        return f"the login of the Salesforce CLI that {_setting(settings, 'org')} names"
    hosts = [name for name in ("login_url", "instance_url") if getattr(settings, name) is not None]
    named = [_setting(settings, name) for name in hosts]
    if settings.instance is not None or not named:
        named.append(f"{_setting(settings, 'instance')}, which is a name such as acme.my")
    return " and ".join(named)


def _setting(settings: Settings, name: str) -> str:
    """Return where a setting is set: with a chosen org in its table alone."""
    if settings.org_name is not None:
        return f"{name} in {as_table(settings.org_name)} of the settings file"
    return f"{ENV_NAMES[name]} (or {name} in the settings file)"


def _confirmation(settings: Settings) -> str:
    """Return which closes a person has to confirm, and how."""
    rules = confirm_rules(settings)
    if settings.read_only or not rules:
        return "none is asked for"
    ways = {
        "sentence": "by a dialog, else a repeated sentence",
        "operator": f"by a dialog over stdio, else `{PROGRAM} approve`",
        "refuse": "by a dialog over stdio",
    }
    return f"{', '.join(rules)}: {ways[settings.confirm_without_dialog]}"


def _audit(settings: Settings, paths: LocalPaths, org: EmbeddedOrg | None) -> str:
    """Return where changes are noted."""
    file = audit_file(settings, org.folder if org else paths.state_dir)
    if file is None:
        return "standard error"
    return "in the folder of the embedded org" if org is not None and settings.audit is None else _below_home(file)


def _below_home(file: Path) -> str:
    """Return the path of a file as people write it."""
    home = Path.home()
    return f"~/{file.relative_to(home).as_posix()}" if file.is_relative_to(home) else str(file)


async def _check_callers(settings: Settings, paths: LocalPaths, found: Checkup) -> None:
    try:
        check_callers(settings, paths)
        found.facts.append(("callers", describe_callers(settings, paths)))
    except CantStart as error:
        found.problems.append(str(error))
    async with issuer_keys(settings) as keys:
        try:
            if keys is not None:
                await keys.find("any", "RS256")  # whether they can be had is all that counts
        except Undecided as error:
            named = "oauth_jwks_url" if settings.oauth_jwks_url else "oauth_issuer"
            found.problems.append(f"{as_sentence(str(error))} Check {named}: until then no access token is good here.")


async def _check_ports(settings: Settings, found: Checkup) -> None:
    """Note which ports of `serve` are free, and as a problem each that another program has or that can't be used."""
    ports = [
        ("MCP", settings.mcp_host, settings.mcp_port, "--mcp-port", LIVE),
        ("REST", settings.rest_host, settings.rest_port, "--rest-port", LIVE),
    ]
    if settings.emulator_port:
        ports.append(("embedded org", "127.0.0.1", settings.emulator_port, "--emulator-port", VERSIONS))
    told = []
    for name, host, port, flag, path in ports:
        use = "is free"
        try:
            with bound_socket(host, port, flag):
                pass
        except PortBusy as busy:
            use = "is in use"
            if await _answers(f"http://{in_url(host)}:{port}{path}"):
                use = "is in use by a server like this"
            else:
                found.problems.append(str(busy))
        except CantStart as error:
            use = "can't be used"
            found.problems.append(str(error))
        told.append(f"{name} {host}:{port} {use}")
    found.facts.append(("ports", ", ".join(told)))


async def _answers(url: str) -> bool:
    """Return whether an address of this machine answers as servers like this one do: this user's own may run there."""
    async with httpx2.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as http:
        try:
            # A server that listens for other machines does not go by the address that it listens on.
            answer = await http.get(url, headers={"Host": "localhost"})
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return False
    return answer.is_success and answer.headers.get("Content-Type", "").startswith("application/json")
