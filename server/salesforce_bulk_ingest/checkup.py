"""What `check` finds out: which org, which user, which policy, what is wrong."""

from dataclasses import dataclass, field

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import EmbeddedOrg, open_services, policy_of
from salesforce_bulk_ingest.ports import PortBusy, bound_socket
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
from salesforce_bulk_ingest.settings import Places, Settings

# For the person at this machine; what a model is told is in ingest/advice.py. The most specific class first.
_WHAT_TO_DO: tuple[tuple[type[SalesforceError], str], ...] = (
    (
        SessionExpired,
        "Put a new access token where the old one was (SALESFORCE_AUTOMATION_API_KEY or access_token in the settings "
        "file), or log in again with the Salesforce CLI.",
    ),
    (
        NotFound,
        "The host answers, but not as a Salesforce org: check the instance's name (SALESFORCE_INSTANCE, such as acme.my) "
        "and SALESFORCE_API_VERSION.",
    ),
    (LimitReached, "The org takes no more requests for now: try again later."),
    (Unreachable, "Check the instance's name (SALESFORCE_INSTANCE, such as acme.my), the network and the proxy."),
    (UnexpectedAnswer, "Check the instance's name (SALESFORCE_INSTANCE, such as acme.my)."),
    (Unavailable, "Salesforce is out of order for now: try again later."),
    (Rejected, "If this is the right host, ask the org's administrator whether this user may use the API."),
)


@dataclass(slots=True)
class Checkup:
    """Facts in the order to show them, and problems with what to do about each."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def check_up(settings: Settings, places: Places, org: EmbeddedOrg | None) -> Checkup:
    """Look at everything once; nothing is changed anywhere."""
    found = Checkup()
    file = places.settings_file
    found.facts.append(("version", __version__))
    found.facts.append(("settings file", f"{file}{'' if file.exists() else ' (not there)'}"))
    await _check_org(settings, places, org, found)
    found.facts.append(("API version", settings.api_version))
    found.facts.append(("policy", policy_of(settings).describe()))
    _check_port("MCP port", settings.mcp_host, settings.mcp_port, found)
    _check_port("REST port", settings.rest_host, settings.rest_port, found)
    return found


async def _check_org(settings: Settings, places: Places, org: EmbeddedOrg | None, found: Checkup) -> None:
    async with open_services(settings, places, org) as services:
        try:
            found.facts.append(("org", str(await services.jobs.org())))
            user = await services.client.identity()
            found.facts.append(("user", f"{user.name or 'unnamed'} ({user.preferred_username})"))
            found.facts.append(("organization", user.organization_id))
            listing = await services.jobs.list(job_type="V2Ingest")
            found.facts.append(("ingest jobs", f"{listing.on_page} on the first page"))
        except NoCredentials as error:
            found.facts.append(("org", "none"))
            found.problems.append(str(error))
        except SalesforceError as error:
            advice = next((text for kind, text in _WHAT_TO_DO if isinstance(error, kind)), "")
            found.problems.append(f"{_as_sentence(str(error))} {advice}".strip())


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
