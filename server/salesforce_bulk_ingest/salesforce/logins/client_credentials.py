"""The login with the consumer key and secret of an app (OAuth 2.0 client credentials flow)."""

from dataclasses import dataclass

from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint


@dataclass(frozen=True, slots=True)
class ClientCredentialsLogin:
    """The login of an app as the user that it runs as (Salesforce Help, OAuth 2.0 Client Credentials Flow).

    Attributes:
        endpoint: the token resource of the org's My Domain: `login` and `test` refuse this grant.
        client_id: the consumer key.
        client_secret: the consumer secret.
    """

    endpoint: TokenEndpoint
    client_id: str
    client_secret: SecretStr

    async def log_in(self) -> Credentials:
        """Return a new access token; see `Login`."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }
        return (await self.endpoint.request(form)).credentials
