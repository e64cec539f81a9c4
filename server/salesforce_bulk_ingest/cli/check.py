"""What `check` finds out: which org, which user, which policy, what is wrong."""

from dataclasses import dataclass, field

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import EmbeddedOrg, Services, open_services, policy_of, upload_roots_of
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    NoCredentials,
    NotFound,
    Rejected,
    SalesforceError,
    SessionExpired,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from salesforce_bulk_ingest.serving.ports import PortBusy, bound_socket
from salesforce_bulk_ingest.settings import LocalPaths, Settings

# For the person at this machine; what a model is told is in ingest/advice.py. The most specific class first.
_WHAT_TO_DO: tuple[tuple[type[SalesforceError], str], ...] = (
    (
        SessionExpired,
        "Put a new access token where the old one was (SALESFORCE_AUTOMATION_API_KEY or access_token in the settings "
        "file), or log in again with the Salesforce CLI.",
    ),
    (
        NotFound,
        "The host answers, but not as a Salesforce org: check {address}.",
    ),
    (LimitReached, "The org takes no more requests for now: try again later."),
    (Unreachable, "Check {address}, the network and the proxy."),
    (UnexpectedAnswer, "Check {address}."),
    (Unavailable, "Salesforce is out of order for now: try again later."),
    (Rejected, "If this is the right host, ask the org's administrator whether this user may use the API."),
)


@dataclass(slots=True)
class Checkup:
    """Facts in the order to show them, and problems with what to do about each."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def check_up(settings: Settings, places: LocalPaths, org: EmbeddedOrg | None) -> Checkup:
    """Look at everything once; nothing is changed anywhere."""
    found = Checkup()
    file = places.settings_file
    found.facts.append(("version", __version__))
    found.facts.append(("settings file", f"{file}{'' if file.exists() else ' (not there)'}"))
    await _check_org(settings, places, org, found)
    found.facts.append(("API version", settings.api_version))
    found.facts.append(("policy", policy_of(settings).describe()))
    found.facts.append(("files", _files(settings, places)))
    _check_port("MCP port", settings.mcp_host, settings.mcp_port, found)
    _check_port("REST port", settings.rest_host, settings.rest_port, found)
    return found


async def _check_org(settings: Settings, places: LocalPaths, org: EmbeddedOrg | None, found: Checkup) -> None:
    async with open_services(settings, places, org) as services:
        try:
            found.facts.append(("org", str(await services.operations.jobs.org())))
            user = await services.client.identity()
            found.facts.append(("user", f"{user.name or 'unnamed'} ({user.preferred_username})"))
            found.facts.append(("organization", user.organization_id))
            found.facts.append(("ingest jobs", await _ingest_jobs(services)))
        except NoCredentials as error:
            found.facts.append(("org", "none"))
            found.problems.append(str(error))
        except _NoSuchVersion as error:
            found.problems.append(str(error))
        except SalesforceError as error:
            advice = next((text for kind, text in _WHAT_TO_DO if isinstance(error, kind)), "")
            advice = advice.format(address=_address(settings))
            found.problems.append(f"{_as_sentence(str(error))} {advice}".strip())


class _NoSuchVersion(Exception):
    """The org has not the API version of the settings; the message says so and what to do."""


async def _ingest_jobs(services: Services) -> str:
    try:
        listing = await services.operations.jobs.list(job_type="V2Ingest")
    except NotFound:
        # It has just told the user, so it is an org; and only the version stands between its name and its jobs.
        version = services.client.api_version
        raise _NoSuchVersion(
            f"The org has no API version {version}: choose one that it has in SALESFORCE_API_VERSION (or api_version in "
            "the settings file), such as 63.0."
        ) from None
    return f"{listing.on_page} on the first page"


def _address(settings: Settings) -> str:
    """Where the org's address was said."""
    if settings.org is not None:
        return "the login of the Salesforce CLI that SALESFORCE_ORG (or org in the settings file) names"
    if settings.instance_url is not None:
        return "SALESFORCE_INSTANCE_URL (or instance_url in the settings file)"
    return "SALESFORCE_INSTANCE (or instance in the settings file), which is a name such as acme.my"


def _files(settings: Settings, places: LocalPaths) -> str:
    """Where files for uploads may lie, and how much of one goes up at once."""
    if settings.read_only:
        return "none are read, since nothing is uploaded"
    roots = upload_roots_of(settings, places).roots
    if not roots:
        other = "the working folder is /, a home or the system's"
        reason = "other machines are served" if places.working_dir is not None else other
        return f"none are read, since {reason} and no --upload-root is named"
    chosen = "" if settings.upload_roots else " (the working folder)"
    return f"under {' and '.join(map(str, roots))}{chosen}, up to {settings.max_upload_bytes:,} bytes an upload"


def _check_port(name: str, host: str, port: int, found: Checkup) -> None:
    try:
        with bound_socket(host, port):
            found.facts.append((name, f"{host}:{port} is free"))
    except PortBusy:
        # Not a fault: it may well be this program's own `serve`.
        found.facts.append((name, f"{host}:{port} is in use; a second `serve` needs another"))


def _as_sentence(message: str) -> str:
    """Salesforce's own messages come with and without a full stop."""
    return message if message.endswith((".", "!", "?")) else f"{message}."
