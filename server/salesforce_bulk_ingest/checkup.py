"""What `check` finds out: which org, which user, which policy, what is wrong."""

from dataclasses import dataclass, field

from salesforce_bulk_ingest import __version__
from salesforce_bulk_ingest.app import PortBusy, bound_socket, open_services, policy_of
from salesforce_bulk_ingest.ingest.advice import after_error
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SalesforceError
from salesforce_bulk_ingest.settings import Settings, default_settings_file


@dataclass(slots=True)
class Checkup:
    """Facts in the order to show them, and problems with what to do about each."""

    facts: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def check_up(settings: Settings, org_url: str | None) -> Checkup:
    """Look at everything once; nothing is changed anywhere."""
    found = Checkup()
    file = default_settings_file()
    found.facts.append(("version", __version__))
    found.facts.append(("settings file", f"{file}{'' if file.exists() else ' (not there)'}"))
    await _check_org(settings, org_url, found)
    found.facts.append(("API version", settings.api_version))
    found.facts.append(("policy", policy_of(settings).describe()))
    _check_port("MCP port", settings.mcp_host, settings.mcp_port, found)
    _check_port("REST port", settings.rest_host, settings.rest_port, found)
    return found


async def _check_org(settings: Settings, org_url: str | None, found: Checkup) -> None:
    async with open_services(settings, org_url) as services:
        try:
            found.facts.append(("org", str(await services.jobs.org())))
            user = await services.client.identity()
            found.facts.append(
                ("user", f"{user.name} ({user.preferred_username}), organization {user.organization_id}")
            )
            listing = await services.jobs.list(job_type="V2Ingest")
            found.facts.append(("ingest jobs", f"{listing.on_page} on the first page"))
        except NoCredentials as error:
            found.facts.append(("org", "none"))
            found.problems.append(str(error))
        except SalesforceError as error:
            found.problems.append(f"{error.code}: {error} {after_error(error)}")


def _check_port(name: str, host: str, port: int, found: Checkup) -> None:
    try:
        with bound_socket(host, port):
            found.facts.append((name, f"{host}:{port} is free"))
    except PortBusy as busy:
        found.facts.append((name, str(busy).rstrip(".")))
