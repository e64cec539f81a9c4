"""How callers log in and learn who they are: the OAuth resources (Salesforce Help, OAuth Authorization Flows)."""

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

from salesforce_emulator.api.bodies import body_of
from salesforce_emulator.api.endpoint import Resource, anyone, org_of, session_of
from salesforce_emulator.api.user import running_user, utc_offset
from salesforce_emulator.config import ORGANIZATION_ID, USER_ID, EmulatorConfig
from salesforce_emulator.errors import GRANT_EXPIRED, OAuthError
from salesforce_emulator.responses import json_answer

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
SCOPE = "api id"
MAX_FORM_BYTES = 100_000

Form = dict[str, str]


async def token(request: Request) -> Response:
    """An access token, by one of the grants that need no browser."""
    form = await _form(request)
    grant = GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    config = org_of(request).config
    user = await run_in_threadpool(running_user, org_of(request))
    grant(Attempt(config, user["Username"], form, base_url(request)))
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
    form_of_token = {"token_format": "opaque"} if grant is _client_credentials else {}
    return json_answer(request, body | form_of_token, headers={"Cache-Control": "no-cache, no-store"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in.

    Attributes:
        config: of the org.
        user: the name of its user.
        form: what the caller brings.
        audience: the URL under which the caller knows the org.
    """

    config: EmulatorConfig
    user: str
    form: Form
    audience: str


def _client_credentials(attempt: Attempt) -> None:
    _check_client(attempt.config, attempt.form)


def _password(attempt: Attempt) -> None:
    config, form = attempt.config, attempt.form
    _check_client(config, form)
    if not is_user(config, attempt.user, form.get("username", ""), form.get("password", "")):
        raise OAuthError("invalid_grant", "authentication failure")


def is_user(config: EmulatorConfig, user: str, username: str, password: str) -> bool:
    """Whether these are the user's; any security token after the password, as outside of trusted networks, is taken."""
    return username.lower() == user.lower() and _same(password[: len(config.password)], config.password)


def _refresh_token(attempt: Attempt) -> None:
    config, form = attempt.config, attempt.form
    _check_client_id(config, form.get("client_id", ""))
    if "client_secret" in form:  # may be left out, as the official CLI's own app does
        _check_client(config, form)
    if not _same(form.get("refresh_token", ""), config.refresh_token):
        raise OAuthError("invalid_grant", GRANT_EXPIRED)


def _jwt_bearer(attempt: Attempt) -> None:
    config = attempt.config
    if config.client_public_key is None:
        raise OAuthError(
            "invalid_client", "The org has no key to check assertions with: start it with --public-key FILE"
        )
    try:
        claims = jwt.decode(
            attempt.form.get("assertion", ""),
            public_key(config.client_public_key),
            algorithms=["RS256"],
            audience=[f"{host}{slash}" for host in (*LOGIN_HOSTS, attempt.audience) for slash in ("", "/")],
            issuer=config.client_id,
            options={
                "require": ["iss", "sub", "aud", "exp"],
                "verify_exp": False,  # times are compared below, with the org's own clock
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
    if claims["sub"] != attempt.user:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def _check_times(claims: dict[str, Any], now: float) -> None:
    # Sources name 3 or 5 minutes as the most that is allowed. Yet the official CLI tells milliseconds, which as seconds lie
    # far ahead, and is let in (forcedotcom/sfdx-core, authInfo): so only what is past is refused.
    if not _seconds(claims["exp"]) > now:
        raise OAuthError("invalid_grant", "expired authorization code")
    if not _seconds(claims.get("nbf", 0)) <= now:  # assumed; and that when it was made, `iat`, is not looked at
        raise OAuthError("invalid_grant", "invalid assertion")


def _seconds(told: object) -> float:
    """The time that a claim tells, as text too (seen in simple-salesforce); for none NaN, which no comparison holds of."""
    if isinstance(told, str) and re.fullmatch("[0-9]{1,18}", told):
        return int(told)
    return told if isinstance(told, int | float) else math.nan


@lru_cache
def public_key(pem: str) -> RSAPublicKey:
    """The key in a PEM text, or of the certificate in it, which is what an app in Salesforce is given.

    Raises:
        ValueError: there is no RSA key in it.
    """
    try:
        certified = "BEGIN CERTIFICATE" in pem
        key = load_pem_x509_certificate(pem.encode()).public_key() if certified else load_pem_public_key(pem.encode())
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("expected an RSA public key, or a certificate for one, as PEM text")
    return key


GRANTS: dict[str, Callable[[Attempt], None]] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh_token,
    JWT_BEARER: _jwt_bearer,
}


def _check_client(config: EmulatorConfig, form: Form) -> None:
    _check_client_id(config, form.get("client_id", ""))
    if not _same(form.get("client_secret", ""), config.client_secret):  # assumed: error, text and that it is a 400
        raise OAuthError("invalid_client", "invalid client credentials")


def _check_client_id(config: EmulatorConfig, client_id: str) -> None:
    if client_id != config.client_id:
        raise _invalid_client_id()


def _invalid_client_id() -> OAuthError:
    return OAuthError("invalid_client_id", "client identifier invalid")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


async def introspect(request: Request) -> Response:
    """Whether a token is valid and until when, for the app that could have asked for it."""
    form = await _form(request)
    _check_client(org_of(request).config, form)
    session = await session_of(request, form.get("token", ""))
    if session is None:
        return json_answer(request, {"active": False})
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
    return json_answer(request, body)


async def revoke(request: Request) -> Response:
    """End the session of a token; the published one, which never ends, is answered alike and stays."""
    given = (await _form(request)).get("token", "")
    sessions = org_of(request).sessions
    if not sessions.published(given) and not await run_in_threadpool(sessions.end, given):
        raise OAuthError("invalid_token", "invalid token")  # assumed
    return Response(status_code=200)


async def userinfo(request: Request) -> Response:
    """The user of the token (OpenID Connect, User Info)."""
    refused = await _refusal(request)
    if refused is not None:
        return refused
    user = await run_in_threadpool(running_user, org_of(request))
    body = {
        "sub": _identity_url(request),
        "user_id": USER_ID,
        "organization_id": ORGANIZATION_ID,
        "preferred_username": user["Username"],
        "nickname": user["CommunityNickname"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
    }
    # assumed: what the user has not is left out here
    return json_answer(request, {name: value for name, value in body.items() if value} | _shared(request, user))


async def identity(request: Request) -> Response:
    """The user that the token answer's `id` points to (Salesforce Help, Identity URLs)."""
    refused = await _refusal(request)
    if refused is not None:
        return refused
    if request.path_params["org"] not in (ORGANIZATION_ID, ORGANIZATION_ID[:15]):
        return PlainTextResponse("Wrong_Org", 403)
    if request.path_params["user"] not in (USER_ID, USER_ID[:15]):
        return PlainTextResponse("Bad_Id", 404)
    user = await run_in_threadpool(running_user, org_of(request))
    body = {
        "id": _identity_url(request),
        "asserted_user": True,
        "user_id": USER_ID,
        "organization_id": ORGANIZATION_ID,
        "username": user["Username"],
        "nick_name": user["CommunityNickname"],
        "display_name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
    }
    return json_answer(request, body | _shared(request, user) | {"is_app_installed": True})


def _shared(request: Request, user: sqlite3.Row) -> dict[str, Any]:
    """What both resources about the user end in."""
    return {
        "urls": _urls(request),
        "active": bool(user["IsActive"]),
        "user_type": user["UserType"].upper(),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": utc_offset(user["TimeZoneSidKey"], org_of(request).config.clock()),
    }


async def _refusal(request: Request) -> Response | None:
    """The answer to a bad token (seen) or none (Salesforce Help, Identity URLs): plain text, and not a 401."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return PlainTextResponse("Missing_OAuth_Token", 403)
    if scheme.lower() not in ("bearer", "oauth") or await session_of(request, given.strip()) is None:
        return PlainTextResponse("Bad_OAuth_Token", 403)
    return None


def base_url(request: Request) -> str:
    """The URL under which the caller knows the org."""
    return str(request.base_url).rstrip("/")


def _identity_url(request: Request) -> str:
    return f"{base_url(request)}/id/{ORGANIZATION_ID}/{USER_ID}"


def _urls(request: Request) -> dict[str, str]:
    rest = f"{base_url(request)}/services/data/v{{version}}/"
    return {"rest": rest, "sobjects": f"{rest}sobjects/", "query": f"{rest}query/", "custom_domain": base_url(request)}


async def _form(request: Request) -> Form:
    """The parameters of a request, wherever they stand: in its body, its query or, for the client's, its header."""
    body = b"".join([chunk async for chunk in body_of(request, MAX_FORM_BYTES)])
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
    Route("/services/oauth2/token", Resource(check=anyone, POST=token)),
    Route("/services/oauth2/introspect", Resource(check=anyone, POST=introspect)),
    Route("/services/oauth2/revoke", Resource(check=anyone, POST=revoke, GET=revoke)),
    Route("/services/oauth2/userinfo", Resource(check=anyone, GET=userinfo, POST=userinfo)),
    Route("/id/{org}/{user}", Resource(check=anyone, GET=identity, POST=identity)),
]
