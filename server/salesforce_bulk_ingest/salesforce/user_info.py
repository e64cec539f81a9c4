"""The user of an access token, and the organization that the token opens (Salesforce Help, UserInfo Endpoint)."""

import httpx2

from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import LimitReached, Rejected, SessionExpired, rejected
from salesforce_bulk_ingest.salesforce.models import Identity
from salesforce_bulk_ingest.salesforce.parsing import parsed
from salesforce_bulk_ingest.salesforce.transport import authorized, body_of, check_no_redirect, refused, sent

USERINFO_PATH = "/services/oauth2/userinfo"


async def user_of(http: httpx2.AsyncClient, credentials: Credentials) -> Identity | None:
    """Return the user of a token; None where the login may not ask.

    Raises:
        SessionExpired: the token is not valid.
        SalesforceError: the user can't be learned just now.
    """
    try:
        return await _told_by_org(http, credentials)
    except Rejected as error:
        # Access to userinfo is a matter of the login's scopes (Salesforce Help, OAuth Tokens and Scopes).
        if isinstance(error, SessionExpired | LimitReached) or error.status not in (403, 404):
            raise
        return None


async def _told_by_org(http: httpx2.AsyncClient, credentials: Credentials) -> Identity:
    headers = authorized(credentials, [("Accept", "application/json")])
    request = http.build_request("GET", f"{credentials.instance_url}{USERINFO_PATH}", headers=headers)
    async with sent(http, request, credentials) as response:
        body = await body_of(response)
    # A token that is not valid is told with 403 and a text (seen in public code).
    if response.status_code == 401 or body.strip() == b"Bad_OAuth_Token":
        raise rejected(401, "INVALID_SESSION_ID", "Session expired or invalid")
    check_no_redirect(response)
    if not response.is_success:
        raise refused(response, body)
    return parsed(Identity, body, "the user of the access token")
