"""The login that the command `login` has saved."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

import anyio
import httpx2

from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore, StoredLogin
from salesforce_bulk_ingest.salesforce.logins.refresh_token import refreshed
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import Granted, TokenEndpoint

logger = logging.getLogger(__name__)

LOCK_SECONDS = 15.0
"""How long a login waits for that of another process: less than a call takes, more than a login does."""


@dataclass(slots=True)
class SavedLogin:
    """The login of a user who has logged in with the command `login`, by the refresh token that it has saved.

    Processes that share the login take turns: where an org replaces refresh tokens, a replaced one that comes again ends the
    login (Salesforce Help, 005316711).

    Attributes:
        store: the place of the saved login.
        http: the connection pool.
        client_id: the consumer key in the settings, if there is one: another one in the saved login is a mistake.
        instance_url: the origin of the org in the settings, likewise.
        without: what to say where nobody has logged in.
        lock_seconds: the most seconds to wait for the login of another process.
        login_url: the origin of the login host in the settings, likewise.
    """

    store: LoginStore
    http: httpx2.AsyncClient
    client_id: str | None
    instance_url: str | None
    without: str
    lock_seconds: float = LOCK_SECONDS
    login_url: str | None = None
    _not_kept: StoredLogin | None = field(default=None, init=False)

    async def log_in(self) -> Credentials:
        """Return a new access token; see `Login`."""
        # Whoever has not logged in needs no folder for a lock.
        if not await run_in_thread(self.store.file.exists):
            raise NoCredentials(self.without)
        async with self.store.locked(self.lock_seconds):
            saved = self._not_kept or await run_in_thread(self.store.load)
            if saved is None:
                raise NoCredentials(self.without)
            self._check(saved)
            # To its end: the answer may hold the only refresh token that counts from then on.
            with anyio.CancelScope(shield=True):
                granted = await self._granted(saved)
        return granted.credentials

    async def _granted(self, saved: StoredLogin) -> Granted:
        endpoint = TokenEndpoint(self.http, saved.login_url, _origins(saved))
        granted = await refreshed(endpoint, saved.client_id, saved.client_secret, saved.refresh_token)
        if granted.refresh_token not in (None, saved.refresh_token):
            await self._keep(saved.model_copy(update={"refresh_token": granted.refresh_token}))
        return granted

    async def _keep(self, login: StoredLogin) -> None:
        """Keep a login with a new refresh token, in memory where it can't be kept elsewhere: the one before has ended."""
        self._not_kept = login
        try:
            await run_in_thread(self.store.save, login)
        except NoCredentials as error:
            logger.warning("the new refresh token is known to this process alone, which should not end now: %s", error)
        else:
            self._not_kept = None

    def _check(self, saved: StoredLogin) -> None:
        """Raise NoCredentials where the settings name another app, org or login host than the saved login is of."""
        if self.client_id not in (None, saved.client_id):
            raise NoCredentials(
                "The saved login is of another app than client_id (SALESFORCE_CLIENT_ID) names: log in again with "
                "`salesforce-bulk-ingest login`, or take client_id out."
            )
        named = [url for url in (self.instance_url, self.login_url) if url not in (None, *_origins(saved))]
        if named:
            raise NoCredentials(
                f"The saved login is of {saved.instance_url}, but the settings name {named[0]}: log in again with "
                "`salesforce-bulk-ingest login`, or change the settings."
            )


def _origins(saved: StoredLogin) -> Collection[str]:
    return saved.login_url, saved.instance_url
