"""The OAuth resources: token, introspect, revoke, userinfo and identity (Salesforce Help, OAuth Authorization Flows)."""

import base64
import hashlib
import hmac
import sqlite3
from typing import Any
from urllib.parse import unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from salesforce_emulator.api.endpoint import Resource, allow_anyone, org_of, session_of
from salesforce_emulator.api.grants import (
    TokenRequest,
    check_secret,
    granted,
    is_published_refresh_token,
)
from salesforce_emulator.api.request_body import Form, form_parameters
from salesforce_emulator.api.user import running_user, utc_offset
from salesforce_emulator.config import USER_ID
from salesforce_emulator.errors import OAuthError
from salesforce_emulator.org import Org
from salesforce_emulator.responses import json_response


async def token(request: Request) -> Response:
    """Return an access token, by one of the grants."""
    org = org_of(request)
    grant = await run_in_threadpool(granted, TokenRequest(org, await _form(request), base_url(request)))
    access_token = await run_in_threadpool(org.sessions.issue, grant.scope, grant.refresh_token_id)
    identity = identity_url(request)
    issued_at = str(int(org.config.clock().timestamp() * 1000))
    signature = hmac.digest(org.config.client_secret.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256)
    body = {
        "access_token": access_token,
        "signature": base64.b64encode(signature).decode(),
        "scope": grant.scope,
        "instance_url": base_url(request),
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
    return json_response(request, body | grant.members, headers={"Cache-Control": "no-cache, no-store"})


async def introspect(request: Request) -> Response:
    """Return whether a token is valid, and until when; only the connected app may ask."""
    form = await _form(request)
    check_secret(org_of(request).config, form)
    session = await session_of(request, form.get("token", ""))
    if session is None:
        return json_response(request, {"active": False})
    body: dict[str, Any] = {
        "active": True,
        "scope": session.scope,
        "client_id": org_of(request).config.client_id,
        "username": (await run_in_threadpool(running_user, org_of(request)))["Username"],
        "sub": identity_url(request),
        "token_type": "access_token",
    }
    if session.issued_at is not None and session.expires_at is not None:
        issued_at = int(session.issued_at)
        body |= {"exp": int(session.expires_at), "iat": issued_at, "nbf": issued_at}
    return json_response(request, body)


async def revoke(request: Request) -> Response:
    """End an access token, or a refresh token with its access tokens (Salesforce Help, Revoke OAuth Tokens).

    The published tokens are answered in the same way, but stay valid.
    """
    given, org = (await _form(request)).get("token", ""), org_of(request)
    is_published = org.sessions.published(given) is not None or is_published_refresh_token(org.config, given)
    if not is_published and not await run_in_threadpool(_end, org, given):
        raise OAuthError("invalid_token", "invalid token")  # assumed: text
    return Response(status_code=200)


def _end(org: Org, given: str) -> bool:
    return org.sessions.end(given) or org.refresh_tokens.end(given)


async def userinfo(request: Request) -> Response:
    """Return the user of the token (OpenID Connect, User Info)."""
    refusal = await _refusal(request)
    if refusal is not None:
        return refusal
    user = await run_in_threadpool(running_user, org_of(request))
    body = {
        "sub": identity_url(request),
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
        "id": identity_url(request),
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


def identity_url(request: Request) -> str:
    """Return the URL of the identity of the org's user, as the caller addressed the org."""
    return f"{base_url(request)}/id/{org_of(request).organization.id}/{USER_ID}"


def _urls(request: Request) -> dict[str, str]:
    rest = f"{base_url(request)}/services/data/v{{version}}/"
    return {"rest": rest, "sobjects": f"{rest}sobjects/", "query": f"{rest}query/", "custom_domain": base_url(request)}


async def _form(request: Request) -> Form:
    """Return the parameters in query and body of a request, and the client's credentials in its Authorization header.

    Raises:
        OAuthError: the header is not Basic credentials.
    """
    form = await form_parameters(request)
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
