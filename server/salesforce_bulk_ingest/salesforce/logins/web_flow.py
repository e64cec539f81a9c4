"""The login of a user in a browser (OAuth 2.0 web server flow, with PKCE)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pydantic import SecretStr

from salesforce_bulk_ingest.base.text import as_name, quoted
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import Granted, TokenEndpoint

SCOPE = "api refresh_token id"
"""What the app is asked for: the API, a refresh token, and who has logged in (Salesforce Help, OAuth Tokens and Scopes)."""

_DENIED = "Access was denied: log in again and press Allow, or ask the org's administrator to let you use the app."


def _secret() -> str:
    return secrets.token_urlsafe(48)


@dataclass(frozen=True, slots=True)
class WebFlow:
    """One login in a browser, from its URL to its tokens (Salesforce Help, OAuth 2.0 Web Server Flow; RFC 7636).

    Attributes:
        endpoint: the token resource of the login host.
        client_id: the consumer key.
        client_secret: the consumer secret, for an app that requires it.
        redirect_uri: where the browser is sent with the code; one of the app's callback URLs.
        state: what the callback has to bring back: else it is that of another login.
        verifier: the secret of this login, of which the login host is shown the hash first.
    """

    endpoint: TokenEndpoint
    client_id: str
    client_secret: SecretStr | None
    redirect_uri: str
    state: str = field(default_factory=_secret, repr=False)
    verifier: str = field(default_factory=_secret, repr=False)

    @property
    def url(self) -> str:
        """The URL at which the user logs in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.endpoint.login_url}/services/oauth2/authorize?{urlencode(parameters)}"

    def is_ours(self, callback: Mapping[str, str]) -> bool:
        """Return whether a callback is that of this login."""
        return hmac.compare_digest(callback.get("state", "").encode(), self.state.encode())

    async def granted(self, callback: Mapping[str, str]) -> Granted:
        """Return the tokens for the code of a callback.

        Args:
            callback: the parameters of the callback.

        Raises:
            NoCredentials: the user or the login host refused.
            Unreachable: the login host gave no answer.
        """
        code = callback.get("code")
        if not code:
            raise NoCredentials(_refusal(callback))
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code": code,
            "code_verifier": self.verifier,
        }
        if self.client_secret is not None:
            form["client_secret"] = self.client_secret.get_secret_value()
        return await self.endpoint.request(form)


def _refusal(callback: Mapping[str, str]) -> str:
    error = callback.get("error", "no code")
    if error == "access_denied":
        return _DENIED
    return f"The login was refused ({as_name(error)}, {quoted(callback.get('error_description', error))})."
