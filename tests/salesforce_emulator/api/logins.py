"""Requests that log in to an org, for tests."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2

from salesforce_emulator.config import CALLBACK_URL, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.salesforce_emulator.caller import INGEST, Caller
from tests.support.web_flow import answer_of_the_user, parameters_of

REVOKE = "/services/oauth2/revoke"
TOKEN = "/services/oauth2/token"
USERINFO = "/services/oauth2/userinfo"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
CREDENTIALS = {"grant_type": "client_credentials", **CLIENT}
VERIFIER = "the-verifier-of-an-app.with~43_characters.."
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def anonymous(org: Caller) -> httpx2.Client:
    """A client without a token, as before a login."""
    return httpx2.Client(base_url=org.http.base_url)


def ask(org: Caller, form: Mapping[str, str], path: str = TOKEN, **more: Any) -> httpx2.Response:
    """The response to a form, by default on the token resource."""
    with anonymous(org) as http:
        return http.post(path, data=dict(form), **more)


def works(org: Caller, token: str) -> bool:
    """Whether the org accepts a request with this token."""
    status = org.http.get(INGEST, headers={"Authorization": f"Bearer {token}"}).status_code
    return {200: True, 401: False}[status]


def authorization_url(org: Caller, **parameters: str | None) -> str:
    """The URL to which an app sends the browser; None leaves a usual parameter out."""
    usual = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK_URL,
        "scope": "api refresh_token",
        "state": "a state of ours",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    given = {name: value for name, value in (usual | parameters).items() if value is not None}
    return f"{str(org.http.base_url).rstrip('/')}/services/oauth2/authorize?{urlencode(given)}"


def authorization_code(org: Caller, **parameters: str | None) -> str:
    """An authorization code, after the user has allowed what these parameters ask for."""
    return parameters_of(answer_of_the_user(authorization_url(org, **parameters)))["code"]


def exchange(org: Caller, code: str, **parameters: str | None) -> httpx2.Response:
    """The response to an authorization code; None leaves a usual parameter out."""
    usual = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK_URL,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return ask(org, {name: value for name, value in (usual | parameters).items() if value is not None})


def refresh(org: Caller, refresh_token: str, **parameters: str) -> httpx2.Response:
    """The response to a refresh token."""
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": refresh_token}
    return ask(org, form | parameters)


def soap_login(username: str = USERNAME, password: str = PASSWORD) -> bytes:
    """The SOAP body of login()."""
    return (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
        f'<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{username}</n1:username>'
        f"<n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>"
    ).encode()


def ask_soap(org: Caller, body: bytes, path: str = "/services/Soap/u/63.0") -> httpx2.Response:
    """The response to a SOAP body."""
    with anonymous(org) as http:
        return http.post(path, content=body, headers={"Content-Type": "text/xml", "SOAPAction": "login"})
