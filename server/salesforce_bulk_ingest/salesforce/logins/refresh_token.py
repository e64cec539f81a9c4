"""The login with a refresh token (OAuth 2.0 refresh token flow)."""

import logging

from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import Granted, TokenEndpoint

logger = logging.getLogger(__name__)


async def refreshed(
    endpoint: TokenEndpoint, client_id: str, client_secret: SecretStr | None, refresh_token: SecretStr
) -> Granted:
    """Return what a refresh token gives (Salesforce Help, OAuth 2.0 Refresh Token Flow).

    Raises:
        NoCredentials: the refresh token is refused.
        Unreachable: the login host gave no answer.
        UnexpectedAnswer: the answer is not that of a login host.
    """
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "refresh_token": refresh_token.get_secret_value(),
    }
    if client_secret is not None:
        form["client_secret"] = client_secret.get_secret_value()
    return await endpoint.request(form)


class RefreshTokenLogin:
    """The login with a refresh token from the settings.

    Where the org gives a new refresh token each time, that one is known for as long as the process lives: the settings can't
    be written.

    Args:
        endpoint: the token resource of `login`, `test` or a My Domain.
        client_id: the consumer key of the app that the token was made for.
        client_secret: the consumer secret, or None for an app that does not require it.
        refresh_token: the refresh token.
    """

    def __init__(
        self, endpoint: TokenEndpoint, client_id: str, client_secret: SecretStr | None, refresh_token: SecretStr
    ) -> None:
        self._endpoint = endpoint
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh_token = refresh_token

    async def log_in(self) -> Credentials:
        """Return a new access token; see `Login`."""
        granted = await refreshed(self._endpoint, self._client_id, self._client_secret, self._refresh_token)
        if granted.refresh_token is not None and granted.refresh_token != self._refresh_token:
            self._refresh_token = granted.refresh_token
            logger.warning(
                "the org has replaced the refresh token of the settings, which works no more once this process has ended; "
                "`salesforce-bulk-ingest login` keeps each new one"
            )
        return granted.credentials
