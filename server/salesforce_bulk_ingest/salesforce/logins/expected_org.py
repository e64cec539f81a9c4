"""A login that may open one organization alone."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import (
    LimitReached,
    NoCredentials,
    Rejected,
    SessionExpired,
    SessionRefused,
    UnexpectedAnswer,
    Unreachable,
)
from salesforce_bulk_ingest.salesforce.models import Identity
from salesforce_bulk_ingest.salesforce.org import is_same_organization
from salesforce_bulk_ingest.salesforce.session import Login
from salesforce_bulk_ingest.salesforce.transport import deadline
from salesforce_bulk_ingest.salesforce.user_info import USERINFO_PATH, user_of

ASKING_SECONDS = 10
"""The most seconds of asking which organization a token opens: with the login, under the time of the call that waits."""


@dataclass(frozen=True, slots=True)
class ExpectedOrg:
    """A login whose organization is asked for and compared, before any other call goes out with its token.

    Attributes:
        login: the way to log in.
        expected: the id of the organization, 15 or 18 characters.
        http: the connection pool.
    """

    login: Login
    expected: str
    http: httpx2.AsyncClient

    async def log_in(self) -> Credentials:
        """Return credentials for the expected organization; see `Login`.

        Raises:
            NoCredentials: the login opens another organization, or does not tell which one.
            SessionExpired: the token is not valid.
        """
        given = await self.login.log_in()
        user = await self._user(given)
        found = user.organization_id if user is not None else None
        host = urlsplit(given.instance_url).netloc
        if found is None:
            raise NoCredentials(
                f"expect_org is {self.expected}, and this login does not tell which organization it opens ({host}): no "
                f"other call was made. Its scopes have to allow {USERINFO_PATH}."
            )
        if not is_same_organization(found, self.expected):
            raise NoCredentials(
                f"expect_org is {self.expected}, but this login opens {found} ({host}): no other call was made. Choose the "
                "login of the org that is meant, or change expect_org (SALESFORCE_EXPECT_ORG)."
            )
        return given

    async def _user(self, credentials: Credentials) -> Identity | None:
        try:
            with deadline(ASKING_SECONDS):
                return await user_of(self.http, credentials)
        except (SessionExpired, SessionRefused, LimitReached, UnexpectedAnswer):
            raise
        except Rejected as error:
            # Of the call that waits for the login, nothing was sent, whatever this status says.
            raise Unreachable(f"Which organization it opens can't be learned: {error}") from error
