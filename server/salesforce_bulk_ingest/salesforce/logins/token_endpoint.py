"""The token resource of a login host (Salesforce Help, OAuth Authorization Flows)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx2
from pydantic import BaseModel, SecretStr, ValidationError

from salesforce_bulk_ingest.base.text import as_name, quoted
from salesforce_bulk_ingest.salesforce.credentials import Credentials, checked_token
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, Rejected, Unreachable
from salesforce_bulk_ingest.salesforce.instance_url import trusted_instance_url
from salesforce_bulk_ingest.salesforce.transport import body_of, check_no_redirect, deadline, mapped_errors, refused

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path
REVOKE_PATH = "/services/oauth2/revoke"

UNKNOWN_TOKEN = "invalid_token"  # noqa: S105 - the code of an error
"""The error of a revocation of a token that the login host does not know, or not any more (assumed)."""

PUBLIC_PARAMETERS = frozenset({"grant_type", "client_id", "redirect_uri"})
"""The parameters of a grant that are no secrets."""

PASSING = b"token request is already being processed"
"""The refusal of two refreshes at the same time (Salesforce release notes, as seen in public code): it passes."""

LOGIN_SECONDS = 20
"""The most seconds of a request for a token: well under the time of the call that waits for it."""

_REMEDIES = (
    (
        "audience validation failed",
        "The login host is not that of the org: login_url (SALESFORCE_LOGIN_URL) is `login` for production, `test` for a "
        "sandbox.",
    ),
    (
        "expired authorization code",
        "The clock of this machine is wrong by minutes, so the assertion has expired: set it.",
    ),
    (
        "expired access/refresh token",
        "The refresh token was revoked, has expired, or was used by another program: log in again.",
    ),
    (
        "user hasn't approved this consumer",
        "The user is not pre-authorized for the app: in Setup, add a permission set or profile of the user to the app.",
    ),
    (
        "no client credentials user enabled",
        'The app has no user to run as: in Setup, enable the client credentials flow and choose "Run As" in its policies.',
    ),
    (
        "client identifier invalid",
        "The consumer key (client_id) is not that of an app of this org; a new app takes up to ten minutes to count.",
    ),
    ("invalid_client", "The consumer secret (client_secret) is wrong, or missing for an app that requires it."),
    (
        "unsupported_grant_type",
        "The app does not allow this way to log in, or the host does not: client credentials go to the My Domain alone.",
    ),
    ("inactive_user", "The user is not active."),
    ("inactive_org", "The org is not active."),
    ("login rate", "The org takes no more logins for now: wait some minutes."),
    ("redirect_uri", "The callback URL of the app has to be redirect_uri (SALESFORCE_REDIRECT_URI), letter by letter."),
    ("rate_limit", "The org takes no more logins for now: wait some minutes."),
)
"""What to do, by a part of the error or its description, in lower case (Salesforce Help, OAuth 2.0 Authorization Errors; the
reference's 7.3). The first that fits counts."""


class _Body(BaseModel):
    """The body of a success (no lifetime is told: there is no `expires_in`)."""

    access_token: SecretStr
    instance_url: str
    refresh_token: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """What a grant gave.

    Attributes:
        credentials: the URL of the org and its access token.
        refresh_token: a refresh token that takes the place of the one before; None where that stays.
    """

    credentials: Credentials
    refresh_token: SecretStr | None


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """The token resource of one login host.

    Attributes:
        http: the connection pool.
        login_url: the origin of the login host.
        configured: the origins that the settings name: the token may be sent to them, whatever host they are.
    """

    http: httpx2.AsyncClient
    login_url: str
    configured: Collection[str] = ()

    async def request(self, form: Mapping[str, str]) -> Granted:
        """Ask for an access token.

        Args:
            form: the parameters of the grant.

        Raises:
            NoCredentials: the login is refused, or its answer names a host that is not Salesforce's.
            Unreachable: the login host gave no answer, or is out of order.
            UnexpectedAnswer: the answer is not that of a login host.
        """
        with deadline(LOGIN_SECONDS):
            return self._granted(await self._post(form))

    async def revoke(self, refresh_token: SecretStr) -> None:
        """End a refresh token, and the access tokens that it gave (Salesforce Help, Revoke OAuth Tokens).

        Raises:
            NoCredentials: the login host does not end it; one that it does not know has ended before.
            Unreachable: the login host gave no answer, or is out of order.
        """
        with deadline(LOGIN_SECONDS):
            try:
                await self._post({"token": refresh_token.get_secret_value()}, REVOKE_PATH)
            except NoCredentials as error:
                if UNKNOWN_TOKEN not in str(error):
                    raise

    async def _post(self, form: Mapping[str, str], path: str = TOKEN_PATH) -> bytes:
        headers = {"Accept": "application/json"}
        request = self.http.build_request("POST", f"{self.login_url}{path}", data=dict(form), headers=headers)
        with mapped_errors(Credentials(self.login_url, SecretStr(""))):
            response = await self.http.send(request, stream=True)
            try:
                body = await body_of(response)
            finally:
                await response.aclose()
        check_no_redirect(response)
        if response.status_code >= 500:
            raise Unreachable(f"{self.login_url} answered with status {response.status_code}.")
        if not response.is_success and PASSING in body:
            raise Unreachable(f"{self.login_url} is busy with another login of this app.")
        if not response.is_success:
            secrets = [value for name, value in form.items() if name not in PUBLIC_PARAMETERS]
            raise self._refused(refused(response, body, secrets))
        return body

    def _granted(self, body: bytes) -> Granted:
        try:
            told = _Body.model_validate_json(body)
            token = SecretStr(checked_token(told.access_token.get_secret_value()))
        except (ValidationError, ValueError):
            raise NoCredentials(
                f"{self.login_url} gave no access token: login_url (SALESFORCE_LOGIN_URL) has to be `login`, `test` or a My "
                "Domain."
            ) from None
        try:
            instance_url = trusted_instance_url(told.instance_url, self.configured)
        except ValueError:
            raise NoCredentials(
                f"The login answered that the org is at {quoted(told.instance_url)}, which is no host of Salesforce's API: "
                "no token was sent there. If it is right, name it as instance_url (SALESFORCE_INSTANCE_URL)."
            ) from None
        return Granted(Credentials(instance_url, token), told.refresh_token)

    def _refused(self, error: Rejected) -> NoCredentials:
        told = f"{error.code} {error}".lower()
        remedy = next((remedy for part, remedy in _REMEDIES if part in told), "Check the settings of the app in Setup.")
        return NoCredentials(f"{self.login_url} refused the login ({as_name(error.code)}, {error}). {remedy}")
