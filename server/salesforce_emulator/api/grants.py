"""The grants of the token resource: by what a caller gets an access token (Salesforce Help, OAuth Authorization Flows)."""

import hmac
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from salesforce_emulator.api.request_body import Form
from salesforce_emulator.api.user import running_user
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.errors import GRANT_EXPIRED, OAuthError
from salesforce_emulator.org import Org
from salesforce_emulator.storage.sessions import SCOPE

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOST = "https://login.salesforce.com"
SANDBOX_LOGIN_HOST = "https://test.salesforce.com"
RENEWABLE_SCOPES = {
    "refresh_token",
    "offline_access",
}  # `full` is not among them (Salesforce Help, OAuth Tokens and Scopes)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for an access token.

    Attributes:
        org: the org.
        form: parameters of the request.
        base_url: URL of the org, as the caller addressed it.
    """

    org: Org
    form: Form
    base_url: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request for an access token gets.

    Attributes:
        scope: scope of the access token.
        refresh_token_id: id of the refresh token that the session ends with; None if there is none.
        members: members of the response that not every grant has.
    """

    scope: str = SCOPE
    refresh_token_id: int | None = None
    members: dict[str, str] = field(default_factory=dict)


def granted(token_request: TokenRequest) -> Grant:
    """Return what the request gets.

    Raises:
        OAuthError: the request names no grant that the org knows, or what it brings is not accepted.
    """
    grant = GRANTS.get(token_request.form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    return grant(token_request)


def _client_credentials(token_request: TokenRequest) -> Grant:
    check_secret(token_request.org.config, token_request.form)
    return Grant(members={"token_format": "opaque"})


def _password(token_request: TokenRequest) -> Grant:
    org, form = token_request.org, token_request.form
    check_secret(org.config, form)
    if not is_user(org, form.get("username", ""), form.get("password", "")):
        raise OAuthError("invalid_grant", "authentication failure")
    return Grant()


def is_user(org: Org, username: str, password: str) -> bool:
    """Return whether name and password are those of the org's user.

    A security token may follow the password, as it must outside trusted networks; any token is accepted.
    """
    expected: str = running_user(org)["Username"]
    published = org.config.password
    return username.lower() == expected.lower() and _same(password[: len(published)], published)


def _authorization_code(token_request: TokenRequest) -> Grant:
    """Return the grant of a code of the web server flow, which an attempt uses up (assumed: a refused one, too)."""
    org, form = token_request.org, token_request.form
    _check_app(org.config, form)
    authorization = org.authorizations.take("code", form.get("code", ""))
    if authorization is None or authorization.client_id != org.config.client_id:
        raise OAuthError("invalid_grant", "expired authorization code")
    if form.get("redirect_uri") != authorization.redirect_uri:
        raise redirect_uri_mismatch()
    if not authorization.is_proved_by(form.get("code_verifier")):
        raise OAuthError("invalid_grant", "invalid code verifier")
    if RENEWABLE_SCOPES.isdisjoint(authorization.scope.split()):
        return Grant(authorization.scope)
    issued = org.refresh_tokens.issue(authorization.scope)
    return Grant(issued.scope, issued.id, {"refresh_token": issued.token})


def _refresh_token(token_request: TokenRequest) -> Grant:
    org, form = token_request.org, token_request.form
    _check_app(org.config, form)
    given = form.get("refresh_token", "")
    if is_published_refresh_token(org.config, given):
        return Grant()
    rotates = org.config.assumptions.refresh_token_rotation == "on"  # noqa: S105 - a choice, no secret
    found = org.refresh_tokens.replace(given) if rotates else org.refresh_tokens.find(given)
    if found is None:
        raise OAuthError("invalid_grant", GRANT_EXPIRED)
    return Grant(found.scope, found.id, {"refresh_token": found.token} if rotates else {})


def is_published_refresh_token(config: EmulatorConfig, given: str) -> bool:
    """Return whether this is the refresh token that is always accepted."""
    return _same(given, config.refresh_token)


def _jwt_bearer(token_request: TokenRequest) -> Grant:
    org, config = token_request.org, token_request.org.config
    if config.client_public_key is None:
        raise OAuthError(
            "invalid_client", "The org has no key to check assertions with: start it with --public-key FILE"
        )
    login_host = SANDBOX_LOGIN_HOST if org.organization.is_sandbox else LOGIN_HOST
    try:
        claims = jwt.decode(
            token_request.form.get("assertion", ""),
            public_key(config.client_public_key),
            algorithms=["RS256"],
            audience=[f"{host}{slash}" for host in (login_host, token_request.base_url) for slash in ("", "/")],
            issuer=config.client_id,
            options={
                "require": ["iss", "sub", "aud", "exp"],
                "verify_exp": False,  # _check_times compares the times, with the org's own clock
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidIssuerError:
        raise _invalid_client_id() from None
    except jwt.InvalidAudienceError:
        raise OAuthError("invalid_grant", "Audience validation failed") from None
    except jwt.PyJWTError:  # assumed: text
        raise OAuthError("invalid_grant", "invalid assertion") from None
    _check_times(claims, config.clock().timestamp())
    if claims["sub"] != running_user(org)["Username"]:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return Grant()


def _check_times(claims: dict[str, Any], now: float) -> None:
    # Sources name 3 or 5 minutes as the longest lifetime. But the official CLI states milliseconds, which as seconds lie far
    # in the future, and is accepted (forcedotcom/sfdx-core, authInfo). So only an assertion that has expired is refused.
    if not _seconds(claims["exp"]) > now:
        raise OAuthError("invalid_grant", "expired authorization code")
    if not _seconds(claims.get("nbf", 0)) <= now:  # assumed: this check, and that `iat` is ignored
        raise OAuthError("invalid_grant", "invalid assertion")


def _seconds(claim: object) -> float:
    """Return the time in a claim, which may be a text (seen in simple-salesforce).

    Any other value becomes NaN, with which every comparison is false.
    """
    if isinstance(claim, str) and re.fullmatch("[0-9]{1,18}", claim):
        return int(claim)
    return claim if isinstance(claim, int | float) else math.nan


@lru_cache
def public_key(pem: str) -> RSAPublicKey:
    """Return the RSA key of a PEM text that holds the key or its certificate, with which Salesforce configures an app.

    Raises:
        ValueError: the text is neither an RSA key nor a certificate of one.
    """
    try:
        is_certificate = "BEGIN CERTIFICATE" in pem
        key = (
            load_pem_x509_certificate(pem.encode()).public_key()
            if is_certificate
            else load_pem_public_key(pem.encode())
        )
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("expected an RSA public key, or a certificate for one, as PEM text")
    return key


GRANTS: dict[str, Callable[[TokenRequest], Grant]] = {
    "authorization_code": _authorization_code,
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh_token,
    JWT_BEARER: _jwt_bearer,
}


def _check_app(config: EmulatorConfig, form: Form) -> None:
    """Check the id of the app, and its secret if it is sent or required; the official CLI's own app sends none."""
    check_client_id(config, form)
    if config.requires_secret or "client_secret" in form:
        check_secret(config, form)


def check_secret(config: EmulatorConfig, form: Form) -> None:
    """Check id and secret of the app.

    Raises:
        OAuthError: they are not those of the org's app.
    """
    check_client_id(config, form)
    if not _same(form.get("client_secret", ""), config.client_secret):  # assumed: error, text and status 400
        raise OAuthError("invalid_client", "invalid client credentials")


def check_client_id(config: EmulatorConfig, form: Form) -> None:
    """Check that the parameters name the org's app.

    Raises:
        OAuthError: they name another one, or none.
    """
    if form.get("client_id") != config.client_id:
        raise _invalid_client_id()


def _invalid_client_id() -> OAuthError:
    """The error of an unknown app (seen)."""
    return OAuthError("invalid_client_id", "client identifier invalid")


def redirect_uri_mismatch() -> OAuthError:
    """The error of a callback URL that is not the expected one (seen)."""
    return OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())
