"""The OAuth resources: token, introspect, revoke, userinfo and identity (Salesforce Help, OAuth Authorization Flows)."""

import base64
import hashlib
import hmac
import math
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from salesforce_emulator.api.endpoint import Resource, allow_anyone, org_of, session_of
from salesforce_emulator.api.request_body import body_chunks
from salesforce_emulator.api.user import running_user, utc_offset
from salesforce_emulator.config import USER_ID, EmulatorConfig
from salesforce_emulator.errors import GRANT_EXPIRED, OAuthError
from salesforce_emulator.responses import json_response

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOST = "https://login.salesforce.com"
SANDBOX_LOGIN_HOST = "https://test.salesforce.com"
SCOPE = "api id"
MAX_FORM_BYTES = 100_000

Form = dict[str, str]


async def token(request: Request) -> Response:
    """Return an access token, by one of the grants that need no browser."""
    form = await _form(request)
    grant = GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    config = org_of(request).config
    user = await run_in_threadpool(running_user, org_of(request))
    login_host = SANDBOX_LOGIN_HOST if org_of(request).organization.is_sandbox else LOGIN_HOST
    grant(TokenRequest(config, user["Username"], form, (login_host, base_url(request))))
    access_token = await run_in_threadpool(org_of(request).sessions.issue)
    identity = _identity_url(request)
    issued_at = str(int(config.clock().timestamp() * 1000))
    signature = hmac.digest(config.client_secret.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256)
    body = {
        "access_token": access_token,
        "signature": base64.b64encode(signature).decode(),
        "scope": SCOPE,
        "instance_url": base_url(request),
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
    token_format = {"token_format": "opaque"} if grant is _client_credentials else {}
    return json_response(request, body | token_format, headers={"Cache-Control": "no-cache, no-store"})


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for an access token.

    Attributes:
        config: settings of the org.
        username: name of the org's user.
        form: parameters of the request.
        audiences: URLs that an assertion may be meant for: the login host, and the org as the caller addressed it.
    """

    config: EmulatorConfig
    username: str
    form: Form
    audiences: tuple[str, str]


def _client_credentials(token_request: TokenRequest) -> None:
    _check_client(token_request.config, token_request.form)


def _password(token_request: TokenRequest) -> None:
    config, form = token_request.config, token_request.form
    _check_client(config, form)
    if not is_user(config, token_request.username, form.get("username", ""), form.get("password", "")):
        raise OAuthError("invalid_grant", "authentication failure")


def is_user(config: EmulatorConfig, expected_username: str, username: str, password: str) -> bool:
    """Return whether name and password are those of the org's user.

    A security token may follow the password, as it must outside trusted networks; any token is accepted.
    """
    return username.lower() == expected_username.lower() and _same(password[: len(config.password)], config.password)


def _refresh_token(token_request: TokenRequest) -> None:
    config, form = token_request.config, token_request.form
    _check_client_id(config, form.get("client_id", ""))
    if "client_secret" in form:  # optional: the official CLI's own app sends none
        _check_client(config, form)
    if not _same(form.get("refresh_token", ""), config.refresh_token):
        raise OAuthError("invalid_grant", GRANT_EXPIRED)


def _jwt_bearer(token_request: TokenRequest) -> None:
    config = token_request.config
    if config.client_public_key is None:
        raise OAuthError(
            "invalid_client", "The org has no key to check assertions with: start it with --public-key FILE"
        )
    try:
        claims = jwt.decode(
            token_request.form.get("assertion", ""),
            public_key(config.client_public_key),
            algorithms=["RS256"],
            audience=[f"{host}{slash}" for host in token_request.audiences for slash in ("", "/")],
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
    if claims["sub"] != token_request.username:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


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


GRANTS: dict[str, Callable[[TokenRequest], None]] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh_token,
    JWT_BEARER: _jwt_bearer,
}


def _check_client(config: EmulatorConfig, form: Form) -> None:
    _check_client_id(config, form.get("client_id", ""))
    if not _same(form.get("client_secret", ""), config.client_secret):  # assumed: error, text and status 400
        raise OAuthError("invalid_client", "invalid client credentials")


def _check_client_id(config: EmulatorConfig, client_id: str) -> None:
    if client_id != config.client_id:
        raise _invalid_client_id()


def _invalid_client_id() -> OAuthError:
    return OAuthError("invalid_client_id", "client identifier invalid")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


async def introspect(request: Request) -> Response:
    """Return whether a token is valid, and until when; only the connected app may ask."""
    form = await _form(request)
    _check_client(org_of(request).config, form)
    session = await session_of(request, form.get("token", ""))
    if session is None:
        return json_response(request, {"active": False})
    body: dict[str, Any] = {
        "active": True,
        "scope": SCOPE,
        "client_id": org_of(request).config.client_id,
        "username": (await run_in_threadpool(running_user, org_of(request)))["Username"],
        "sub": _identity_url(request),
        "token_type": "access_token",
    }
    if session.issued_at is not None and session.expires_at is not None:
        issued_at = int(session.issued_at)
        body |= {"exp": int(session.expires_at), "iat": issued_at, "nbf": issued_at}
    return json_response(request, body)


async def revoke(request: Request) -> Response:
    """End the session of a token. The published token is answered in the same way, but stays valid."""
    given = (await _form(request)).get("token", "")
    sessions = org_of(request).sessions
    if not sessions.published(given) and not await run_in_threadpool(sessions.end, given):
        raise OAuthError("invalid_token", "invalid token")  # assumed
    return Response(status_code=200)


async def userinfo(request: Request) -> Response:
    """Return the user of the token (OpenID Connect, User Info)."""
    refusal = await _refusal(request)
    if refusal is not None:
        return refusal
    user = await run_in_threadpool(running_user, org_of(request))
    body = {
        "sub": _identity_url(request),
        "user_id": USER_ID,
        "organization_id": org_of(request).organization.id,
        "preferred_username": user["Username"],
        "nickname": user["CommunityNickname"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
    }
    # assumed: fields without a value are left out
    return json_response(
        request, {name: value for name, value in body.items() if value} | _common_fields(request, user)
    )


async def identity(request: Request) -> Response:
    """Return the user that `id` in a token response points to (Salesforce Help, Identity URLs)."""
    refusal = await _refusal(request)
    if refusal is not None:
        return refusal
    organization_id = org_of(request).organization.id
    if request.path_params["org"] not in (organization_id, organization_id[:15]):
        return PlainTextResponse("Wrong_Org", 403)
    if request.path_params["user"] not in (USER_ID, USER_ID[:15]):
        return PlainTextResponse("Bad_Id", 404)
    user = await run_in_threadpool(running_user, org_of(request))
    body = {
        "id": _identity_url(request),
        "asserted_user": True,
        "user_id": USER_ID,
        "organization_id": organization_id,
        "username": user["Username"],
        "nick_name": user["CommunityNickname"],
        "display_name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
    }
    return json_response(request, body | _common_fields(request, user) | {"is_app_installed": True})


def _common_fields(request: Request, user: sqlite3.Row) -> dict[str, Any]:
    """Return the last fields of the responses of userinfo and identity."""
    return {
        "urls": _urls(request),
        "active": bool(user["IsActive"]),
        "user_type": user["UserType"].upper(),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": utc_offset(user["TimeZoneSidKey"], org_of(request).config.clock()),
    }


async def _refusal(request: Request) -> Response | None:
    """Return the refusal of a bad token (seen) or of a missing one (Salesforce Help, Identity URLs): 403 in plain text."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return PlainTextResponse("Missing_OAuth_Token", 403)
    if scheme.lower() not in ("bearer", "oauth") or await session_of(request, given.strip()) is None:
        return PlainTextResponse("Bad_OAuth_Token", 403)
    return None


def base_url(request: Request) -> str:
    """Return the URL of the org, as the caller addressed it."""
    return str(request.base_url).rstrip("/")


def _identity_url(request: Request) -> str:
    return f"{base_url(request)}/id/{org_of(request).organization.id}/{USER_ID}"


def _urls(request: Request) -> dict[str, str]:
    rest = f"{base_url(request)}/services/data/v{{version}}/"
    return {"rest": rest, "sobjects": f"{rest}sobjects/", "query": f"{rest}query/", "custom_domain": base_url(request)}


async def _form(request: Request) -> Form:
    """Return the parameters in query and body of a request, and the client's credentials in its Authorization header.

    Raises:
        OAuthError: the header is not Basic credentials.
    """
    body = b"".join([chunk async for chunk in body_chunks(request, MAX_FORM_BYTES)])
    form = dict(request.query_params) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            raise OAuthError("invalid_client", "The Authorization header is not Basic credentials") from None
        form |= {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}
    return form


ROUTES = [
    Route("/services/oauth2/token", Resource(check=allow_anyone, POST=token)),
    Route("/services/oauth2/introspect", Resource(check=allow_anyone, POST=introspect)),
    Route("/services/oauth2/revoke", Resource(check=allow_anyone, POST=revoke, GET=revoke)),
    Route("/services/oauth2/userinfo", Resource(check=allow_anyone, GET=userinfo, POST=userinfo)),
    Route("/id/{org}/{user}", Resource(check=allow_anyone, GET=identity, POST=identity)),
]
