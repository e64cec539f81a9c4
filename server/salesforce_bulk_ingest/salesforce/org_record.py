"""The Organization record of an org, by which people know it: its name, and whether it is a sandbox."""

import logging
from dataclasses import replace
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, Field

from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.org import DEVELOPER, PRODUCTION, SANDBOX, SCRATCH, Org, is_same_organization
from salesforce_bulk_ingest.salesforce.parsing import parsed
from salesforce_bulk_ingest.salesforce.transport import (
    authorized,
    body_of,
    check_no_redirect,
    deadline,
    raise_for_status,
    sent,
)

QUERY = "SELECT Id, Name, IsSandbox, OrganizationType FROM Organization"
"""Any user who may use the API can read these fields (Object Reference, Organization)."""

ASKING_SECONDS = 5
"""The most seconds of asking: an answer that names the org by its host is better than a late one."""

logger = logging.getLogger(__name__)


class _Record(BaseModel):
    id: str = Field(alias="Id")
    name: str = Field(alias="Name", min_length=1)
    is_sandbox: bool | None = Field(None, alias="IsSandbox")
    edition: str | None = Field(None, alias="OrganizationType")


class _Found(BaseModel):
    records: list[_Record] = Field(min_length=1, max_length=1)


async def as_named(org: Org, http: httpx2.AsyncClient, credentials: Credentials, api_version: str) -> Org:
    """Return the org with the name and the kind that it tells; as it is where it tells none just now."""
    try:
        with deadline(ASKING_SECONDS):
            record = await _asked(http, credentials, api_version)
    except SalesforceError as error:
        logger.debug("%s does not tell its name: %s", org, error)
        return org
    if org.organization_id is not None and not is_same_organization(record.id, org.organization_id):
        return org
    return replace(org, name=record.name, kind=_kind(record, org.kind))


async def _asked(http: httpx2.AsyncClient, credentials: Credentials, api_version: str) -> _Record:
    url = f"{credentials.instance_url}/services/data/v{api_version}/query?q={quote(QUERY)}"
    headers = authorized(credentials, [("Accept", "application/json")])
    async with sent(http, http.build_request("GET", url, headers=headers), credentials) as response:
        await raise_for_status(response)
        check_no_redirect(response)
        return parsed(_Found, await body_of(response), "the organization").records[0]


def _kind(record: _Record, by_host: str) -> str:
    """Return the kind of org in words: what the org says counts, and its host says more of what is neither."""
    if record.is_sandbox is None or by_host == SCRATCH:  # scratch orgs may say that they are sandboxes
        return by_host
    if record.is_sandbox:
        return SANDBOX
    is_for_developers = by_host == DEVELOPER or record.edition == "Developer Edition"
    return DEVELOPER if is_for_developers else PRODUCTION
